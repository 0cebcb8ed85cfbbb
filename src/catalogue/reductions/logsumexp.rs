//! `logsumexp(u) = log Σᵢ exp(uᵢ)`, row by row of a matrix, without overflow. With `s` its value at the step
//! and `p = softmax` there, the step is `x = v − tp`, where
//!
//! ```text
//! yᵢ + t exp yᵢ = vᵢ − s,   pᵢ = exp yᵢ,   Σ pᵢ = 1
//! ```
//!
//! The sum is convex in `s` and falls, so that Newton's method rises to the root from any point on its left:
//! `s ≥ logsumexp(v) − t max softmax(v)`, as the function lies above its tangent at `v`.

use crate::catalogue::member::{Member, WrongArguments};
use crate::catalogue::prox::Prox;
use crate::catalogue::set::along_rows;
use crate::catalogue::shapes;
use crate::tape::ops::{Binary, Reducer, Unary};
use crate::tape::{Builder, Shape, Value};

/// Newton's steps, of which most take below ten: where all is linear, one may be taken an element.
const STEPS: usize = 200;

pub const MEMBER: Member =
    Member::total("logsumexp(u)", "log(sum(exp(u))) of every row, without overflow", |b, args| {
        let last = b.shape(args[0]).rank() - 1;
        b.reduce(Reducer::LogSumExp, args[0], vec![last])
    })
    .shape(shape)
    .aliases(&["log_sum_exp"])
    .prox(Prox::convex(step));

fn shape(args: &[Shape]) -> Result<Shape, WrongArguments> {
    let mut shape = shapes::rows(args)?;
    shape.0.pop();
    Ok(shape)
}

fn step(b: &mut Builder, v: Value, t: Value, _: &[Value]) -> Value {
    let one = b.constant(1.0, b.dtype(v));
    // Without weight the point stays, and every weight will do.
    let weight = b.select(t, t, one);
    let last = b.shape(v).rank() - 1;
    let value = b.logsumexp(v, vec![last]);
    let greatest = b.reduce(Reducer::Max, v, vec![last]);
    let log_share = b.sub(greatest, value);
    let share = b.unary(Unary::Exp, log_share);
    let reach = b.mul(weight, share);
    let start = b.sub(value, reach);
    let level = b.iterate_whole("level", &[start], &[v, weight], STEPS, |b, state, fixed| newton(b, state[0], fixed));
    let (u, log_t) = parts(b, v, weight, level);
    // x = v − eᵘ = u − log t + s, the one of which loses less.
    let e = b.unary(Unary::Exp, u);
    let left = b.sub(v, e);
    let shape = b.shape(v).clone();
    let level = along_rows(b, level, &shape);
    let y = b.sub(u, log_t);
    let right = b.add(y, level);
    let zero = b.constant_like(0.0, u);
    let positive = b.binary(Binary::Less, zero, u);
    let x = b.select(positive, right, left);
    b.select(t, x, v)
}

/// `u = y + log t`, with `u + eᵘ = v − s + log t`; and `log t`.
fn parts(b: &mut Builder, v: Value, t: Value, level: Value) -> (Value, Value) {
    let shape = b.shape(v).clone();
    let log_t = b.unary(Unary::Log, t);
    let level = along_rows(b, level, &shape);
    let above = b.sub(v, level);
    let c = b.add(above, log_t);
    (b.log_omega(c), log_t)
}

/// The next level of every row, and whether none has moved but by roundings.
fn newton(b: &mut Builder, level: Value, fixed: &[Value]) -> (Vec<Value>, Value) {
    let (v, t, dtype) = (fixed[0], fixed[1], b.dtype(level));
    let (last, shape) = (b.shape(v).rank() - 1, b.shape(v).clone());
    let (u, log_t) = parts(b, v, t, level);
    let y = b.sub(u, log_t);
    let p = b.unary(Unary::Exp, y);
    let e = b.unary(Unary::Exp, u);
    let slope = b.offset(e, 1.0);
    let falls = b.div(p, slope);
    let (sum, slope) = (b.reduce(Reducer::Sum, p, vec![last]), b.reduce(Reducer::Sum, falls, vec![last]));
    let excess = b.offset(sum, -1.0);
    let change = b.div(excess, slope);
    let next = b.add(level, change);
    let size = b.unary(Unary::Abs, v);
    let size = b.reduce(Reducer::Max, size, vec![last]);
    debug_assert_eq!(b.shape(size).0, shape.0[..last], "a number a row");
    let rounding = b.scale(2.0 * dtype.eps(), size);
    let unit = b.unary(Unary::Abs, next);
    let own = b.scale(2.0 * dtype.eps(), unit);
    let rounding = b.add(rounding, own);
    // A NaN does not rise.
    let rises = b.binary(Binary::Less, rounding, change);
    let rises = b.reduce(Reducer::Max, rises, (0..last).collect());
    let zero = b.constant(0.0, dtype);
    let done = b.binary(Binary::Equal, rises, zero);
    (vec![next], done)
}
