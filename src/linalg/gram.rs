//! What `MᵀM` looks like, and bounds of `‖M‖`.
//!
//! A step with a proximal operator is closed when `MᵀM = κI`, separable when it is diagonal. An
//! orthogonal matrix read from a file is so only up to rounding: off-diagonal entries below
//! `4·rows·EPS·‖mᵢ‖‖mⱼ‖`, the bound of a dot product's rounding, count as zero.

use super::{Csr, Operator};

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
            _ => measured(&self.to_sparse()),
        }
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
