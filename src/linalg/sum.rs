//! Sums of products `Kᵀ diag(w) K`, and what structure a sum has.
//!
//! A product is multiplied out where that is cheap and leaves few entries, else it is kept as its factor.

use std::borrow::Cow;
use std::sync::Arc;

use super::curvature::sparse_product;
use super::{Csr, Curvature, Factored, Matrix, Operator};

/// Order up to which a matrix is written out in full without a second thought.
const SMALL: usize = 16;

/// Entries of a row up to which a product is multiplied out: a stencil's.
const STENCIL: usize = 32;

/// Multiplications up to which a product with at least half as many rows as columns is multiplied out.
const FEW: usize = 1 << 20;

/// Share of entries from which a sparse matrix is no gain.
const FULL: f64 = 0.4;

/// A sum being taken.
#[derive(Debug, Clone)]
pub struct Sum {
    n: usize,
    diagonal: Vec<f64>,
    sparse: Option<Csr>,
    dense: Option<Matrix>,
    factors: Vec<(Operator, Vec<f64>)>,
}

impl Sum {
    /// Nothing so far.
    pub fn new(n: usize) -> Sum {
        Sum { n, diagonal: vec![0.0; n], sparse: None, dense: None, factors: Vec::new() }
    }

    /// Adds `Kᵀ diag(w) K`.
    pub fn square(&mut self, k: &Operator, weights: &[f64]) {
        assert_eq!((k.rows(), k.cols()), (weights.len(), self.n), "a weight a row, a column an entry");
        if matches!(k, Operator::Zero { .. }) || weights.iter().all(|&w| w == 0.0) {
            return;
        }
        if let Some(d) = k.diagonal() {
            let squares = d.iter().zip(weights).map(|(d, w)| w * d * d);
            self.diagonal.iter_mut().zip(squares).for_each(|(to, x)| *to += x);
            return;
        }
        let counts = k.row_counts();
        let widest = counts.iter().copied().max().unwrap_or(0);
        let flops: usize = counts.iter().map(|&r| r * r).sum();
        if let Some(d) = diagonal_square(k, weights, widest <= STENCIL) {
            self.diagonal.iter_mut().zip(d).for_each(|(to, x)| *to += x);
        } else if widest <= STENCIL && flops as f64 <= FULL * (self.n as f64).powi(2) {
            self.add_sparse(sparse_product(k, k, weights));
        } else if self.n <= SMALL || flops <= FEW && 2 * k.rows() >= self.n {
            self.add_dense(&k.to_dense().weighted_gram(weights));
        } else {
            let (k, weights) = without_zeros(k, weights);
            self.factors.push((k.into_owned(), weights.into_owned()));
        }
    }

    /// Adds `aᵀ diag(w) b + bᵀ diag(w) a`.
    pub fn product(&mut self, a: &Operator, b: &Operator, weights: &[f64]) {
        if a == b {
            return self.square(a, &weights.iter().map(|w| 2.0 * w).collect::<Vec<f64>>());
        }
        if let (Some(a), Some(b)) = (a.diagonal(), b.diagonal()) {
            let products = a.iter().zip(&b).zip(weights).map(|((a, b), w)| 2.0 * a * b * w);
            self.diagonal.iter_mut().zip(products).for_each(|(to, x)| *to += x);
            return;
        }
        let flops: usize = a.row_counts().iter().zip(b.row_counts()).map(|(a, b)| a * b).sum();
        if 2.0 * flops as f64 <= FULL * (self.n as f64).powi(2) {
            let product = sparse_product(a, b, weights);
            self.add_sparse(product.transpose());
            self.add_sparse(product);
        } else {
            let weighted = Operator::compose(Operator::diagonal_of(weights.to_vec()), b.clone()).to_dense();
            let product = match a {
                Operator::Identity(_) => weighted,
                a => a.to_dense().transpose().matmul(&weighted),
            };
            self.add_dense(&product.transpose());
            self.add_dense(&product);
        }
    }

    /// Adds a multiple of another.
    pub fn add(&mut self, s: f64, other: &Curvature) {
        assert_eq!(other.n(), self.n, "summands have one order");
        match other {
            _ if s == 0.0 => {}
            Curvature::Diagonal(d) => self.diagonal.iter_mut().zip(d).for_each(|(to, x)| *to += s * x),
            Curvature::Dense(m) => match &mut self.dense {
                Some(sum) => *sum = std::mem::take(sum).add_scaled(s, m),
                None => self.dense = Some(Matrix::zeros(self.n, self.n).add_scaled(s, m)),
            },
            Curvature::Sparse(m) => self.add_sparse(m.as_ref().clone().scale(s)),
            Curvature::Factored(it) => {
                self.add(s, &it.base);
                self.factors.push((it.factor.clone(), it.weights.iter().map(|w| s * w).collect()));
            }
            Curvature::Repeated { left, inner, right } => match inner.as_ref() {
                Curvature::Factored(it) => {
                    let around = |m: Operator| {
                        Operator::kronecker(
                            Operator::Identity(*left),
                            Operator::kronecker(m, Operator::Identity(*right)),
                        )
                    };
                    let base = Curvature::Repeated { left: *left, inner: Arc::new(it.base.clone()), right: *right };
                    self.add_sparse(base.to_sparse().scale(s));
                    let one = it.weights.iter().flat_map(|&w| std::iter::repeat_n(s * w, *right));
                    let weights = std::iter::repeat_n(one.collect::<Vec<f64>>(), *left).flatten().collect();
                    self.factors.push((around(it.factor.clone()), weights));
                }
                _ => self.add_sparse(other.to_sparse().scale(s)),
            },
        }
    }

