//! What `MᵀM` looks like, and bounds of `‖M‖`.
//!
//! A step with a proximal operator is closed when `MᵀM = κI`, separable when it is diagonal. An
//! orthogonal matrix read from a file is so only up to rounding: off-diagonal entries below
//! `4·rows·EPS·‖mᵢ‖‖mⱼ‖`, the bound of a dot product's rounding, count as zero.

use super::{Csr, Matrix, Operator};

/// The structure of `MᵀM`.
#[derive(Debug, Clone, PartialEq)]
pub enum Gram {
    /// `κI`; `κ = 0` where `M` is zero.
    Scaled(f64),
    /// Diagonal, entries not all equal.
    Diagonal(Vec<f64>),
    /// Neither.
    General,
}

impl Gram {
    /// Of a diagonal, up to the rounding of a sum of `terms` squares.
    fn of_diagonal(d: Vec<f64>, terms: usize) -> Gram {
        let (low, high) = d.iter().fold((f64::INFINITY, 0.0f64), |(low, high), &x| (low.min(x), high.max(x)));
        if d.is_empty() {
            return Gram::Scaled(0.0);
        }
        // The first entry stands for all: it is exact where the entries are.
        if high - low <= rounding(terms) * high { Gram::Scaled(d[0]) } else { Gram::Diagonal(d) }
    }

    /// The diagonal of an `n×n` one, where it is diagonal.
    pub fn diagonal(&self, n: usize) -> Option<Vec<f64>> {
        match self {
            Gram::Scaled(k) => Some(vec![*k; n]),
            Gram::Diagonal(d) => Some(d.clone()),
            Gram::General => None,
        }
    }
}

fn rounding(terms: usize) -> f64 {
    4.0 * terms as f64 * f64::EPSILON
}

impl Operator {
    /// What `MᵀM` looks like.
    pub fn gram(&self) -> Gram {
        match self {
            Operator::Zero { .. } => Gram::Scaled(0.0),
            Operator::Identity(_) => Gram::Scaled(1.0),
            Operator::Scale(s, _) => Gram::Scaled(s * s),
            Operator::Diagonal(d) => Gram::of_diagonal(d.iter().map(|x| x * x).collect(), 1),
            Operator::Scaled(s, m) => match m.gram() {
                Gram::Scaled(k) => Gram::Scaled(s * s * k),
                Gram::Diagonal(d) => Gram::Diagonal(d.into_iter().map(|x| s * s * x).collect()),
                Gram::General => Gram::General,
            },
            Operator::Block(parts) => {
                let diagonals: Option<Vec<_>> = parts.iter().map(|m| m.gram().diagonal(m.cols())).collect();
                diagonals.map_or(Gram::General, |d| Gram::of_diagonal(d.concat(), 1))
            }
            Operator::Stack(parts) => {
                let diagonals: Option<Vec<_>> = parts.iter().map(|m| m.gram().diagonal(m.cols())).collect();
                match diagonals {
                    Some(diagonals) => Gram::of_diagonal(add_up(&diagonals), parts.len()),
                    // Off-diagonal entries may cancel between the parts.
                    None => measured(&self.to_sparse()),
                }
            }
            Operator::Compose(l, r) => match l.gram() {
                Gram::Scaled(k) => Operator::Scaled(k.sqrt(), r.clone()).gram(),
                _ => measured(&self.to_sparse()),
            },
            Operator::Kronecker(l, r) => match (l.gram().diagonal(l.cols()), r.gram().diagonal(r.cols())) {
                (Some(a), Some(b)) => {
                    Gram::of_diagonal(a.iter().flat_map(|a| b.iter().map(move |b| a * b)).collect(), 1)
                }
                _ => measured(&self.to_sparse()),
            },
            Operator::Dense(m) => measured_dense(m),
            _ => measured(&self.to_sparse()),
        }
    }

