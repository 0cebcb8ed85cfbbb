//! Symmetric matrices with their structure kept: the `P` of a quadratic, the `MᵀM` of an operator.
//!
//! A [`Sum`] of products says which structure it has.

use std::fmt;
use std::sync::Arc;

use super::symbolic::Symbolic;
use super::{Csr, Matrix, Operator, Sum, factor};

/// A symmetric matrix.
#[derive(Debug, Clone, PartialEq)]
pub enum Curvature {
    /// Its diagonal.
    Diagonal(Vec<f64>),
    /// All of it.
    Dense(Arc<Matrix>),
    /// The entries that are not zero, of both triangles.
    Sparse(Arc<Csr>),
    /// `B + Kᵀ diag(w) K`
    Factored(Arc<Factored>),
    /// `I ⊗ S ⊗ I`: the same matrix for every row and column around.
    Repeated {
        /// Order of the first identity.
        left: usize,
        /// `S`
        inner: Arc<Curvature>,
        /// Order of the last identity.
        right: usize,
    },
}

/// `B + Kᵀ diag(w) K`
#[derive(Debug, Clone, PartialEq)]
pub struct Factored {
    /// `B`, diagonal or sparse.
    pub base: Curvature,
    /// `K`
    pub factor: Operator,
    /// `w`, none of them zero.
    pub weights: Vec<f64>,
}

/// Order up to which definiteness of a matrix without a telling structure is tested by a dense factor.
const TESTED: usize = 4096;

/// How far below zero, relative to the largest, an eigenvalue of a semidefinite matrix may lie that was
/// read from a file: ten digits is what people write. (CVXPY draws the line there, too.)
const WRITTEN: f64 = 1e-10;

impl Curvature {
    /// `s·I`
    pub fn scaled_identity(s: f64, n: usize) -> Curvature {
        Curvature::Diagonal(vec![s; n])
    }

    /// The number `s` where it is `s·I`.
    pub fn scale(&self) -> Option<f64> {
        match self {
            Curvature::Diagonal(d) => {
                let first = d.first().copied().unwrap_or(0.0);
                d.iter().all(|&x| x == first).then_some(first)
            }
            _ => None,
        }
    }

    /// Rows.
    pub fn n(&self) -> usize {
        match self {
            Curvature::Diagonal(d) => d.len(),
            Curvature::Dense(m) => m.rows,
            Curvature::Sparse(m) => m.rows,
            Curvature::Factored(it) => it.base.n(),
            Curvature::Repeated { left, inner, right } => left * inner.n() * right,
        }
    }

    /// Its diagonal.
    pub fn diagonal(&self) -> Vec<f64> {
        match self {
            Curvature::Diagonal(d) => d.clone(),
            Curvature::Dense(m) => (0..m.rows).map(|i| m[(i, i)]).collect(),
            Curvature::Sparse(m) => {
                let mut d = vec![0.0; m.rows];
                m.entries().filter(|&(i, j, _)| i == j).for_each(|(i, _, value)| d[i] = value);
                d
            }
            Curvature::Factored(it) => {
                let mut d = it.base.diagonal();
                let own = it.factor.column_squares(&it.weights);
                d.iter_mut().zip(own).for_each(|(d, own)| *d += own);
                d
            }
            Curvature::Repeated { left, inner, right } => {
                let inner = inner.diagonal();
                let one = inner.iter().flat_map(|&x| std::iter::repeat_n(x, *right));
                std::iter::repeat_n(one.collect::<Vec<f64>>(), *left).flatten().collect()
            }
        }
    }

    /// `y += alpha · S x`
    pub fn accumulate(&self, alpha: f64, x: &[f64], y: &mut [f64]) {
        match self {
            Curvature::Diagonal(d) => y.iter_mut().zip(d).zip(x).for_each(|((y, d), x)| *y += alpha * d * x),
            Curvature::Dense(m) => Operator::Dense(m.clone()).accumulate(alpha, x, y, false),
            Curvature::Sparse(m) => m.accumulate(alpha, x, y, false),
            Curvature::Factored(it) => {
                it.base.accumulate(alpha, x, y);
                let mut product = it.factor.apply(x);
                product.iter_mut().zip(&it.weights).for_each(|(x, w)| *x *= w);
                it.factor.accumulate(alpha, &product, y, true);
            }
            Curvature::Repeated { left, inner, right } => {
                let n = inner.n();
                let (mut from, mut to) = (vec![0.0; n], vec![0.0; n]);
                for start in (0..*left).flat_map(|l| (0..*right).map(move |r| l * n * right + r)) {
                    from.iter_mut().enumerate().for_each(|(i, from)| *from = x[start + i * right]);
                    to.fill(0.0);
                    inner.accumulate(alpha, &from, &mut to);
                    to.iter().enumerate().for_each(|(i, to)| y[start + i * right] += to);
                }
            }
        }
    }

    /// All entries.
    pub fn to_dense(&self) -> Matrix {
        match self {
            Curvature::Diagonal(d) => Matrix::diagonal(d),
            Curvature::Dense(m) => m.as_ref().clone(),
            Curvature::Sparse(m) => m.to_dense(),
            Curvature::Factored(it) => {
                let base = it.base.to_dense();
                let k = it.factor.to_dense();
                k.weighted_gram(&it.weights).add_scaled(1.0, &base)
            }
            Curvature::Repeated { .. } => self.to_sparse().to_dense(),
        }
    }

