//! Factorisations. The kernels are faer's, in one thread, so that the bits
//! do not depend on the number of threads.
//!
//! Library workspace: eigenvalues, eigenvectors, singular values and the square root allocate copies of
//! the matrix. The others allocate nothing.

use faer::dyn_stack::{MemStack, StackReq};
use faer::linalg::cholesky::llt;
use faer::traits::RealField;
use faer::{MatMut, MatRef, Par, Side};

use super::math::Real;

/// The workspace of [`cholesky`].
pub(super) fn cholesky_request<T: RealField>(n: usize) -> StackReq {
    llt::factor::cholesky_in_place_scratch::<T>(n, Par::Seq, Default::default())
}

/// Lower factor of the matrix of order `n` whose lower triangle is `a`'s; NaN throughout where there is
/// none.
pub(super) fn cholesky<T: Real + RealField>(l: &mut [T], a: &[T], n: usize, stack: &mut MemStack) {
    l.copy_from_slice(a);
    let matrix = MatMut::from_row_major_slice_mut(l, n, n);
    let factored = llt::factor::cholesky_in_place(matrix, Default::default(), Par::Seq, stack, Default::default());
    if factored.is_err() || !(0..n).all(|i| l[i * n + i] > T::ZERO) {
        l.fill(T::of(f64::NAN));
        return;
    }
    for i in 0..n {
        l[i * n + i + 1..(i + 1) * n].fill(T::ZERO);
    }
}

/// Solves `LLᵀx = b` for the columns of `b`.
pub(super) fn cholesky_solve<T: Real + RealField>(x: &mut [T], l: &[T], b: &[T], n: usize) {
    x.copy_from_slice(b);
    if n == 0 {
        return;
    }
    let l = MatRef::from_row_major_slice(l, n, n);
    let columns = x.len() / n;
    let mut x = MatMut::from_row_major_slice_mut(x, n, columns);
    faer::linalg::triangular_solve::solve_lower_triangular_in_place(l, x.as_mut(), Par::Seq);
    faer::linalg::triangular_solve::solve_upper_triangular_in_place(l.transpose(), x, Par::Seq);
}

/// Eigenvalues of a symmetric matrix, ascending; NaN throughout where it is not finite.
pub(super) fn symmetric_eigenvalues<T: Real + RealField>(y: &mut [T], a: &[T], n: usize) {
    if n == 0 {
        return;
    }
    let finite = a.iter().all(|&x| Real::is_finite(x));
    let a = MatRef::from_row_major_slice(a, n, n);
    match finite.then(|| a.self_adjoint_eigenvalues(Side::Lower)) {
        Some(Ok(values)) => y.copy_from_slice(&values),
        _ => y.fill(T::of(f64::NAN)),
    }
}

/// Eigenvalues, ascending, then the matrix whose columns are the eigenvectors; NaN throughout where the
/// matrix is not finite.
pub(super) fn symmetric_eigen<T: Real + RealField>(y: &mut [T], a: &[T], n: usize) {
    if n == 0 {
        return;
    }
    let finite = a.iter().all(|&x| Real::is_finite(x));
    let a = MatRef::from_row_major_slice(a, n, n);
    let Some(Ok(eigen)) = finite.then(|| a.self_adjoint_eigen(Side::Lower)) else {
        y.fill(T::of(f64::NAN));
        return;
    };
    let (values, vectors) = y.split_at_mut(n);
    (0..n).zip(values).for_each(|(k, value)| *value = eigen.S()[k]);
    MatMut::from_row_major_slice_mut(vectors, n, n).copy_from(eigen.U());
}

/// Singular values, descending, then the matrices whose columns are the left and the right singular
/// vectors; NaN throughout where the matrix is not finite.
pub(super) fn svd<T: Real + RealField>(y: &mut [T], a: &[T], rows: usize, columns: usize) {
    let k = rows.min(columns);
    if k == 0 {
        return;
    }
    let finite = a.iter().all(|&x| Real::is_finite(x));
    let a = MatRef::from_row_major_slice(a, rows, columns);
    let Some(Ok(svd)) = finite.then(|| a.thin_svd()) else {
        y.fill(T::of(f64::NAN));
        return;
    };
    let (values, vectors) = y.split_at_mut(k);
    let (u, v) = vectors.split_at_mut(rows * k);
    (0..k).zip(values).for_each(|(i, value)| *value = svd.S()[i]);
    MatMut::from_row_major_slice_mut(u, rows, k).copy_from(svd.U());
    MatMut::from_row_major_slice_mut(v, columns, k).copy_from(svd.V());
}

/// `A^{1/2}`; eigenvalues below zero count as zero. NaN throughout where `A` is not finite.
pub(super) fn psd_sqrt<T: Real + RealField>(y: &mut [T], a: &[T], n: usize) {
    if n == 0 {
        return;
    }
    let finite = a.iter().all(|&x| Real::is_finite(x));
    let a = MatRef::from_row_major_slice(a, n, n);
    let Some(Ok(eigen)) = finite.then(|| a.self_adjoint_eigen(Side::Lower)) else {
        y.fill(T::of(f64::NAN));
        return;
    };
    let (vectors, values) = (eigen.U(), eigen.S());
    let root = |k: usize| if values[k] < T::ZERO { T::ZERO } else { Real::sqrt(values[k]) };
    let scaled = faer::Mat::<T>::from_fn(n, n, |i, k| vectors[(i, k)] * root(k));
    let to = MatMut::from_row_major_slice_mut(y, n, n);
    faer::linalg::matmul::matmul(to, faer::Accum::Replace, &scaled, vectors.transpose(), T::ONE, Par::Seq);
}
