//! Losses as people write them, in the form that floating point can bear. Runs before
//! differentiation, so that the derivative is the stable one too, given by the op and not by its
//! branches.
//!
//! | written | becomes | what goes wrong as written |
//! |---|---|---|
//! | `1/(1 + exp(w))`, `exp(u)/(1 + exp(u))` | `σ(−w)`, `σ(u)` | overflow, then 0·∞ in the derivative |
//! | `1 − σ(u)` | `σ(−u)` | cancels: 0 in singles above 16.6 |
//! | `log(σ(u))` | `−softplus(−u)` | σ underflows below −88 (singles) |
//! | `log(1 + exp(u))`, `log1p(exp(u))` | `softplus(u)` | overflow above 88 or 709 |
//! | `max(u, 0) + softplus(−│u│)` | `softplus(u)` | slope 0 at 0 instead of ½ |
//! | `log(exp(u))` | `u` | over- and underflow |
//! | `log Σ exp(u)` | `logsumexp(u)` | overflow |
//! | `exp(u) / Σ exp(u)` | `exp(u − logsumexp(u))` | overflow |
//! | `exp(u) − 1`, `log(1 + u)`, `log(1 − u)` | `expm1(u)`, `log1p(u)`, `log1p(−u)` | cancellation |
//! | `1 − tanh(u)²` | `4σ(2u)σ(−2u)` | cancellation |
//! | `√Σu²` | `norm2(u)` | over- and underflow, 0/0 in the derivative at 0 |
//! | `norm2(u)²` | `Σu²` | the same |
//!
//! Operands are rewritten first, so forms nest: `log(1 − 1/(1 + exp(−u)))` goes by the first three
//! rows to `−softplus(u)`. A guard is kept: in `log(1 − σ(u) + 1e-8)` only `1 − σ(u)` changes.

use super::pattern::{as_binary, as_unary, constant, inst, is, one_minus, plus, unary};
use super::rewrite::rewrite;
use super::{checked, common, dead, simplify};
use crate::source::Span;
use crate::tape::builder::Builder;
use crate::tape::ir::{Binary, Inst, Op, Program, Unary, Value};
use crate::tape::ops::Reducer;

/// A form that was replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewrite {
    /// Which, as `written → becomes`.
    pub rule: &'static str,
    /// The source expression of the outermost function of the form.
    pub origin: Option<Span>,
}

/// The program with every form of the table replaced, and what was replaced.
pub fn stabilise(program: &Program) -> (Program, Vec<Rewrite>) {
    let mut rewrites = Vec::new();
    let stable = rewrite(&common::common(&simplify::simplify(program)), |b, inst| {
        let (rule, value) = stable(b, inst)?;
        rewrites.push(Rewrite { rule, origin: inst.origin });
        Some(value)
    });
    let stable = dead::dead(&simplify::simplify(&stable));
    (checked("stabilise", stable), rewrites)
}

