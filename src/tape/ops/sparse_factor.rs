//! The factor of a sparse symmetric matrix, definite or quasi-definite as its [`Symbolic`] says, and
//! solving with it. The op carries the pattern; numbers come and go.
//!
//! What the factor's numbers mean is the device's own affair: they are made to be solved with. Here
//! they are the matrix itself, and a solve eliminates in it densely. Where the matrix has no factor with
//! pivots of the right signs, its numbers are NaN throughout. A solve is linear in its right side; by the
//! matrix there is no derivative.

use super::rule::{Operand, Rule, Site, ensure, ensure_float, ensure_type, linear, no_derivative, operands, total};
use crate::linalg::Symbolic;
use crate::tape::{Builder, Type, Value};

pub(crate) struct SparseFactor<'a>(pub &'a Symbolic);

impl Rule for SparseFactor<'_> {
    fn check(&self, args: &[&Type], ty: &Type) -> Result<(), String> {
        let [values] = operands(args)?;
        ensure_float(values)?;
        let fits = values.shape.0[..] == [self.0.nnz()];
        ensure(fits, || format!("{values} are not the {} entries of the pattern", self.0.nnz()))?;
        ensure_type(ty, &Type::new(values.dtype, [self.0.factor_len()]))
    }

    fn eval(&self, args: &[Operand], ty: &Type) -> Vec<f64> {
        let mut factor = args[0].x.to_vec();
        if !has_factor(self.0, &factor) {
            factor.fill(f64::NAN);
        }
        // A factor has at least the entries of its matrix.
        factor.resize(ty.shape.numel(), factor.first().map_or(0.0, |x| if x.is_nan() { f64::NAN } else { 0.0 }));
        factor
    }

    fn differentiable(&self, _: usize) -> bool {
        false
    }
}

pub(crate) struct SparseSolve<'a>(pub &'a Symbolic);

impl Rule for SparseSolve<'_> {
    fn check(&self, args: &[&Type], ty: &Type) -> Result<(), String> {
        let [factor, rhs] = operands(args)?;
        ensure_float(factor)?;
        let fits = factor.shape.0[..] == [self.0.factor_len()];
        ensure(fits, || format!("{factor} is not a factor of {} numbers", self.0.factor_len()))?;
        let fits = rhs.dtype == factor.dtype && rhs.shape.0.first() == Some(&self.0.n) && rhs.shape.rank() <= 2;
        ensure(fits, || format!("{rhs} is no right side for an order of {}", self.0.n))?;
        ensure_type(ty, rhs)
    }

    fn eval(&self, args: &[Operand], ty: &Type) -> Vec<f64> {
        let n = self.0.n;
        let columns: usize = ty.shape.0[1..].iter().product();
        let (mut l, mut x) = (dense(self.0, args[0].x), args[1].x.to_vec());
        eliminate(n, &mut l);
        for c in 0..columns {
            for i in 0..n {
                let known: f64 = (0..i).map(|k| l[i * n + k] * x[k * columns + c]).sum();
                x[i * columns + c] -= known;
            }
            (0..n).for_each(|i| x[i * columns + c] /= l[i * n + i]);
            for i in (0..n).rev() {
                let known: f64 = (i + 1..n).map(|k| l[k * n + i] * x[k * columns + c]).sum();
                x[i * columns + c] -= known;
            }
        }
        x
    }

    fn vjp(&self, b: &mut Builder, at: Site, k: usize, cotangent: Value) -> Option<Value> {
        if k == 1 { Some(linear(b, at, 1, cotangent)) } else { no_derivative(b, at.args[k]) }
    }

    fn jvp(&self, b: &mut Builder, at: Site, tangents: &[Option<Value>]) -> Option<Value> {
        let by_factor = tangents[0].and_then(|_| no_derivative(b, at.y));
        let by_rhs = tangents[1].map(|tangent| linear(b, at, 1, tangent));
        total(b, [by_factor, by_rhs])
    }

    fn differentiable(&self, k: usize) -> bool {
        k == 1
    }
}

/// The lower triangle as a matrix.
fn dense(pattern: &Symbolic, values: &[f64]) -> Vec<f64> {
    let n = pattern.n;
    let mut matrix = vec![0.0; n * n];
    for i in 0..n {
        for entry in pattern.starts[i]..pattern.starts[i + 1] {
            matrix[i * n + pattern.columns[entry]] = values[entry];
        }
    }
    matrix
}

/// `A = LDLᵀ` in place: L below the diagonal, D on it.
fn eliminate(n: usize, a: &mut [f64]) {
    for i in 0..n {
        for j in 0..=i {
            let rest = a[i * n + j] - (0..j).map(|k| a[i * n + k] * a[k * n + k] * a[j * n + k]).sum::<f64>();
            a[i * n + j] = if i == j { rest } else { rest / a[j * n + j] };
        }
    }
}

/// Whether as many pivots are negative as the pattern says, and the others positive.
fn has_factor(pattern: &Symbolic, values: &[f64]) -> bool {
    let n = pattern.n;
    let mut l = dense(pattern, values);
    eliminate(n, &mut l);
    let pivots = || (0..n).map(|i| l[i * n + i]);
    pivots().filter(|&d| d < 0.0).count() == pattern.negative
        && pivots().filter(|&d| d > 0.0).count() == n - pattern.negative
}
