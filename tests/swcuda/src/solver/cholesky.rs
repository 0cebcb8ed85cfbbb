//! `A = L L'` or `U' U`, and systems solved with it. Computed in the type's precision, column by column.

use super::{refuse, spoil_workspace, write_info};
use crate::blas::operand::{Operand, Part, transpose, triangle};
use crate::blas::real::{Real, add_scaled};
use crate::blas::{Library, Status, export, library_call};
use crate::driver::Handle;
use crate::driver::abi::put;
use std::ffi::c_int;

fn buffer_size<T: Real>(
    name: &'static str,
    handle: Handle,
    fill: c_int,
    n: c_int,
    _a: u64,
    lda: c_int,
    out: *mut c_int,
) -> Status {
    library_call(name, Library::Solver, handle, |_, h| {
        if triangle(fill).is_none() || n < 0 || lda < n.max(1) {
            return Err(h.library.invalid());
        }
        put(out, n.max(1)).map_err(|_| h.library.invalid())
    })
}

#[allow(clippy::too_many_arguments)]
fn factor<T: Real>(
    name: &'static str,
    handle: Handle,
    fill: c_int,
    n: c_int,
    a: u64,
    lda: c_int,
    workspace: u64,
    length: c_int,
    info: u64,
) -> Status {
    library_call(name, Library::Solver, handle, |s, h| {
        let wrong = [(triangle(fill).is_none(), 1), (n < 0, 2), (lda < n.max(1), 4), (length < n.max(1), 6)];
        if let Some((_, parameter)) = wrong.iter().find(|w| w.0) {
            return refuse(s, h, name, info, *parameter);
        }
        let (order, lda) = (n as usize, lda as usize);
        let part = triangle(fill).unwrap_or(Part::Lower);
        let a = Operand::matrix(name, "A", a, (order, order), lda).part(part);
        s.note(format!("n={n}"));
        enqueue_factor::<T>(s, h, name, (a, part, order), (workspace, length as usize), info)
    })
}

fn enqueue_factor<T: Real>(
    s: &mut crate::driver::State,
    h: crate::blas::LibraryHandle,
    name: &'static str,
    (a, part, n): (Operand, Part, usize),
    (workspace, length): (u64, usize),
    info: u64,
) -> Result<(), Status> {
    crate::blas::enqueue(s, h, name, move |m| {
        let values: Vec<T> = a.read(m)?;
        spoil_workspace::<T>(m, name, workspace, length)?;
        // The upper triangle is the lower one of the transpose.
        let upper = part == Part::Upper;
        let mut l = if upper { transpose(&values, n, n) } else { values };
        let minor = cholesky(&mut l, n);
        a.write(m, &if upper { transpose(&l, n, n) } else { l })?;
        write_info(m, info, minor)
    })
}

/// Turns the lower triangle of A into L; returns the 1-based minor that is not positive definite, or 0.
fn cholesky<T: Real>(a: &mut [T], n: usize) -> i32 {
    for j in 0..n {
        let (left, right) = a.split_at_mut(j * n);
        let column = &mut right[j..n];
        for k in 0..j {
            let earlier = &left[k * n + j..(k + 1) * n];
            add_scaled(column, -earlier[0], earlier);
        }
        let pivot = column[0];
        // A NaN is not positive either.
        if pivot.partial_cmp(&T::default()) != Some(std::cmp::Ordering::Greater) {
            return j as i32 + 1;
        }
        let root = pivot.sqrt();
        column[0] = root;
        column[1..].iter_mut().for_each(|x| *x = *x / root);
    }
    0
}

#[allow(clippy::too_many_arguments)]
fn solve<T: Real>(
    name: &'static str,
    handle: Handle,
    fill: c_int,
    n: c_int,
    columns: c_int,
    a: u64,
    lda: c_int,
    b: u64,
    ldb: c_int,
    info: u64,
) -> Status {
    library_call(name, Library::Solver, handle, |s, h| {
        let wrong =
            [(triangle(fill).is_none(), 1), (n < 0, 2), (columns < 0, 3), (lda < n.max(1), 5), (ldb < n.max(1), 7)];
        if let Some((_, parameter)) = wrong.iter().find(|w| w.0) {
            return refuse(s, h, name, info, *parameter);
        }
        let order = n as usize;
        let part = triangle(fill).unwrap_or(Part::Lower);
        let a = Operand::matrix(name, "A", a, (order, order), lda as usize).part(part);
        let b = Operand::matrix(name, "B", b, (order, columns as usize), ldb as usize);
        s.note(format!("n={n} columns={columns}"));
        crate::blas::enqueue(s, h, name, move |m| {
            let values: Vec<T> = a.read(m)?;
            let turned = transpose(&values, order, order);
            let (lower, upper) = if part == Part::Lower { (values, turned) } else { (turned, values) };
            let mut x: Vec<T> = b.read(m)?;
            for column in x.chunks_exact_mut(order.max(1)) {
                crate::blas::solve_triangle(&lower, true, false, column);
                crate::blas::solve_triangle(&upper, false, false, column);
            }
            b.write(m, &x)?;
            write_info(m, info, 0)
        })
    })
}

export!(buffer_size: cusolverDnSpotrf_bufferSize, cusolverDnDpotrf_bufferSize(
    handle: Handle, fill: c_int, n: c_int, a: u64, lda: c_int, out: *mut c_int
));
export!(factor: cusolverDnSpotrf, cusolverDnDpotrf(
    handle: Handle, fill: c_int, n: c_int, a: u64, lda: c_int, workspace: u64, length: c_int, info: u64
));
export!(solve: cusolverDnSpotrs, cusolverDnDpotrs(
    handle: Handle, fill: c_int, n: c_int, columns: c_int, a: u64, lda: c_int, b: u64, ldb: c_int, info: u64
));

#[cfg(test)]
mod tests {
    use super::cholesky;

    #[test]
    fn factors_and_says_where_it_can_not() {
        let mut a = [4.0, 2.0, 0.0, 5.0];
        assert_eq!(cholesky(&mut a, 2), 0);
        assert_eq!((a[0], a[1], a[3]), (2.0, 1.0, 2.0));
        assert_eq!(cholesky(&mut [1.0, 2.0, 0.0, 4.0], 2), 2);
        assert_eq!(cholesky(&mut [f64::NAN], 1), 1);
    }
}
