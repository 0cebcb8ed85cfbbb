//! Eigenvalues, eigenvectors and the square root of a symmetric matrix, of which the lower triangle is
//! read. None is differentiable here: a derivative is NaN.
//!
//! Values and vectors are one value, so that there is one decomposition: the rows of an `(n + 1) × n`
//! matrix are the eigenvalues in ascending order, then the matrix whose columns are the eigenvectors.
//!
//! By Jacobi's rotations (Golub & Van Loan, Matrix Computations, §8.5), which are slow and accurate.

use super::rule::{Operand, Rule, ensure_type, operands, square};
use crate::tape::Type;

pub(crate) struct Eigenvalues;

impl Rule for Eigenvalues {
    fn check(&self, args: &[&Type], ty: &Type) -> Result<(), String> {
        let [a] = operands(args)?;
        let n = square(a)?;
        ensure_type(ty, &Type::new(a.dtype, [n]))
    }

    fn eval(&self, args: &[Operand], ty: &Type) -> Vec<f64> {
        let mut values = jacobi(ty.shape.0[0], args[0].x).0;
        values.sort_by(f64::total_cmp);
        values
    }

    fn differentiable(&self, _: usize) -> bool {
        false
    }
}

pub(crate) struct Eigen;

impl Rule for Eigen {
    fn check(&self, args: &[&Type], ty: &Type) -> Result<(), String> {
        let [a] = operands(args)?;
        let n = square(a)?;
        ensure_type(ty, &Type::new(a.dtype, [n + 1, n]))
    }

    fn eval(&self, args: &[Operand], ty: &Type) -> Vec<f64> {
        let n = ty.shape.0[1];
        let (values, vectors) = jacobi(n, args[0].x);
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|&i, &j| values[i].total_cmp(&values[j]));
        let rows = (0..n).flat_map(|i| order.iter().map(move |&k| (i, k))).map(|(i, k)| vectors[i * n + k]);
        order.iter().map(|&k| values[k]).chain(rows).collect()
    }

    fn differentiable(&self, _: usize) -> bool {
        false
    }
}

pub(crate) struct PsdSqrt;

impl Rule for PsdSqrt {
    fn check(&self, args: &[&Type], ty: &Type) -> Result<(), String> {
        let [a] = operands(args)?;
        square(a)?;
        ensure_type(ty, a)
    }

    fn eval(&self, args: &[Operand], ty: &Type) -> Vec<f64> {
        let n = ty.shape.0[0];
        let (values, vectors) = jacobi(n, args[0].x);
        // NaN stays NaN, which `max` would hide.
        let roots: Vec<f64> = values.iter().map(|&v| if v < 0.0 { 0.0 } else { v.sqrt() }).collect();
        let entry = |i: usize, j: usize| (0..n).map(|k| vectors[i * n + k] * roots[k] * vectors[j * n + k]).sum();
        (0..n * n).map(|at| entry(at / n, at % n)).collect()
    }

    fn differentiable(&self, _: usize) -> bool {
        false
    }
}

/// Eigenvalues, and eigenvectors as columns. NaN throughout for a matrix that is not finite.
fn jacobi(n: usize, lower: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let mut a: Vec<f64> = (0..n * n).map(|at| lower[(at / n).max(at % n) * n + (at / n).min(at % n)]).collect();
    let mut v: Vec<f64> = (0..n * n).map(|at| f64::from(at / n == at % n)).collect();
    if a.iter().any(|x| !x.is_finite()) {
        return (vec![f64::NAN; n], vec![f64::NAN; n * n]);
    }
    let scale: f64 = a.iter().map(|x| x.abs()).fold(0.0, f64::max);
    // Convergence is quadratic: orders that fit a test take under ten sweeps.
    for _ in 0..64 {
        let mut rotated = false;
        for p in 0..n {
            for q in p + 1..n {
                if a[p * n + q].abs() > f64::EPSILON * f64::EPSILON * scale {
                    rotate(n, &mut a, &mut v, p, q);
                    rotated = true;
                }
            }
        }
        if !rotated {
            break;
        }
    }
    ((0..n).map(|i| a[i * n + i]).collect(), v)
}

/// `A ← JᵀAJ`, `V ← VJ` with the rotation that makes `A[p, q]` zero.
fn rotate(n: usize, a: &mut [f64], v: &mut [f64], p: usize, q: usize) {
    let theta = (a[q * n + q] - a[p * n + p]) / (2.0 * a[p * n + q]);
    let t = 1.0f64.copysign(theta) / (theta.abs() + theta.hypot(1.0));
    let c = 1.0 / t.hypot(1.0);
    let s = t * c;
    let turn = |x: &mut [f64], i: usize, j: usize| (x[i], x[j]) = (c * x[i] - s * x[j], s * x[i] + c * x[j]);
    for k in 0..n {
        turn(a, k * n + p, k * n + q);
        turn(v, k * n + p, k * n + q);
    }
    for k in 0..n {
        turn(a, p * n + k, q * n + k);
    }
    (a[p * n + q], a[q * n + p]) = (0.0, 0.0);
}
