//! Matrices.

use super::operand::{Operand, Part, is_transposed, transpose, triangle};
use super::real::{Real, add_scaled};
use super::{BLAS_INVALID_VALUE, Library, Scalar, Status, enqueue, export, library_call, size};
use crate::driver::Handle;
use crate::machine::fault::Fault;
use crate::machine::memory::Memory;
use std::ffi::c_int;

/// `op(A)` by columns, where A is stored as the operand says.
fn read_operation<T: Real>(a: &Operand, transposed: bool, memory: &mut Memory) -> Result<Vec<T>, Fault> {
    let values = a.read(memory)?;
    Ok(if transposed { transpose(&values, a.rows, a.columns) } else { values })
}

/// `A B` for A of m×k and B of k×n, each element's sum in order of k.
fn product<T: Real>(a: &[T], b: &[T], (m, n, k): (usize, usize, usize)) -> Vec<T> {
    let mut out = vec![T::default(); m * n];
    for j in 0..n {
        for l in 0..k {
            add_scaled(&mut out[j * m..(j + 1) * m], b[j * k + l], &a[l * m..(l + 1) * m]);
        }
    }
    out
}

/// `C = alpha P + beta C`; where beta is 0, C is not read.
fn blend<T: Real>(memory: &mut Memory, c: &Operand, product: &[T], alpha: T, beta: T) -> Result<(), Fault> {
    let zero = T::default();
    let before = if beta == zero { vec![zero; product.len()] } else { c.read(memory)? };
    let out: Vec<T> = product.iter().zip(&before).map(|(p, c)| alpha.fma(*p, beta * *c)).collect();
    c.write(memory, &out)
}

/// `C = alpha op(A) op(B) + beta C` for each of a batch, where C is m×n and the sums have k terms.
#[allow(clippy::too_many_arguments)]
fn gemm_batched<T: Real>(
    name: &'static str,
    handle: Handle,
    operation_a: c_int,
    operation_b: c_int,
    m: c_int,
    n: c_int,
    k: c_int,
    alpha: u64,
    a: u64,
    lda: c_int,
    stride_a: i64,
    b: u64,
    ldb: c_int,
    stride_b: i64,
    beta: u64,
    c: u64,
    ldc: c_int,
    stride_c: i64,
    batch: c_int,
) -> Status {
    library_call(name, Library::Blas, handle, |s, h| {
        let (Some(ta), Some(tb)) = (is_transposed(operation_a), is_transposed(operation_b)) else {
            return Err(BLAS_INVALID_VALUE);
        };
        let size = |v| size(v, h.library);
        let (m, n, k, batch) = (size(m)?, size(n)?, size(k)?, size(batch)?);
        let (lda, ldb, ldc) = (size(lda)?, size(ldb)?, size(ldc)?);
        let shape_a = if ta { (k, m) } else { (m, k) };
        let shape_b = if tb { (n, k) } else { (k, n) };
        if lda < shape_a.0.max(1) || ldb < shape_b.0.max(1) || ldc < m.max(1) {
            return Err(BLAS_INVALID_VALUE);
        }
        let (alpha, beta) = (Scalar::<T>::given(h, alpha)?, Scalar::<T>::given(h, beta)?);
        let a = Operand::matrix(name, "A", a, shape_a, lda);
        let b = Operand::matrix(name, "B", b, shape_b, ldb);
        let c = Operand::matrix(name, "C", c, (m, n), ldc);
        s.note(format!("m={m} n={n} k={k} batch={batch}"));
        enqueue(s, h, name, move |memory| {
            let (alpha, beta) = (alpha.value(memory, name)?, beta.value(memory, name)?);
            for index in 0..batch {
                let c = c.stepped(stride_c, index, T::SIZE);
                // Where alpha is 0, A and B are not read.
                let sums = if alpha == T::default() {
                    vec![T::default(); m * n]
                } else {
                    let a = read_operation(&a.stepped(stride_a, index, T::SIZE), ta, memory)?;
                    let b = read_operation(&b.stepped(stride_b, index, T::SIZE), tb, memory)?;
                    product(&a, &b, (m, n, k))
                };
                blend(memory, &c, &sums, alpha, beta)?;
            }
            Ok(())
        })
    })
}

#[allow(clippy::too_many_arguments)]
fn gemm<T: Real>(
    name: &'static str,
    handle: Handle,
    operation_a: c_int,
    operation_b: c_int,
    m: c_int,
    n: c_int,
    k: c_int,
    alpha: u64,
    a: u64,
    lda: c_int,
    b: u64,
    ldb: c_int,
    beta: u64,
    c: u64,
    ldc: c_int,
) -> Status {
    gemm_batched::<T>(name, handle, operation_a, operation_b, m, n, k, alpha, a, lda, 0, b, ldb, 0, beta, c, ldc, 0, 1)
}