    fn add_sparse(&mut self, m: Csr) {
        self.sparse = Some(match self.sparse.take() {
            Some(sum) => sum.add(&m),
            None => m,
        });
    }

    fn add_dense(&mut self, m: &Matrix) {
        self.dense = Some(match self.dense.take() {
            Some(sum) => sum.add_scaled(1.0, m),
            None => m.clone(),
        });
    }

    /// What it all looks like.
    pub fn finish(mut self) -> Curvature {
        let n = self.n;
        if let Some(repeated) = self.repeated() {
            return repeated;
        }
        if let Some(mut sum) = self.dense.take() {
            for (i, x) in self.diagonal.iter().enumerate() {
                sum[(i, i)] += x;
            }
            if let Some(sparse) = self.sparse {
                sparse.entries().for_each(|(i, j, x)| sum[(i, j)] += x);
            }
            for (k, weights) in &self.factors {
                sum = sum.add_scaled(1.0, &k.to_dense().weighted_gram(weights));
            }
            return sum.into();
        }
        let has_diagonal = self.diagonal.iter().any(|&x| x != 0.0);
        let base = match self.sparse {
            None => Curvature::Diagonal(self.diagonal),
            Some(sparse) => {
                let sum = match has_diagonal {
                    true => sparse.add(&Curvature::Diagonal(self.diagonal).to_sparse()),
                    false => sparse,
                };
                if sum.entries().all(|(i, j, _)| i == j) {
                    Curvature::Diagonal(Curvature::from(sum).diagonal())
                } else {
                    Curvature::from(sum)
                }
            }
        };
        if self.factors.is_empty() {
            return match base {
                Curvature::Sparse(m) if n <= SMALL || m.nnz() as f64 >= FULL * (n as f64).powi(2) => {
                    m.to_dense().into()
                }
                base => base,
            };
        }
        let weights = self.factors.iter().flat_map(|(_, weights)| weights.iter().copied()).collect();
        let factor = Operator::stack(self.factors.into_iter().map(|(k, _)| k).collect());
        Curvature::Factored(Arc::new(Factored { base, factor, weights }))
    }

    /// The sum as one small matrix repeated, where all that is not a multiple of `I` is.
    fn repeated(&self) -> Option<Curvature> {
        let s = Curvature::Diagonal(self.diagonal.clone()).scale()?;
        if self.sparse.is_some() || self.dense.is_some() {
            return None;
        }
        let mut around = None;
        let mut inner: Option<Sum> = None;
        for (k, weights) in &self.factors {
            let (times, k) = match k {
                Operator::Scaled(s, k) => (s * s, k.as_ref()),
                k => (1.0, k),
            };
            let Operator::Kronecker(l, r) = k else { return None };
            let (own, k) = match (l.as_ref(), r.as_ref()) {
                (k, Operator::Identity(right)) => ((1, *right), k),
                (Operator::Identity(left), k) => ((*left, 1), k),
                _ => return None,
            };
            let first = weights.first().copied()?;
            if *around.get_or_insert(own) != own || weights.iter().any(|&w| w != first) {
                return None;
            }
            let sum = inner.get_or_insert_with(|| Sum::new(k.cols()));
            sum.square(k, &vec![times * first; k.rows()]);
        }
        let ((left, right), mut inner) = (around?, inner?);
        inner.diagonal.iter_mut().for_each(|x| *x += s);
        Some(match inner.finish() {
            Curvature::Diagonal(d) => {
                let repeated = Curvature::Repeated { left, inner: Arc::new(Curvature::Diagonal(d)), right };
                Curvature::Diagonal(repeated.diagonal())
            }
            inner => Curvature::Repeated { left, inner: Arc::new(inner), right },
        })
    }
}

/// The diagonal of `Kᵀ diag(w) K`, where that is diagonal.
fn diagonal_square(k: &Operator, weights: &[f64], scalable: bool) -> Option<Vec<f64>> {
    let first = weights[0];
    if weights.iter().all(|&w| w == first) {
        return k.gram().diagonal(k.cols()).map(|d| d.into_iter().map(|x| first * x).collect());
    }
    // Rows of different weight: those of one sign may be scaled first, where that is cheap.
    let one_sign = weights.iter().all(|&w| w >= 0.0) || weights.iter().all(|&w| w <= 0.0);
    if !one_sign || !scalable {
        return None;
    }
    let roots = weights.iter().map(|w| w.abs().sqrt()).collect();
    let sign = if weights.iter().any(|&w| w < 0.0) { -1.0 } else { 1.0 };
    let scaled = Operator::compose(Operator::diagonal_of(roots), k.clone());
    scaled.gram().diagonal(k.cols()).map(|d| d.into_iter().map(|x| sign * x).collect())
}

/// `K` and `w` without the rows whose weight is zero.
fn without_zeros<'a>(k: &'a Operator, weights: &'a [f64]) -> (Cow<'a, Operator>, Cow<'a, [f64]>) {
    if weights.iter().all(|&w| w != 0.0) {
        return (Cow::Borrowed(k), Cow::Borrowed(weights));
    }
    let kept: Vec<usize> = (0..weights.len()).filter(|&i| weights[i] != 0.0).collect();
    let rows = match k {
        Operator::Dense(m) => {
            let data: Vec<f64> = kept.iter().flat_map(|&i| m.row(i)).copied().collect();
            Matrix::new(kept.len(), m.cols, data).into()
        }
        k => Csr::selection(&kept, k.rows()).matmul(&k.to_sparse()).into(),
    };
    (Cow::Owned(rows), Cow::Owned(kept.iter().map(|&i| weights[i]).collect()))
}