    /// Entries of each row that may differ from zero.
    pub fn row_counts(&self) -> Vec<usize> {
        let (rows, cols) = self.extents();
        let mut counts = match self {
            Operator::Zero { .. } => vec![0; rows],
            Operator::Identity(_) | Operator::Scale(..) | Operator::Diagonal(_) => vec![1; rows],
            Operator::Dense(_) => vec![cols; rows],
            Operator::Sparse(m) => m.starts.windows(2).map(|w| w[1] - w[0]).collect(),
            Operator::Scaled(_, m) => m.row_counts(),
            Operator::Stack(parts) | Operator::Block(parts) => parts.iter().flat_map(Operator::row_counts).collect(),
            Operator::HStack(parts) | Operator::Sum(parts) => {
                let mut counts = vec![0; rows];
                for part in parts {
                    counts.iter_mut().zip(part.row_counts()).for_each(|(sum, own)| *sum += own);
                }
                counts
            }
            Operator::Compose(l, r) => match (l.as_ref(), r.row_counts()) {
                (l, r) if l.diagonal().is_some() => r,
                (Operator::Sparse(l), r) => (0..rows).map(|i| l.row(i).map(|(j, _)| r[j]).sum::<usize>()).collect(),
                (l, r) => {
                    let widest = r.into_iter().max().unwrap_or(0);
                    l.row_counts().into_iter().map(|count| count * widest).collect()
                }
            },
            Operator::Kronecker(l, r) => {
                let right = r.row_counts();
                l.row_counts().into_iter().flat_map(|a| right.iter().map(move |b| a * b)).collect()
            }
            Operator::Adjoint(_) => self.to_sparse().starts.windows(2).map(|w| w[1] - w[0]).collect(),
        };
        counts.iter_mut().for_each(|count| *count = (*count).min(cols));
        counts
    }

    /// The square of every row's length.
    pub fn row_squares(&self) -> Vec<f64> {
        let square = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>();
        match self {
            Operator::Identity(_) | Operator::Scale(..) | Operator::Diagonal(_) => {
                self.diagonal().unwrap_or_default().iter().map(|x| x * x).collect()
            }
            Operator::Dense(m) => (0..m.rows).map(|i| square(m.row(i))).collect(),
            Operator::Scaled(s, m) => m.row_squares().iter().map(|x| s * s * x).collect(),
            Operator::Stack(parts) | Operator::Block(parts) => parts.iter().flat_map(Operator::row_squares).collect(),
            m => {
                let m = m.to_sparse();
                (0..m.rows).map(|i| m.row(i).map(|(_, x)| x * x).sum()).collect()
            }
        }
    }

    /// The diagonal of `Mᵀ diag(w) M`.
    pub fn column_squares(&self, weights: &[f64]) -> Vec<f64> {
        let mut squares = vec![0.0; self.cols()];
        match self {
            Operator::Identity(_) | Operator::Scale(..) | Operator::Diagonal(_) => {
                let diagonal = self.diagonal().unwrap_or_default();
                squares = weights.iter().zip(&diagonal).map(|(w, x)| w * x * x).collect();
            }
            Operator::Dense(m) => {
                for (i, w) in weights.iter().enumerate() {
                    squares.iter_mut().zip(m.row(i)).for_each(|(sum, x)| *sum += w * x * x);
                }
            }
            Operator::Scaled(s, m) => {
                squares = m.column_squares(weights);
                squares.iter_mut().for_each(|x| *x *= s * s);
            }
            Operator::Stack(parts) => {
                let mut start = 0;
                for part in parts {
                    let own = part.column_squares(&weights[start..start + part.rows()]);
                    squares.iter_mut().zip(own).for_each(|(sum, x)| *sum += x);
                    start += part.rows();
                }
            }
            Operator::HStack(parts) => return parts.iter().flat_map(|part| part.column_squares(weights)).collect(),
            m => m.to_sparse().entries().for_each(|(i, j, x)| squares[j] += weights[i] * x * x),
        }
        squares
    }

