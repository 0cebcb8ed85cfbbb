//! Eigenvalues and eigenvectors of a symmetric matrix.

use super::tridiagonal::eigen;
use super::{refuse, spoil_workspace, wants_vectors, write_info};
use crate::blas::operand::{Operand, Part, triangle};
use crate::blas::real::Real;
use crate::blas::{Library, Status, enqueue, export, library_call};
use crate::driver::Handle;
use crate::driver::abi::put;
use std::ffi::c_int;

/// Elements of the workspace that a matrix of order n asks for.
fn workspace_length(n: c_int) -> c_int {
    n.saturating_mul(n).saturating_mul(2).saturating_add(1 + 6 * n)
}

#[allow(clippy::too_many_arguments)]
fn buffer_size<T: Real>(
    name: &'static str,
    handle: Handle,
    mode: c_int,
    fill: c_int,
    n: c_int,
    _a: u64,
    lda: c_int,
    _values: u64,
    out: *mut c_int,
) -> Status {
    library_call(name, Library::Solver, handle, |_, h| {
        if wants_vectors(mode).is_none() || triangle(fill).is_none() || n < 0 || lda < n.max(1) {
            return Err(h.library.invalid());
        }
        put(out, workspace_length(n)).map_err(|_| h.library.invalid())
    })
}

#[allow(clippy::too_many_arguments)]
fn syevd<T: Real>(
    name: &'static str,
    handle: Handle,
    mode: c_int,
    fill: c_int,
    n: c_int,
    a: u64,
    lda: c_int,
    values: u64,
    workspace: u64,
    length: c_int,
    info: u64,
) -> Status {
    library_call(name, Library::Solver, handle, |s, h| {
        let wrong = [
            (wants_vectors(mode).is_none(), 1),
            (triangle(fill).is_none(), 2),
            (n < 0, 3),
            (lda < n.max(1), 5),
            (length < workspace_length(n), 8),
        ];
        if let Some((_, parameter)) = wrong.iter().find(|w| w.0) {
            return refuse(s, h, name, info, *parameter);
        }
        let (vectors, part) = (wants_vectors(mode).unwrap_or(false), triangle(fill).unwrap_or(Part::Lower));
        let n = n as usize;
        let whole = Operand::matrix(name, "A", a, (n, n), lda as usize);
        let w = Operand::vector(name, "W", values, n, 1);
        s.note(format!("n={n}"));
        enqueue(s, h, name, move |m| {
            let given: Vec<T> = whole.part(part).read(m)?;
            spoil_workspace::<T>(m, name, workspace, length as usize)?;
            let mut a: Vec<f64> = given.iter().map(|x| x.to_f64()).collect();
            for j in 0..n {
                for i in 0..j {
                    let (upper, lower) = (j * n + i, i * n + j);
                    if part == Part::Lower { a[upper] = a[lower] } else { a[lower] = a[upper] }
                }
            }
            let e = eigen(&a, n);
            let rounded = |x: &Vec<f64>| x.iter().map(|v| T::from_f64(*v)).collect::<Vec<T>>();
            w.write(m, &rounded(&e.values))?;
            if vectors {
                whole.write(m, &rounded(&e.vectors))?;
            } else {
                // The library uses A as room to work.
                whole.part(part).write(m, &vec![T::from_f64(f64::NAN); n * n])?;
            }
            write_info(m, info, e.failed)
        })
    })
}

export!(buffer_size: cusolverDnSsyevd_bufferSize, cusolverDnDsyevd_bufferSize(
    handle: Handle, mode: c_int, fill: c_int, n: c_int, a: u64, lda: c_int, values: u64, out: *mut c_int
));
export!(syevd: cusolverDnSsyevd, cusolverDnDsyevd(
    handle: Handle, mode: c_int, fill: c_int, n: c_int, a: u64, lda: c_int, values: u64, workspace: u64,
    length: c_int, info: u64
));
