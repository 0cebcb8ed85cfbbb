//! cuBLAS: handles, and what its calls and cuSOLVER's have in common. The calls are in `level1` to `level3`.
//!
//! A call checks its arguments, then puts work on its handle's stream. The work reads its operands out of device
//! memory, with all checks, computes on the host and writes back. Sums run in order, in the type's precision, with
//! fused multiply-adds, as in a simple kernel. Where `beta` is 0 what stood before is not read.
//! Source: cuBLAS library documentation.

mod level1;
mod level2;
mod level3;
pub(crate) mod operand;
pub(crate) mod real;

use crate::driver::abi::{get, put};
use crate::driver::queue::{LibraryWork, Work};
use crate::driver::{Handle, LIBRARY, State, call};
use crate::machine::fault::Fault;
use crate::machine::memory::Memory;
use operand::Operand;
use real::Real;
use std::ffi::c_int;
use std::sync::Arc;

/// A library's own code; 0 is success.
pub(crate) type Status = u32;

pub(crate) const NOT_INITIALIZED: Status = 1;
const BLAS_INVALID_VALUE: Status = 7;
const BLAS_EXECUTION_FAILED: Status = 13;
const BLAS_NOT_SUPPORTED: Status = 15;
const SOLVER_INVALID_VALUE: Status = 3;
const SOLVER_EXECUTION_FAILED: Status = 6;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Library {
    Blas,
    Solver,
}

impl Library {
    pub fn invalid(self) -> Status {
        if self == Library::Blas { BLAS_INVALID_VALUE } else { SOLVER_INVALID_VALUE }
    }