    /// An upper bound of the spectral norm: `min(‖M‖_F, √(‖M‖₁‖M‖∞))`, taken part by part.
    pub fn norm_bound(&self) -> f64 {
        let root = |parts: &[Operator]| parts.iter().map(|m| m.norm_bound().powi(2)).sum::<f64>().sqrt();
        match self {
            Operator::Zero { .. } => 0.0,
            Operator::Identity(_) => 1.0,
            Operator::Scale(s, _) => s.abs(),
            Operator::Diagonal(d) => d.iter().fold(0.0, |norm, x| x.abs().max(norm)),
            Operator::Scaled(s, m) => s.abs() * m.norm_bound(),
            Operator::Adjoint(m) => m.norm_bound(),
            Operator::Compose(l, r) | Operator::Kronecker(l, r) => l.norm_bound() * r.norm_bound(),
            Operator::Block(parts) => parts.iter().map(Operator::norm_bound).fold(0.0, f64::max),
            Operator::Stack(parts) | Operator::HStack(parts) => root(parts).min(matrix_bound(&self.to_sparse())),
            Operator::Sum(terms) => {
                let triangle: f64 = terms.iter().map(Operator::norm_bound).sum();
                triangle.min(matrix_bound(&self.to_sparse()))
            }
            Operator::Dense(_) | Operator::Sparse(_) => matrix_bound(&self.to_sparse()),
        }
    }
}

fn add_up(diagonals: &[Vec<f64>]) -> Vec<f64> {
    let mut sum = vec![0.0; diagonals.first().map_or(0, Vec::len)];
    for d in diagonals {
        sum.iter_mut().zip(d).for_each(|(sum, x)| *sum += x);
    }
    sum
}

/// By its entries, a row of `MᵀM` at a time: a matrix without structure is told after one row.
fn measured(m: &Csr) -> Gram {
    let t = m.transpose();
    let diagonal: Vec<f64> = (0..t.rows).map(|j| t.row(j).map(|(_, x)| x * x).sum()).collect();
    let mut row = vec![0.0; m.cols];
    for j in 0..t.rows {
        let mut touched = Vec::new();
        for (i, a) in t.row(j) {
            for (k, b) in m.row(i).filter(|&(k, _)| k > j) {
                row[k] += a * b;
                touched.push(k);
            }
        }
        for k in touched {
            let bound = rounding(m.rows) * (diagonal[j] * diagonal[k]).sqrt();
            let entry = std::mem::take(&mut row[k]);
            if entry.is_nan() || entry.abs() > bound {
                return Gram::General;
            }
        }
    }
    Gram::of_diagonal(diagonal, m.rows)
}

/// As [`measured`], some rows of `MᵀM` at a time.
fn measured_dense(m: &Matrix) -> Gram {
    let mut diagonal = vec![0.0; m.cols];
    for i in 0..m.rows {
        diagonal.iter_mut().zip(m.row(i)).for_each(|(sum, x)| *sum += x * x);
    }
    // One row tells a matrix without structure; then more at a time, for speed.
    let mut start = 0;
    while start < m.cols {
        let width = if start == 0 { 1 } else { 64.min(m.cols - start) };
        let columns = Matrix::from_fn(width, m.rows, |j, i| m[(i, start + j)]);
        let product = columns.matmul(m);
        for j in 0..width {
            let at = start + j;
            for k in (0..m.cols).filter(|&k| k != at) {
                let entry = product[(j, k)];
                if entry.is_nan() || entry.abs() > rounding(m.rows) * (diagonal[at] * diagonal[k]).sqrt() {
                    return Gram::General;
                }
            }
        }
        start += width;
    }
    Gram::of_diagonal(diagonal, m.rows)
}

fn matrix_bound(m: &Csr) -> f64 {
    let mut column_sums = vec![0.0; m.cols];
    let mut greatest_row = 0.0f64;
    for i in 0..m.rows {
        let mut sum = 0.0;
        for (j, x) in m.row(i) {
            sum += x.abs();
            column_sums[j] += x.abs();
        }
        greatest_row = greatest_row.max(sum);
    }
    let greatest_column = column_sums.into_iter().fold(0.0, f64::max);
    let frobenius = m.values.iter().map(|x| x * x).sum::<f64>().sqrt();
    frobenius.min((greatest_row * greatest_column).sqrt())
}
