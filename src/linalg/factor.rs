//! Factorisations, by faer, in one thread: the same bits whatever `--threads` says.
//!
//! `None` says that there is no such factorisation (not positive definite, not finite).

use faer::linalg::solvers::Solve;
use faer::{MatMut, Side};

use super::Matrix;

/// `A = LLᵀ`
#[derive(Debug)]
pub struct Cholesky(faer::linalg::solvers::Llt<f64>);

/// `A = LBLᵀ` of a symmetric matrix, definite or not (Bunch–Kaufman).
#[derive(Debug)]
pub struct Symmetric(faer::linalg::solvers::Lblt<f64>);

/// `A = V diag(values) Vᵀ` of a symmetric matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct Eigen {
    /// Eigenvalues, ascending.
    pub values: Vec<f64>,
    /// Eigenvectors, the columns.
    pub vectors: Matrix,
}

/// `A = U diag(values) Vᵀ`, thin.
#[derive(Debug, Clone, PartialEq)]
pub struct Svd {
    /// Left singular vectors, the columns.
    pub u: Matrix,
    /// Singular values, descending.
    pub values: Vec<f64>,
    /// Right singular vectors, the columns.
    pub v: Matrix,
}

/// Factor of a symmetric positive definite matrix, of which the lower triangle is read.
pub fn cholesky(a: &Matrix) -> Option<Cholesky> {
    a.is_finite().then(|| a.as_faer().llt(Side::Lower).ok().map(Cholesky)).flatten()
}

/// Factor of a symmetric matrix, of which the lower triangle is read.
pub fn symmetric(a: &Matrix) -> Option<Symmetric> {
    a.is_finite().then(|| Symmetric(a.as_faer().lblt(Side::Lower)))
}

/// Eigenvalues and eigenvectors of a symmetric matrix, of which the lower triangle is read.
pub fn eigen(a: &Matrix) -> Option<Eigen> {
    if !a.is_finite() {
        return None;
    }
    let eigen = a.as_faer().self_adjoint_eigen(Side::Lower).ok()?;
    let values = (0..a.rows).map(|i| eigen.S()[i]).collect();
    Some(Eigen { values, vectors: Matrix::from_faer(eigen.U()) })
}

/// Thin singular value decomposition.
pub fn svd(a: &Matrix) -> Option<Svd> {
    if !a.is_finite() {
        return None;
    }
    let svd = a.as_faer().thin_svd().ok()?;
    let values = (0..a.rows.min(a.cols)).map(|i| svd.S()[i]).collect();
    Some(Svd { u: Matrix::from_faer(svd.U()), values, v: Matrix::from_faer(svd.V()) })
}

/// The shortest `x` that minimises `‖Ax − b‖`.
pub fn least_squares(a: &Matrix, b: &[f64]) -> Option<Vec<f64>> {
    let svd = svd(a)?;
    let rank = svd.rank(a.rows.max(a.cols));
    let mut x = vec![0.0; a.cols];
    for k in 0..rank {
        let along: f64 = (0..a.rows).map(|i| svd.u[(i, k)] * b[i]).sum::<f64>() / svd.values[k];
        for (j, x) in x.iter_mut().enumerate() {
            *x += along * svd.v[(j, k)];
        }
    }
    Some(x)
}

impl Svd {
    /// Number of singular values above `extent · EPS ·` the greatest, where `extent` is the matrix's
    /// greater one.
    pub fn rank(&self, extent: usize) -> usize {
        let cut = self.values.first().map_or(0.0, |&greatest| greatest * extent as f64 * f64::EPSILON);
        self.values.iter().filter(|&&s| s > cut).count()
    }
}

impl Cholesky {
    /// `L`, zeros above its diagonal.
    pub fn lower(&self) -> Matrix {
        Matrix::from_faer(self.0.L())
    }

    /// Solves `Ax = b` in place.
    pub fn solve(&self, b: &mut [f64]) {
        let n = b.len();
        self.0.solve_in_place(MatMut::from_column_major_slice_mut(b, n, 1));
    }

    /// `log det A`
    pub fn log_det(&self) -> f64 {
        let l = self.0.L();
        (0..l.nrows()).map(|i| 2.0 * l[(i, i)].ln()).sum()
    }
}

impl Symmetric {
    /// Solves `Ax = b` in place.
    pub fn solve(&self, b: &mut [f64]) {
        let n = b.len();
        self.0.solve_in_place(MatMut::from_column_major_slice_mut(b, n, 1));
    }
}