    fn failed(self) -> Status {
        if self == Library::Blas { BLAS_EXECUTION_FAILED } else { SOLVER_EXECUTION_FAILED }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct LibraryHandle {
    pub library: Library,
    pub stream: Handle,
    /// Scalars are read from the device, results written there.
    pub device_pointers: bool,
}

/// A call of a library with a handle, which must be one of its own.
pub(crate) fn library_call(
    name: &'static str,
    library: Library,
    handle: Handle,
    f: impl FnOnce(&mut State, LibraryHandle) -> Result<(), Status>,
) -> Status {
    let code = call(name, |s| {
        let known = s.library_handles.get(&handle).copied().filter(|h| h.library == library);
        known.ok_or(NOT_INITIALIZED).and_then(|h| f(s, h)).map_err(|status| LIBRARY | status)
    });
    match code {
        // The device's own codes mean nothing to a library's caller.
        100..LIBRARY => library.failed(),
        code => code & !LIBRARY,
    }
}

/// Puts a library's work on its stream.
pub(crate) fn enqueue(
    s: &mut State,
    h: LibraryHandle,
    name: &'static str,
    work: impl Fn(&mut Memory) -> Result<(), Fault> + Send + Sync + 'static,
) -> Result<(), Status> {
    s.note(format!("stream={:#x}", h.stream));
    let work: LibraryWork = Arc::new(work);
    s.push(h.stream, Work::Library(name, work)).map_err(|_| h.library.failed())
}

/// A scalar that the caller gives, on the host or on the device.
#[derive(Clone, Copy)]
pub(crate) enum Scalar<T> {
    Host(T),
    Device(u64),
}

impl<T: Real> Scalar<T> {
    pub fn given(h: LibraryHandle, pointer: u64) -> Result<Scalar<T>, Status> {
        if h.device_pointers {
            return Ok(Scalar::Device(pointer));
        }
        get(pointer as *const T).map(Scalar::Host).map_err(|_| h.library.invalid())
    }

    pub fn value(self, memory: &mut Memory, call: &'static str) -> Result<T, Fault> {
        match self {
            Scalar::Host(value) => Ok(value),
            Scalar::Device(at) => Ok(Operand::vector(call, "a scalar", at, 1, 1).read(memory)?[0]),
        }
    }
}

/// A size or distance; a negative one is an error.
pub(crate) fn size(value: c_int, library: Library) -> Result<usize, Status> {
    usize::try_from(value).map_err(|_| library.invalid())
}

/// Exports a generic function for both precisions under the library's names, which it takes first. Addresses are
/// numbers here, so that no type of a parameter depends on the precision.
macro_rules! export {
    ($function:ident: $single:ident, $double:ident ($($name:ident: $type:ty),* $(,)?)) => {
        #[unsafe(no_mangle)]
        pub extern "C" fn $single($($name: $type),*) -> $crate::blas::Status {
            $function::<f32>(stringify!($single), $($name),*)
        }

        #[unsafe(no_mangle)]
        pub extern "C" fn $double($($name: $type),*) -> $crate::blas::Status {
            $function::<f64>(stringify!($double), $($name),*)
        }
    };
}
pub(crate) use export;
pub(crate) use level3::solve_triangle;
#[cfg(test)]
pub(crate) use {level1::*, level2::*, level3::*};

pub(crate) fn create(name: &'static str, library: Library, out: *mut Handle) -> Status {
    let code = call(name, |s| {
        s.current()?;
        let handle = s.handle();
        put(out, handle)?;
        s.library_handles.insert(handle, LibraryHandle { library, stream: 0, device_pointers: false });
        Ok(())
    });
    if code == 0 { 0 } else { NOT_INITIALIZED }
}

pub(crate) fn destroy(name: &'static str, library: Library, handle: Handle) -> Status {
    library_call(name, library, handle, |s, _| {
        s.library_handles.remove(&handle);
        Ok(())
    })
}

pub(crate) fn set_stream(name: &'static str, library: Library, handle: Handle, stream: Handle) -> Status {
    library_call(name, library, handle, |s, _| {
        let stream = s.stream_id(stream).map_err(|_| library.invalid())?;
        s.note(format!("stream={stream:#x}"));
        s.library_handles.entry(handle).and_modify(|h| h.stream = stream);
        Ok(())
    })
}

pub(crate) fn get_stream(name: &'static str, library: Library, handle: Handle, out: *mut Handle) -> Status {
    library_call(name, library, handle, |_, h| put(out, h.stream).map_err(|_| library.invalid()))
}

#[unsafe(no_mangle)]
pub extern "C" fn cublasCreate_v2(out: *mut Handle) -> Status {
    create("cublasCreate_v2", Library::Blas, out)
}

#[unsafe(no_mangle)]
pub extern "C" fn cublasDestroy_v2(handle: Handle) -> Status {
    destroy("cublasDestroy_v2", Library::Blas, handle)
}

#[unsafe(no_mangle)]
pub extern "C" fn cublasSetStream_v2(handle: Handle, stream: Handle) -> Status {
    set_stream("cublasSetStream_v2", Library::Blas, handle, stream)
}

#[unsafe(no_mangle)]
pub extern "C" fn cublasGetStream_v2(handle: Handle, out: *mut Handle) -> Status {
    get_stream("cublasGetStream_v2", Library::Blas, handle, out)
}

#[unsafe(no_mangle)]
pub extern "C" fn cublasGetVersion_v2(_handle: Handle, out: *mut c_int) -> Status {
    if put(out, 120_900).is_ok() { 0 } else { BLAS_INVALID_VALUE }
}

/// The workspace must be memory of the device; nothing here needs it.
#[unsafe(no_mangle)]
pub extern "C" fn cublasSetWorkspace_v2(handle: Handle, at: u64, length: usize) -> Status {
    library_call("cublasSetWorkspace_v2", Library::Blas, handle, |s, _| {
        if length == 0 || s.memory.is_promised(at, length as u64) && at.is_multiple_of(256) {
            Ok(())
        } else {
            Err(BLAS_INVALID_VALUE)
        }
    })
}

/// Tensor cores are not modelled: every mode computes in full precision.
#[unsafe(no_mangle)]
pub extern "C" fn cublasSetMathMode(handle: Handle, _mode: c_int) -> Status {
    library_call("cublasSetMathMode", Library::Blas, handle, |_, _| Ok(()))
}

#[unsafe(no_mangle)]
pub extern "C" fn cublasSetPointerMode_v2(handle: Handle, mode: c_int) -> Status {
    library_call("cublasSetPointerMode_v2", Library::Blas, handle, |s, _| {
        if mode != 0 && mode != 1 {
            return Err(BLAS_INVALID_VALUE);
        }
        s.library_handles.entry(handle).and_modify(|h| h.device_pointers = mode == 1);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cublasGetPointerMode_v2(handle: Handle, out: *mut c_int) -> Status {
    library_call("cublasGetPointerMode_v2", Library::Blas, handle, |_, h| {
        put(out, h.device_pointers as c_int).map_err(|_| BLAS_INVALID_VALUE)
    })
}