type Found = Option<(&'static str, Value)>;

fn stable(b: &mut Builder, inst: &Inst) -> Found {
    match (&inst.op, &inst.args[..]) {
        (Op::Unary(Unary::Log), &[x]) => log(b, x),
        (Op::Unary(Unary::Log1p), &[x]) => log1p(b, x),
        (Op::Unary(Unary::Recip), &[x]) => recip(b, x),
        (Op::Unary(Unary::Sqrt), &[x]) => sqrt(b, x),
        (Op::Unary(Unary::Square), &[x]) => square(b, x),
        (Op::Binary(Binary::Div), &[x, y]) if is(b, x, 1.0) => recip(b, y),
        (Op::Binary(Binary::Div), &[x, y]) => quotient(b, x, y),
        (Op::Binary(Binary::Sub), &[x, y]) if is(b, x, 1.0) => complement(b, y),
        (Op::Binary(Binary::Sub), &[x, y]) if is(b, y, 1.0) => expm1(b, x),
        (Op::Binary(Binary::Add), &[x, y]) if is(b, y, -1.0) => expm1(b, x),
        (Op::Binary(Binary::Add), &[x, y]) if is(b, x, -1.0) => expm1(b, y),
        (Op::Binary(Binary::Add), &[x, y]) => branches(b, x, y).or_else(|| branches(b, y, x)),
        _ => None,
    }
}

fn log(b: &mut Builder, x: Value) -> Found {
    if let Some(u) = unary(b, x, Unary::Sigmoid) {
        let minus = b.neg(u);
        let softplus = b.unary(Unary::Softplus, minus);
        return Some(("log(sigmoid(u)) → −softplus(−u)", b.neg(softplus)));
    }
    if let Some(u) = unary(b, x, Unary::Exp) {
        return Some(("log(exp(u)) → u", u));
    }
    if let Some(w) = plus(b, x, 1.0) {
        return log1p(b, w).or_else(|| Some(("log(1 + u) → log1p(u)", b.unary(Unary::Log1p, w))));
    }
    if let Some(w) = one_minus(b, x) {
        let minus = b.neg(w);
        return Some(("log(1 − u) → log1p(−u)", b.unary(Unary::Log1p, minus)));
    }
    let (axes, u) = sum_of(b, x, Unary::Exp)?;
    Some(("log(sum(exp(u))) → logsumexp(u)", b.logsumexp(u, axes)))
}

fn log1p(b: &mut Builder, x: Value) -> Found {
    let u = unary(b, x, Unary::Exp)?;
    Some(("log(1 + exp(u)) → softplus(u)", b.unary(Unary::Softplus, u)))
}

/// `1/x`
fn recip(b: &mut Builder, x: Value) -> Found {
    let sum = plus(b, x, 1.0)?;
    let u = unary(b, sum, Unary::Exp)?;
    let minus = match as_unary(b, u, Unary::Neg) {
        Some(u) => u,
        None => b.neg(u),
    };
    Some(("1/(1 + exp(−u)) → sigmoid(u)", b.unary(Unary::Sigmoid, minus)))
}

fn quotient(b: &mut Builder, x: Value, y: Value) -> Found {
    let u = unary(b, x, Unary::Exp)?;
    if let Some(sum) = plus(b, y, 1.0) {
        let same = unary(b, sum, Unary::Exp)? == u;
        return same.then(|| ("exp(u)/(1 + exp(u)) → sigmoid(u)", b.unary(Unary::Sigmoid, u)));
    }
    let total = inst(b, y).clone();
    let Op::Broadcast { axes: kept } = total.op else { return None };
    let (axes, v) = sum_of(b, total.args[0], Unary::Exp)?;
    if v != u {
        return None;
    }
    let total = b.logsumexp(u, axes);
    let shape = b.shape(u).clone();
    let total = b.broadcast(total, kept, shape);
    let log = b.sub(u, total);
    Some(("exp(u)/sum(exp(u)) → exp(u − logsumexp(u))", b.unary(Unary::Exp, log)))
}

/// `1 − x`
fn complement(b: &mut Builder, x: Value) -> Found {
    if let Some(u) = unary(b, x, Unary::Sigmoid) {
        let minus = b.neg(u);
        return Some(("1 − sigmoid(u) → sigmoid(−u)", b.unary(Unary::Sigmoid, minus)));
    }
    let tanh = unary(b, x, Unary::Square)?;
    let u = unary(b, tanh, Unary::Tanh)?;
    let twice = b.scale(2.0, u);
    let minus = b.neg(twice);
    let [upper, lower] = [twice, minus].map(|u| b.unary(Unary::Sigmoid, u));
    let product = b.mul(upper, lower);
    Some(("1 − tanh(u)² → 4·sigmoid(2u)·sigmoid(−2u)", b.scale(4.0, product)))
}

/// `x − 1`
fn expm1(b: &mut Builder, x: Value) -> Found {
    let u = unary(b, x, Unary::Exp)?;
    Some(("exp(u) − 1 → expm1(u)", b.unary(Unary::Expm1, u)))
}

/// `x + y`, where `x` may be the positive part of `u` and `y` the softplus of `−|u|`.
fn branches(b: &mut Builder, x: Value, y: Value) -> Found {
    let u = match as_binary(b, x, Binary::Max) {
        Some([u, zero]) if constant(b, zero) == Some(0.0) => u,
        Some([zero, u]) if constant(b, zero) == Some(0.0) => u,
        _ => as_unary(b, x, Unary::Relu)?,
    };
    let minus = as_unary(b, y, Unary::Softplus)?;
    let magnitude = as_unary(b, minus, Unary::Neg)?;
    let same = as_unary(b, magnitude, Unary::Abs)? == u;
    same.then(|| ("max(u, 0) + log(1 + exp(−abs(u))) → softplus(u)", b.unary(Unary::Softplus, u)))
}

fn sqrt(b: &mut Builder, x: Value) -> Found {
    let (axes, u) = sum_of(b, x, Unary::Square)?;
    Some(("sqrt(sum_squares(u)) → norm2(u)", b.reduce(Reducer::Norm2, u, axes)))
}

fn square(b: &mut Builder, x: Value) -> Found {
    let norm = inst(b, x).clone();
    let Op::Reduce { reducer: Reducer::Norm2, axes } = norm.op else { return None };
    let square = b.unary(Unary::Square, norm.args[0]);
    Some(("norm2(u)² → sum_squares(u)", b.reduce(Reducer::Sum, square, axes)))
}

/// Seen as a sum of `f(u)` along axes, gives the axes and `u`.
fn sum_of(b: &mut Builder, value: Value, f: Unary) -> Option<(Vec<usize>, Value)> {
    let sum = inst(b, value).clone();
    let Op::Reduce { reducer: Reducer::Sum, axes } = sum.op else { return None };
    Some((axes, unary(b, sum.args[0], f)?))
}
