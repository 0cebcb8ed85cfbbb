//! `A = LLᵀ` and `(LLᵀ)x = b`. Of `A` and of `L` only the lower triangle is read; `L` is NaN
//! throughout where a pivot is not positive.
//!
//! With `Φ` the lower triangle, its diagonal halved (Murray, Differentiation of the Cholesky
//! decomposition, 2016, eqs. 8 and 9):
//!
//! ```text
//! L̇ = L Φ(L⁻¹ Ȧ L⁻ᵀ)             Ā = ½(S + Sᵀ),  S = L⁻ᵀ Φ(Lᵀ L̄) L⁻¹
//! ẋ = A⁻¹(ḃ − (L̇Lᵀ + LL̇ᵀ)x)       b̄ = A⁻¹x̄,      L̄ = −tril((b̄xᵀ + xb̄ᵀ)L)
//! ```
//!
//! Triangular solves are made of what there is: `L⁻ᵀY = A⁻¹(LY)` and `L⁻¹Y = Lᵀ(A⁻¹Y)`.

use super::rule::{Operand, Rule, Site, ensure, ensure_type, linear, operands, square, total};
use super::{Binary, Op};
use crate::tape::{Builder, Type, Value};

pub(crate) struct Cholesky;

impl Rule for Cholesky {
    fn check(&self, args: &[&Type], ty: &Type) -> Result<(), String> {
        let [a] = operands(args)?;
        square(a)?;
        ensure_type(ty, a)
    }

    fn eval(&self, args: &[Operand], ty: &Type) -> Vec<f64> {
        let (n, a) = (ty.shape.0[0], args[0].x);
        let mut l = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..=i {
                let rest = a[i * n + j] - (0..j).map(|k| l[i * n + k] * l[j * n + k]).sum::<f64>();
                if i == j && (rest <= 0.0 || rest.is_nan()) {
                    return vec![f64::NAN; n * n];
                }
                l[i * n + j] = if i == j { rest.sqrt() } else { rest / l[j * n + j] };
            }
        }
        l
    }

    fn vjp(&self, b: &mut Builder, at: Site, _: usize, cotangent: Value) -> Option<Value> {
        let l = at.y;
        let cotangent = tril(b, cotangent, 1.0);
        let product = b.matmul(l, cotangent, true, false);
        let half = tril(b, product, 0.5);
        let left = solve_upper(b, l, half);
        let left = b.transpose(left);
        let s = solve_upper(b, l, left);
        let transposed = b.transpose(s);
        let sum = b.add(s, transposed);
        Some(b.scale(0.5, sum))
    }

    fn jvp(&self, b: &mut Builder, at: Site, tangents: &[Option<Value>]) -> Option<Value> {
        let l = at.y;
        let left = solve_lower(b, l, tangents[0]?);
        let left = b.transpose(left);
        let inner = solve_lower(b, l, left);
        let half = tril(b, inner, 0.5);
        Some(b.matmul(l, half, false, false))
    }
}

pub(crate) struct CholeskySolve;

impl Rule for CholeskySolve {
    fn check(&self, args: &[&Type], ty: &Type) -> Result<(), String> {
        let [l, rhs] = operands(args)?;
        let n = square(l)?;
        let fits = rhs.dtype == l.dtype && rhs.shape.0.first() == Some(&n) && rhs.shape.rank() <= 2;
        ensure(fits, || format!("{rhs} is no right side for {l}"))?;
        ensure_type(ty, rhs)
    }

    fn eval(&self, args: &[Operand], ty: &Type) -> Vec<f64> {
        let (n, l) = (ty.shape.0[0], args[0].x);
        let columns: usize = ty.shape.0[1..].iter().product();
        let mut x = args[1].x.to_vec();
        for c in 0..columns {
            for i in 0..n {
                let known: f64 = (0..i).map(|k| l[i * n + k] * x[k * columns + c]).sum();
                x[i * columns + c] = (x[i * columns + c] - known) / l[i * n + i];
            }
            for i in (0..n).rev() {
                let known: f64 = (i + 1..n).map(|k| l[k * n + i] * x[k * columns + c]).sum();
                x[i * columns + c] = (x[i * columns + c] - known) / l[i * n + i];
            }
        }
        x
    }

    fn vjp(&self, b: &mut Builder, at: Site, k: usize, cotangent: Value) -> Option<Value> {
        let solved = linear(b, at, 1, cotangent);
        if k == 1 {
            return Some(solved);
        }
        let l = at.args[0];
        let (g, x) = (column(b, solved), column(b, at.y));
        let product = b.matmul(g, x, false, true);
        let transposed = b.transpose(product);
        let symmetric = b.add(product, transposed);
        let lower = tril(b, l, 1.0);
        let product = b.matmul(symmetric, lower, false, false);
        let triangle = tril(b, product, 1.0);
        Some(b.neg(triangle))
    }

    fn jvp(&self, b: &mut Builder, at: Site, tangents: &[Option<Value>]) -> Option<Value> {
        let by_factor = tangents[0].map(|tangent| {
            let shape = b.shape(at.y).clone();
            let (l, dl) = (tril(b, at.args[0], 1.0), tril(b, tangent, 1.0));
            let product = b.matmul(dl, l, false, true);
            let transposed = b.transpose(product);
            let symmetric = b.add(product, transposed);
            let x = column(b, at.y);
            let change = b.matmul(symmetric, x, false, false);
            let change = b.reshape(change, shape);
            let solved = linear(b, at, 1, change);
            b.neg(solved)
        });
        let by_rhs = tangents[1].map(|tangent| linear(b, at, 1, tangent));
        total(b, [by_factor, by_rhs])
    }
}

/// A vector as a column; a matrix as it is.
fn column(b: &mut Builder, x: Value) -> Value {
    match b.shape(x).0[..] {
        [n] => b.reshape(x, [n, 1]),
        _ => x,
    }
}

/// The lower triangle, its diagonal multiplied by a number. Above it is 0, also where `x` is not.
fn tril(b: &mut Builder, x: Value, diagonal: f64) -> Value {
    let ty = b.ty(x).clone();
    let row = b.iota(ty.shape.clone(), 0);
    let column = b.iota(ty.shape.clone(), 1);
    let below = b.binary(Binary::Less, column, row);
    let on = b.binary(Binary::Equal, column, row);
    let scaled = if diagonal == 1.0 { x } else { b.scale(diagonal, x) };
    let zero = b.constant_like(0.0, x);
    let on = b.select(on, scaled, zero);
    b.select(below, x, on)
}

/// `L⁻ᵀ y`
fn solve_upper(b: &mut Builder, l: Value, y: Value) -> Value {
    let l_lower = tril(b, l, 1.0);
    let product = b.matmul(l_lower, y, false, false);
    let ty = b.ty(product).clone();
    b.push(Op::CholeskySolve, vec![l, product], ty)
}

/// `L⁻¹ y`
fn solve_lower(b: &mut Builder, l: Value, y: Value) -> Value {
    let ty = b.ty(y).clone();
    let solved = b.push(Op::CholeskySolve, vec![l, y], ty);
    let l_lower = tril(b, l, 1.0);
    b.matmul(l_lower, solved, true, false)
}
