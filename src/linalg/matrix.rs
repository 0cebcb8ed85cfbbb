//! A dense matrix of doubles, row-major as a tensor is.

use std::fmt;
use std::ops::{Index, IndexMut};

use super::Shared;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, MatMut, MatRef, Par};

/// A dense matrix.
#[derive(Clone, PartialEq, Default)]
pub struct Matrix {
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub cols: usize,
    /// Entries, row by row.
    pub data: Shared<f64>,
}

impl Matrix {
    /// The matrix of these entries, row by row; as many as it has places.
    pub fn new(rows: usize, cols: usize, data: impl Into<Shared<f64>>) -> Matrix {
        let data = data.into();
        assert_eq!(rows * cols, data.len(), "entries fill the matrix");
        Matrix { rows, cols, data }
    }

    /// Zeros.
    pub fn zeros(rows: usize, cols: usize) -> Matrix {
        Matrix { rows, cols, data: vec![0.0; rows * cols].into() }
    }

    /// The identity.
    pub fn identity(n: usize) -> Matrix {
        Matrix::diagonal(&vec![1.0; n])
    }

    /// The square matrix with that diagonal.
    pub fn diagonal(entries: &[f64]) -> Matrix {
        let n = entries.len();
        let mut matrix = Matrix::zeros(n, n);
        matrix.data.iter_mut().step_by(n + 1).zip(entries).for_each(|(to, &entry)| *to = entry);
        matrix
    }

    /// The matrix whose entry at `(i, j)` is `entry(i, j)`.
    pub fn from_fn(rows: usize, cols: usize, mut entry: impl FnMut(usize, usize) -> f64) -> Matrix {
        let places = (0..rows).flat_map(|i| (0..cols).map(move |j| (i, j)));
        let data: Shared<f64> = places.map(|(i, j)| entry(i, j)).collect();
        Matrix { rows, cols, data }
    }

    /// The matrix of running sums: ones on and below the diagonal, or on and above it from the end.
    pub fn running_sums(n: usize, reverse: bool) -> Matrix {
        Matrix::from_fn(n, n, |i, j| f64::from(if reverse { j >= i } else { j <= i }))
    }

    /// A row.
    pub fn row(&self, i: usize) -> &[f64] {
        &self.data[i * self.cols..][..self.cols]
    }

    /// The transpose, by blocks that a cache holds.
    pub fn transpose(&self) -> Matrix {
        const BLOCK: usize = 32;
        let mut to = vec![0.0; self.cols * self.rows];
        for top in (0..self.rows).step_by(BLOCK) {
            for left in (0..self.cols).step_by(BLOCK) {
                for i in top..self.rows.min(top + BLOCK) {
                    let row = &self.row(i)[left..self.cols.min(left + BLOCK)];
                    row.iter().enumerate().for_each(|(j, &x)| to[(left + j) * self.rows + i] = x);
                }
            }
        }
        Matrix::new(self.cols, self.rows, to)
    }

    /// `self · other`
    pub fn matmul(&self, other: &Matrix) -> Matrix {
        assert_eq!(self.cols, other.rows, "inner extents agree");
        let mut product = Matrix::zeros(self.rows, other.cols);
        let to = MatMut::from_row_major_slice_mut(&mut product.data, self.rows, other.cols);
        faer::linalg::matmul::matmul(to, Accum::Replace, self.as_faer(), other.as_faer(), 1.0, Par::Seq);
        product
    }

    /// `MᵀM`
    pub fn gram(&self) -> Matrix {
        let n = self.cols;
        let mut product = Matrix::zeros(n, n);
        let m = self.as_faer();
        let to = MatMut::from_row_major_slice_mut(&mut product.data, n, n);
        let (low, full) = (BlockStructure::TriangularLower, BlockStructure::Rectangular);
        triangular::matmul(to, low, Accum::Replace, m.transpose(), full, m, full, 1.0, Par::Seq);
        let entries = &mut product.data[..];
        for i in 0..n {
            for j in 0..i {
                entries[j * n + i] = entries[i * n + j];
            }
        }
        product
    }

    /// `Mᵀ diag(w) M`
    pub fn weighted_gram(&self, weights: &[f64]) -> Matrix {
        let first = weights.first().copied().unwrap_or(0.0);
        if weights.iter().all(|&w| w == first) {
            let mut product = self.gram();
            product.data.iter_mut().for_each(|x| *x *= first);
            return product;
        }
        let mut weighted = self.clone();
        for (row, w) in weighted.data.chunks_exact_mut(self.cols.max(1)).zip(weights) {
            row.iter_mut().for_each(|x| *x *= w);
        }
        self.transpose().matmul(&weighted)
    }

    /// `self + s·I`
    pub fn add_diagonal(mut self, s: f64) -> Matrix {
        (0..self.rows).for_each(|i| self[(i, i)] += s);
        self
    }

    /// `self + scale · other`
    pub fn add_scaled(mut self, scale: f64, other: &Matrix) -> Matrix {
        assert_eq!((self.rows, self.cols), (other.rows, other.cols), "summands have one shape");
        for (to, &from) in self.data.iter_mut().zip(&other.data) {
            *to += scale * from;
        }
        self
    }

    /// Every entry is finite.
    pub fn is_finite(&self) -> bool {
        self.data.iter().all(|x| x.is_finite())
    }

    /// Whether it equals its transpose to within `tolerance` times its greatest entry.
    pub fn is_symmetric(&self, tolerance: f64) -> bool {
        let bound = tolerance * self.data.iter().fold(0.0f64, |m, x| m.max(x.abs()));
        self.rows == self.cols && (0..self.rows).all(|i| (0..i).all(|j| (self[(i, j)] - self[(j, i)]).abs() <= bound))
    }

    /// The same entries as faer sees them.
    pub fn as_faer(&self) -> MatRef<'_, f64> {
        MatRef::from_row_major_slice(&self.data, self.rows, self.cols)
    }

    /// A copy of faer's matrix.
    pub fn from_faer(from: MatRef<'_, f64>) -> Matrix {
        Matrix::from_fn(from.nrows(), from.ncols(), |i, j| from[(i, j)])
    }
}

impl Index<(usize, usize)> for Matrix {
    type Output = f64;

    fn index(&self, (i, j): (usize, usize)) -> &f64 {
        &self.data[i * self.cols + j]
    }
}

impl IndexMut<(usize, usize)> for Matrix {
    fn index_mut(&mut self, (i, j): (usize, usize)) -> &mut f64 {
        &mut self.data[i * self.cols + j]
    }
}

impl fmt::Debug for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}×{} {:?}", self.rows, self.cols, self.data)
    }
}