    /// The entries that are not zero.
    pub fn to_sparse(&self) -> Csr {
        match self {
            Curvature::Diagonal(d) => {
                Csr::from_triplets(d.len(), d.len(), d.iter().enumerate().map(|(i, &x)| (i, i, x)).collect())
            }
            Curvature::Dense(m) => Csr::from_dense(m),
            Curvature::Sparse(m) => m.as_ref().clone(),
            Curvature::Factored(it) => it.base.to_sparse().add(&sparse_product(&it.factor, &it.factor, &it.weights)),
            Curvature::Repeated { left, inner, right } => {
                let inner = Operator::from(inner.to_sparse());
                Operator::kronecker(Operator::Identity(*left), Operator::kronecker(inner, Operator::Identity(*right)))
                    .to_sparse()
            }
        }
    }

    /// Entries that are not zero once everything is multiplied out, and the multiplications that takes;
    /// upper bounds.
    pub fn entries(&self) -> (f64, f64) {
        let n = self.n() as f64;
        match self {
            Curvature::Diagonal(_) => (n, 0.0),
            Curvature::Dense(_) => (n * n, 0.0),
            Curvature::Sparse(m) => (m.nnz() as f64, 0.0),
            Curvature::Factored(it) => {
                let squares: f64 = it.factor.row_counts().iter().map(|&r| (r as f64).powi(2)).sum();
                ((it.base.entries().0 + squares).min(n * n), squares)
            }
            Curvature::Repeated { left, inner, right } => {
                let times = (left * right) as f64;
                let (entries, flops) = inner.entries();
                (times * entries, flops)
            }
        }
    }

    /// Whether it is known to be positive semidefinite, up to rounding.
    pub fn is_semidefinite(&self) -> bool {
        // Rounding of an eigenvalue: n EPS times the largest, which no row sum is below. A matrix that was
        // written down in decimals is off by its last digit, though.
        let margin = |largest: f64| (4.0 * self.n() as f64 * f64::EPSILON).max(WRITTEN) * largest;
        match self {
            Curvature::Diagonal(d) => d.iter().all(|&x| x >= 0.0),
            Curvature::Dense(m) => {
                let row = |i: usize| m.row(i).iter().map(|x| x.abs()).sum::<f64>();
                let largest = (0..m.rows).map(row).fold(0.0, f64::max);
                let lifted = m.as_ref().clone().add_diagonal(margin(largest));
                largest == 0.0 || factor::cholesky(&lifted).is_some()
            }
            Curvature::Sparse(m) => {
                let row = |i: usize| m.row(i).map(|(_, x)| x.abs()).sum::<f64>();
                let largest = (0..m.rows).map(row).fold(0.0, f64::max);
                let lifted = m.add(&Curvature::scaled_identity(margin(largest), m.rows).to_sparse());
                largest == 0.0 || is_definite(&lifted)
            }
            Curvature::Factored(it) if it.weights.iter().all(|&w| w >= 0.0) && it.base.is_semidefinite() => true,
            Curvature::Factored(it) if it.base.n() <= TESTED => Curvature::from(self.to_dense()).is_semidefinite(),
            // Too large to be told: not known to be.
            Curvature::Factored(_) => false,
            Curvature::Repeated { inner, .. } => inner.is_semidefinite(),
        }
    }

    /// The sum of some of them, each times a number.
    pub fn sum(parts: &[(f64, &Curvature)]) -> Curvature {
        let n = parts.first().expect("a sum has a term").1.n();
        let mut sum = Sum::new(n);
        parts.iter().for_each(|&(s, part)| sum.add(s, part));
        sum.finish()
    }
}

/// Structure and extents: `2·I[3]`, `dense[4, 4]`, `diagonal[9] + KᵀK, K 3×9`.
impl fmt::Display for Curvature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Curvature::Diagonal(d) => match self.scale() {
                Some(s) => write!(f, "{s}·I[{}]", d.len()),
                None => write!(f, "diagonal[{}]", d.len()),
            },
            Curvature::Dense(m) => write!(f, "dense[{}, {}]", m.rows, m.cols),
            Curvature::Sparse(m) => write!(f, "sparse[{}, {}] of {} entries", m.rows, m.cols, m.nnz()),
            Curvature::Factored(it) => {
                if it.base.scale() != Some(0.0) {
                    write!(f, "{} + ", it.base)?;
                }
                let first = it.weights[0];
                let weight = match it.weights.iter().all(|&w| w == first) {
                    true if first == 1.0 => String::new(),
                    true => format!("{first}·"),
                    false => "weighted ".to_string(),
                };
                write!(f, "{weight}KᵀK, K {}×{}", it.factor.rows(), it.factor.cols())
            }
            Curvature::Repeated { left, inner, right } => write!(f, "{} times {inner}", left * right),
        }
    }
}

impl From<Matrix> for Curvature {
    fn from(matrix: Matrix) -> Curvature {
        Curvature::Dense(Arc::new(matrix))
    }
}

impl From<Csr> for Curvature {
    fn from(matrix: Csr) -> Curvature {
        Curvature::Sparse(Arc::new(matrix))
    }
}

/// Whether a sparse symmetric matrix has a factor with positive pivots.
pub fn is_definite(matrix: &Csr) -> bool {
    Symbolic::solve_once(&matrix.lower(), 0, &mut vec![0.0; matrix.rows])
}

/// `aᵀ diag(w) b`
pub(super) fn sparse_product(a: &Operator, b: &Operator, weights: &[f64]) -> Csr {
    let left = a.to_sparse();
    // Most often it is a square, and an operator of many parts takes longer to multiply out than to compare.
    let mut right = if a == b { left.clone() } else { b.to_sparse() };
    for (i, weight) in weights.iter().enumerate().take(right.rows) {
        right.values[right.starts[i]..right.starts[i + 1]].iter_mut().for_each(|x| *x *= weight);
    }
    left.transpose().matmul(&right)
}
