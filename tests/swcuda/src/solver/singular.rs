//! Singular values and vectors of a matrix with at least as many rows as columns.

use super::jacobi::singular;
use super::{refuse, spoil_workspace, write_info};
use crate::blas::operand::{Operand, transpose};
use crate::blas::real::Real;
use crate::blas::{Library, Status, enqueue, export, library_call};
use crate::driver::Handle;
use crate::driver::abi::put;
use std::ffi::{c_char, c_int};

/// Which singular vectors are wanted.
#[derive(Clone, Copy, PartialEq)]
enum Vectors {
    All,
    /// As many as there are singular values.
    Some,
    /// Those, in place of A.
    Overwrite,
    None,
}

fn vectors(job: c_char) -> Option<Vectors> {
    match job as u8 {
        b'A' => Some(Vectors::All),
        b'S' => Some(Vectors::Some),
        b'O' => Some(Vectors::Overwrite),
        b'N' => Some(Vectors::None),
        _ => None,
    }
}

fn workspace_length(m: c_int, n: c_int) -> c_int {
    (3 * n.min(m) + m.max(n)).max(5 * n.min(m)).max(1)
}

fn buffer_size<T: Real>(name: &'static str, handle: Handle, m: c_int, n: c_int, out: *mut c_int) -> Status {
    library_call(name, Library::Solver, handle, |_, h| {
        if n < 0 || m < n {
            return Err(h.library.invalid());
        }
        put(out, workspace_length(m, n)).map_err(|_| h.library.invalid())
    })
}

#[allow(clippy::too_many_arguments)]
fn gesvd<T: Real>(
    name: &'static str,
    handle: Handle,
    job_u: c_char,
    job_v: c_char,
    m: c_int,
    n: c_int,
    a: u64,
    lda: c_int,
    s: u64,
    u: u64,
    ldu: c_int,
    vt: u64,
    ldvt: c_int,
    workspace: u64,
    length: c_int,
    _rwork: u64,
    info: u64,
) -> Status {
    library_call(name, Library::Solver, handle, |state, h| {
        let (jobs_u, jobs_v) = (vectors(job_u), vectors(job_v));
        let both = jobs_u == Some(Vectors::Overwrite) && jobs_v == Some(Vectors::Overwrite);
        let stored = |job: Option<Vectors>| matches!(job, Some(Vectors::All | Vectors::Some));
        let wrong = [
            (jobs_u.is_none(), 1),
            (jobs_v.is_none() || both, 2),
            (m < n, 3),
            (n < 0, 4),
            (lda < m.max(1), 6),
            (ldu < if stored(jobs_u) { m.max(1) } else { 1 }, 9),
            (ldvt < if stored(jobs_v) { n.max(1) } else { 1 }, 11),
            (length < workspace_length(m, n), 13),
        ];
        if let Some((_, parameter)) = wrong.iter().find(|w| w.0) {
            return refuse(state, h, name, info, *parameter);
        }
        let (m, n) = (m as usize, n as usize);
        let a = Operand::matrix(name, "A", a, (m, n), lda as usize);
        let values = Operand::vector(name, "S", s, n, 1);
        let columns_of_u = if jobs_u == Some(Vectors::All) { m } else { n };
        let u = stored(jobs_u).then(|| Operand::matrix(name, "U", u, (m, columns_of_u), ldu as usize));
        let vt = stored(jobs_v).then(|| Operand::matrix(name, "VT", vt, (n, n), ldvt as usize));
        state.note(format!("m={m} n={n}"));
        enqueue(state, h, name, move |memory| {
            let given: Vec<T> = a.read(memory)?;
            spoil_workspace::<T>(memory, name, workspace, length as usize)?;
            let f = singular(&given.iter().map(|x| x.to_f64()).collect::<Vec<_>>(), m, n);
            let rounded = |x: &[f64]| x.iter().map(|v| T::from_f64(*v)).collect::<Vec<T>>();
            values.write(memory, &rounded(&f.s))?;
            let transposed = transpose(&rounded(&f.v), n, n);
            // The library uses A as room to work, where it does not hold vectors.
            let mut left = vec![T::from_f64(f64::NAN); m * n];
            if jobs_u == Some(Vectors::Overwrite) {
                left = rounded(&f.u[..m * n]);
            } else if jobs_v == Some(Vectors::Overwrite) {
                for j in 0..n {
                    left[j * m..j * m + n].copy_from_slice(&transposed[j * n..(j + 1) * n]);
                }
            }
            a.write(memory, &left)?;
            if let Some(u) = u {
                u.write(memory, &rounded(&f.u[..m * columns_of_u]))?;
            }
            if let Some(vt) = vt {
                vt.write(memory, &transposed)?;
            }
            write_info(memory, info, f.failed as i32)
        })
    })
}

export!(buffer_size: cusolverDnSgesvd_bufferSize, cusolverDnDgesvd_bufferSize(
    handle: Handle, m: c_int, n: c_int, out: *mut c_int
));
export!(gesvd: cusolverDnSgesvd, cusolverDnDgesvd(
    handle: Handle, job_u: c_char, job_v: c_char, m: c_int, n: c_int, a: u64, lda: c_int, s: u64, u: u64, ldu: c_int,
    vt: u64, ldvt: c_int, workspace: u64, length: c_int, rwork: u64, info: u64
));
