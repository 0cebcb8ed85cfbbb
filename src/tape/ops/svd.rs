//! The thin singular value decomposition `A = U diag(σ) Vᵀ` as one value, so that there is one
//! factorisation: with `k = min(m, n)` the rows of a `(1 + m + n) × k` matrix are `σ` in descending order,
//! then `U`, then `V`, of which the columns are the vectors. They are orthonormal at any rank. Not
//! differentiable here: a derivative is NaN.
//!
//! By Hestenes' one-sided rotations (Golub & Van Loan, Matrix Computations, §8.6.3), which are slow and
//! accurate.

use super::rule::{Operand, Rule, ensure, ensure_float, ensure_type, operands};
use crate::tape::Type;

pub(crate) struct Svd;

impl Rule for Svd {
    fn check(&self, args: &[&Type], ty: &Type) -> Result<(), String> {
        let [a] = operands(args)?;
        ensure_float(a)?;
        ensure(a.shape.rank() == 2, || format!("{a} is not a matrix"))?;
        let (m, n) = (a.shape.0[0], a.shape.0[1]);
        ensure_type(ty, &Type::new(a.dtype, [1 + m + n, m.min(n)]))
    }

    fn eval(&self, args: &[Operand], ty: &Type) -> Vec<f64> {
        let (m, n) = (args[0].ty.shape.0[0], args[0].ty.shape.0[1]);
        let a = |i: usize, j: usize| args[0].x[i * n + j];
        if args[0].x.iter().any(|x| !x.is_finite()) {
            return vec![f64::NAN; ty.shape.numel()];
        }
        let columns = |rows: usize, columns: usize, entry: &dyn Fn(usize, usize) -> f64| -> Vec<Vec<f64>> {
            (0..columns).map(|j| (0..rows).map(|i| entry(i, j)).collect()).collect()
        };
        let (u, sigma, v) = if m >= n {
            hestenes(columns(m, n, &a))
        } else {
            let (v, sigma, u) = hestenes(columns(n, m, &|i, j| a(j, i)));
            (u, sigma, v)
        };
        let rows = |vectors: &[Vec<f64>], rows: usize| -> Vec<f64> {
            (0..rows).flat_map(|i| vectors.iter().map(move |vector| vector[i])).collect()
        };
        [sigma, rows(&u, m), rows(&v, n)].concat()
    }

    fn differentiable(&self, _: usize) -> bool {
        false
    }
}

type Columns = Vec<Vec<f64>>;

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// `U`, `σ` and `V` of a matrix with at least as many rows as columns, given by its columns: rotated in
/// pairs until all are orthogonal, they are `σ` times those of `U`, and the rotations are `V`.
fn hestenes(mut a: Columns) -> (Columns, Vec<f64>, Columns) {
    let n = a.len();
    // Squares of what is scaled neither overflow nor vanish.
    let scale = a.iter().flatten().fold(0.0f64, |most, x| most.max(x.abs()));
    if scale > 0.0 {
        a.iter_mut().flatten().for_each(|x| *x /= scale);
    }
    let mut v: Columns = (0..n).map(|j| (0..n).map(|i| f64::from(i == j)).collect()).collect();
    // Convergence is quadratic: orders that fit a test take under ten sweeps.
    for _ in 0..64 {
        let mut rotated = false;
        for p in 0..n {
            for q in p + 1..n {
                let (alpha, beta, gamma) = (dot(&a[p], &a[p]), dot(&a[q], &a[q]), dot(&a[p], &a[q]));
                let negligible = f64::EPSILON * (alpha * beta).sqrt() + f64::MIN_POSITIVE;
                if gamma.abs() > negligible {
                    let zeta = (beta - alpha) / (2.0 * gamma);
                    let t = 1.0f64.copysign(zeta) / (zeta.abs() + zeta.hypot(1.0));
                    let c = 1.0 / t.hypot(1.0);
                    turn(&mut a, p, q, c, t * c);
                    turn(&mut v, p, q, c, t * c);
                    rotated = true;
                }
            }
        }
        if !rotated {
            break;
        }
    }
    let norms: Vec<f64> = a.iter().map(|column| dot(column, column).sqrt()).collect();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| norms[j].total_cmp(&norms[i]));
    let mut u: Columns = Vec::with_capacity(n);
    for &k in &order {
        let cut = norms[order[0]] * f64::EPSILON * a[k].len() as f64;
        let column = if norms[k] > cut { a[k].iter().map(|x| x / norms[k]).collect() } else { outside(&u, a[k].len()) };
        u.push(column);
    }
    let sigma = order.iter().map(|&k| norms[k] * scale).collect();
    (u, sigma, order.iter().map(|&k| v[k].clone()).collect())
}

fn turn(columns: &mut Columns, p: usize, q: usize, c: f64, s: f64) {
    for i in 0..columns[p].len() {
        let (x, y) = (columns[p][i], columns[q][i]);
        (columns[p][i], columns[q][i]) = (c * x - s * y, s * x + c * y);
    }
}

/// A unit vector orthogonal to fewer than `m` orthonormal ones: of the axes, what is left of the one
/// that they contain least of.
fn outside(vectors: &Columns, m: usize) -> Vec<f64> {
    let left = |axis: usize| {
        let mut e: Vec<f64> = (0..m).map(|i| f64::from(i == axis)).collect();
        // Twice is enough (Kahan and Parlett).
        for _ in 0..2 {
            for vector in vectors {
                let along = dot(vector, &e);
                e.iter_mut().zip(vector).for_each(|(e, v)| *e -= along * v);
            }
        }
        e
    };
    let most = (0..m).map(left).max_by(|a, b| dot(a, a).total_cmp(&dot(b, b))).unwrap_or_default();
    let norm = dot(&most, &most).sqrt();
    most.iter().map(|x| x / norm).collect()
}
