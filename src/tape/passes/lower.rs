//! Reductions that are more than one sweep, in terms of those that are one:
//!
//!     logsumexp x = m + log Σ e^(x − m)      m = max x, or 0 where that is not finite
//!     norm2 x     = m √Σ(x/m)²               m = max │x│, or 1 where that is 0 or not finite

use super::rewrite::rewrite;
use crate::tape::builder::Builder;
use crate::tape::ir::{Inst, Op, Program, Unary, Value};
use crate::tape::ops::Reducer;

pub(super) fn lower(program: &Program) -> Program {
    rewrite(program, |b, inst| match &inst.op {
        Op::Reduce { reducer: Reducer::LogSumExp, axes } => Some(logsumexp(b, inst, axes)),
        Op::Reduce { reducer: Reducer::Norm2, axes } => Some(norm2(b, inst, axes)),
        _ => None,
    })
}

fn logsumexp(b: &mut Builder, inst: &Inst, axes: &[usize]) -> Value {
    let x = inst.args[0];
    let most = b.reduce(Reducer::Max, x, axes.to_vec());
    let finite = b.unary(Unary::IsFinite, most);
    let zero = b.constant_like(0.0, most);
    let shift = b.select(finite, most, zero);
    let spread = spread(b, shift, axes, x);
    let shifted = b.sub(x, spread);
    let exp = b.unary(Unary::Exp, shifted);
    let sum = b.reduce(Reducer::Sum, exp, axes.to_vec());
    let log = b.unary(Unary::Log, sum);
    b.add(shift, log)
}

fn norm2(b: &mut Builder, inst: &Inst, axes: &[usize]) -> Value {
    let x = inst.args[0];
    let magnitude = b.unary(Unary::Abs, x);
    let most = b.reduce(Reducer::Max, magnitude, axes.to_vec());
    let one = b.constant_like(1.0, most);
    let finite = b.unary(Unary::IsFinite, most);
    let scale = b.select(most, most, one);
    let scale = b.select(finite, scale, one);
    let spread = spread(b, scale, axes, x);
    let scaled = b.div(x, spread);
    let square = b.unary(Unary::Square, scaled);
    let sum = b.reduce(Reducer::Sum, square, axes.to_vec());
    let root = b.unary(Unary::Sqrt, sum);
    b.mul(scale, root)
}

/// A reduced value, repeated along the axes that it lacks.
fn spread(b: &mut Builder, reduced: Value, axes: &[usize], like: Value) -> Value {
    let shape = b.shape(like).clone();
    let kept = (0..shape.rank()).filter(|axis| !axes.contains(axis)).collect();
    b.broadcast(reduced, kept, shape)
}