/// `C = alpha op(A) op(A)' + beta C`, of which one triangle is read and written.
#[allow(clippy::too_many_arguments)]
fn syrk<T: Real>(
    name: &'static str,
    handle: Handle,
    fill: c_int,
    operation: c_int,
    n: c_int,
    k: c_int,
    alpha: u64,
    a: u64,
    lda: c_int,
    beta: u64,
    c: u64,
    ldc: c_int,
) -> Status {
    library_call(name, Library::Blas, handle, |s, h| {
        let (Some(part), Some(transposed)) = (triangle(fill), is_transposed(operation)) else {
            return Err(BLAS_INVALID_VALUE);
        };
        let size = |v| size(v, h.library);
        let (n, k, lda, ldc) = (size(n)?, size(k)?, size(lda)?, size(ldc)?);
        let shape = if transposed { (k, n) } else { (n, k) };
        if lda < shape.0.max(1) || ldc < n.max(1) {
            return Err(BLAS_INVALID_VALUE);
        }
        let (alpha, beta) = (Scalar::<T>::given(h, alpha)?, Scalar::<T>::given(h, beta)?);
        let a = Operand::matrix(name, "A", a, shape, lda);
        let c = Operand::matrix(name, "C", c, (n, n), ldc).part(part);
        enqueue(s, h, name, move |memory| {
            let (alpha, beta) = (alpha.value(memory, name)?, beta.value(memory, name)?);
            let a = read_operation(&a, transposed, memory)?;
            let sums = product(&a, &transpose(&a, n, k), (n, n, k));
            blend(memory, &c, &sums, alpha, beta)
        })
    })
}

/// Solves `op(A) X = alpha B` (side 0) or `X op(A) = alpha B` (side 1) for a triangle A; X takes the place of B.
#[allow(clippy::too_many_arguments)]
fn trsm<T: Real>(
    name: &'static str,
    handle: Handle,
    side: c_int,
    fill: c_int,
    operation: c_int,
    diagonal: c_int,
    m: c_int,
    n: c_int,
    alpha: u64,
    a: u64,
    lda: c_int,
    b: u64,
    ldb: c_int,
) -> Status {
    library_call(name, Library::Blas, handle, |s, h| {
        let (Some(part), Some(transposed)) = (triangle(fill), is_transposed(operation)) else {
            return Err(BLAS_INVALID_VALUE);
        };
        let size = |v| size(v, h.library);
        let (m, n, lda, ldb) = (size(m)?, size(n)?, size(lda)?, size(ldb)?);
        let (right, unit) = (side == 1, diagonal == 1);
        let order = if right { n } else { m };
        if lda < order.max(1) || ldb < m.max(1) || !(0..=1).contains(&side) || !(0..=1).contains(&diagonal) {
            return Err(BLAS_INVALID_VALUE);
        }
        let alpha = Scalar::<T>::given(h, alpha)?;
        let a = Operand::matrix(name, "A", a, (order, order), lda).part(part);
        let b = Operand::matrix(name, "B", b, (m, n), ldb);
        enqueue(s, h, name, move |memory| {
            let alpha = alpha.value(memory, name)?;
            // From the right it is the transposed system.
            let turned = transposed != right;
            let a: Vec<T> = read_operation(&a, turned, memory)?;
            let values: Vec<T> = b.read(memory)?;
            let mut x = if right { transpose(&values, m, n) } else { values };
            x.iter_mut().for_each(|x| *x = alpha * *x);
            let lower = (part == Part::Lower) != turned;
            for column in x.chunks_exact_mut(order.max(1)) {
                solve_triangle(&a, lower, unit, column);
            }
            b.write(memory, &if right { transpose(&x, n, m) } else { x })
        })
    })
}

/// Solves `A x = b` in place for a triangle A by columns.
pub(crate) fn solve_triangle<T: Real>(a: &[T], lower: bool, unit: bool, x: &mut [T]) {
    let n = x.len();
    for step in 0..n {
        let j = if lower { step } else { n - 1 - step };
        if !unit {
            x[j] = x[j] / a[j * n + j];
        }
        let (value, column) = (-x[j], &a[j * n..(j + 1) * n]);
        if lower {
            add_scaled(&mut x[j + 1..], value, &column[j + 1..]);
        } else {
            add_scaled(&mut x[..j], value, &column[..j]);
        }
    }
}

export!(gemm: cublasSgemm_v2, cublasDgemm_v2(
    handle: Handle, operation_a: c_int, operation_b: c_int, m: c_int, n: c_int, k: c_int, alpha: u64, a: u64,
    lda: c_int, b: u64, ldb: c_int, beta: u64, c: u64, ldc: c_int
));
export!(gemm_batched: cublasSgemmStridedBatched, cublasDgemmStridedBatched(
    handle: Handle, operation_a: c_int, operation_b: c_int, m: c_int, n: c_int, k: c_int, alpha: u64, a: u64,
    lda: c_int, stride_a: i64, b: u64, ldb: c_int, stride_b: i64, beta: u64, c: u64, ldc: c_int, stride_c: i64,
    batch: c_int
));
export!(syrk: cublasSsyrk_v2, cublasDsyrk_v2(
    handle: Handle, fill: c_int, operation: c_int, n: c_int, k: c_int, alpha: u64, a: u64, lda: c_int, beta: u64,
    c: u64, ldc: c_int
));
export!(trsm: cublasStrsm_v2, cublasDtrsm_v2(
    handle: Handle, side: c_int, fill: c_int, operation: c_int, diagonal: c_int, m: c_int, n: c_int, alpha: u64,
    a: u64, lda: c_int, b: u64, ldb: c_int
));
