//! Vectors. Steps between elements must be positive here.

use super::operand::Operand;
use super::real::Real;
use super::{BLAS_NOT_SUPPORTED, Library, LibraryHandle, Scalar, Status, enqueue, export, library_call, size};
use crate::driver::abi::put;
use crate::driver::{Handle, State};
use crate::machine::fault::Fault;
use crate::machine::memory::Memory;
use std::ffi::c_int;

type Values<T> = Result<Vec<T>, Fault>;

fn vector(call: &'static str, what: &'static str, n: c_int, at: u64, step: c_int) -> Result<Operand, Status> {
    if step <= 0 {
        return Err(BLAS_NOT_SUPPORTED);
    }
    Ok(Operand::vector(call, what, at, size(n, Library::Blas)?, step as usize))
}

/// Work whose result is one number, given to the host (which waits for it) or to the device.
fn result<T: Real>(
    s: &mut State,
    h: LibraryHandle,
    name: &'static str,
    out: u64,
    f: impl Fn(&mut Memory) -> Result<T, Fault> + Send + Sync + 'static,
) -> Result<(), Status> {
    if h.device_pointers {
        return enqueue(s, h, name, move |m| {
            let value = f(m)?;
            Operand::vector(name, "the result", out, 1, 1).write(m, &[value])
        });
    }
    enqueue(s, h, name, move |m| {
        let value = f(m)?;
        // The call below does not return before this has run.
        let _ = put(out as *mut T, value);
        Ok(())
    })?;
    if s.capture_of(h.stream).is_none() {
        s.waits();
        s.drain(h.stream).map_err(|_| h.library.failed())?;
    }
    Ok(())
}

#[allow(clippy::too_many_arguments)]
fn dot<T: Real>(
    name: &'static str,
    handle: Handle,
    n: c_int,
    x: u64,
    step_x: c_int,
    y: u64,
    step_y: c_int,
    out: u64,
) -> Status {
    library_call(name, Library::Blas, handle, |s, h| {
        let (x, y) = (vector(name, "x", n, x, step_x)?, vector(name, "y", n, y, step_y)?);
        result(s, h, name, out, move |m| {
            let (x, y): (Vec<T>, Vec<T>) = (x.read(m)?, y.read(m)?);
            Ok(x.iter().zip(&y).fold(T::default(), |sum, (x, y)| x.fma(*y, sum)))
        })
    })
}

fn nrm2<T: Real>(name: &'static str, handle: Handle, n: c_int, x: u64, step: c_int, out: u64) -> Status {
    library_call(name, Library::Blas, handle, |s, h| {
        let x = vector(name, "x", n, x, step)?;
        result(s, h, name, out, move |m| {
            let x: Vec<T> = x.read(m)?;
            // Scaled, so that squares neither overflow nor vanish.
            let largest = x.iter().fold(0.0f64, |l, v| if v.to_f64().abs() > l { v.to_f64().abs() } else { l });
            let scale = if largest > 0.0 && largest.is_finite() { largest } else { 1.0 };
            let sum: f64 = x.iter().map(|v| (v.to_f64() / scale).powi(2)).sum();
            Ok(T::from_f64(sum.sqrt() * scale))
        })
    })
}

fn asum<T: Real>(name: &'static str, handle: Handle, n: c_int, x: u64, step: c_int, out: u64) -> Status {
    library_call(name, Library::Blas, handle, |s, h| {
        let x = vector(name, "x", n, x, step)?;
        result(s, h, name, out, move |m| {
            let x: Vec<T> = x.read(m)?;
            Ok(x.iter().fold(T::default(), |sum, v| sum + T::from_f64(v.to_f64().abs())))
        })
    })
}

#[allow(clippy::too_many_arguments)]
fn axpy<T: Real>(
    name: &'static str,
    handle: Handle,
    n: c_int,
    alpha: u64,
    x: u64,
    step_x: c_int,
    y: u64,
    step_y: c_int,
) -> Status {
    library_call(name, Library::Blas, handle, |s, h| {
        let (x, y) = (vector(name, "x", n, x, step_x)?, vector(name, "y", n, y, step_y)?);
        let alpha = Scalar::<T>::given(h, alpha)?;
        enqueue(s, h, name, move |m| {
            let alpha = alpha.value(m, name)?;
            let mut out: Vec<T> = y.read(m)?;
            super::real::add_scaled(&mut out, alpha, &x.read(m)?);
            y.write(m, &out)
        })
    })
}

fn scal<T: Real>(name: &'static str, handle: Handle, n: c_int, alpha: u64, x: u64, step: c_int) -> Status {
    library_call(name, Library::Blas, handle, |s, h| {
        let x = vector(name, "x", n, x, step)?;
        let alpha = Scalar::<T>::given(h, alpha)?;
        enqueue(s, h, name, move |m| {
            let alpha = alpha.value(m, name)?;
            let values: Values<T> = x.read(m);
            x.write(m, &values?.into_iter().map(|v| alpha * v).collect::<Vec<T>>())
        })
    })
}

fn copy<T: Real>(name: &'static str, handle: Handle, n: c_int, x: u64, step_x: c_int, y: u64, step_y: c_int) -> Status {
    library_call(name, Library::Blas, handle, |s, h| {
        let (x, y) = (vector(name, "x", n, x, step_x)?, vector(name, "y", n, y, step_y)?);
        enqueue(s, h, name, move |m| {
            let values: Values<T> = x.read(m);
            y.write(m, &values?)
        })
    })
}

export!(dot: cublasSdot_v2, cublasDdot_v2(
    handle: Handle, n: c_int, x: u64, step_x: c_int, y: u64, step_y: c_int, out: u64
));
export!(nrm2: cublasSnrm2_v2, cublasDnrm2_v2(handle: Handle, n: c_int, x: u64, step: c_int, out: u64));
export!(asum: cublasSasum_v2, cublasDasum_v2(handle: Handle, n: c_int, x: u64, step: c_int, out: u64));
export!(axpy: cublasSaxpy_v2, cublasDaxpy_v2(
    handle: Handle, n: c_int, alpha: u64, x: u64, step_x: c_int, y: u64, step_y: c_int
));
export!(scal: cublasSscal_v2, cublasDscal_v2(handle: Handle, n: c_int, alpha: u64, x: u64, step: c_int));
export!(copy: cublasScopy_v2, cublasDcopy_v2(
    handle: Handle, n: c_int, x: u64, step_x: c_int, y: u64, step_y: c_int
));
