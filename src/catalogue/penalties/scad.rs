//! `scad(x, lambda, a) = Σᵢ p(xᵢ)`, the smoothly clipped absolute deviation (Fan & Li, Variable selection via
//! nonconcave penalized likelihood and its oracle properties, 2001): for `λ ≥ 0`, `a > 1`
//!
//! ```text
//! p(x) = λ|x|                                   where |x| ≤ λ
//!        (2aλ|x| − x² − λ²)/(2(a − 1))           where |x| ≤ aλ
//!        λ²(a + 1)/2                            elsewhere
//! ```
//!
//! Its curvature is −1/(a − 1) or 0. Kinks where an element is 0. Its step is the best of the stationary
//! points of the three pieces, each cut to its piece.

use crate::catalogue::member::Member;
use crate::catalogue::prox::Prox;
use crate::catalogue::set::{above, at_least};
use crate::catalogue::shrink;
use crate::tape::ops::{Binary, Unary};
use crate::tape::{Builder, Value};

pub const MEMBER: Member = Member::total(
    "scad(x, lambda, a = 3.7)",
    "smoothly clipped absolute deviation: lambda·|x| that levels off from lambda to a·lambda",
    |b, args| {
        let size = b.unary(Unary::Abs, args[0]);
        let costs = penalty(b, size, args[1], args[2]);
        b.sum(costs)
    },
)
.kinked()
.prox(Prox::separable(step).nonconvex())
.values(|_, args| at_least(args, 1, 0.0).and_then(|()| above(args, 2, 1.0)));

/// `p` of a magnitude: `λm − (c − λ)²₊/(2(a − 1))` with `m = min(x, aλ)`, as it leaves the line at λ.
fn penalty(b: &mut Builder, size: Value, lambda: Value, a: Value) -> Value {
    let end = b.mul(a, lambda);
    let capped = b.binary(Binary::Min, size, end);
    let past = b.sub(capped, lambda);
    let past = b.unary(Unary::Relu, past);
    let square = b.unary(Unary::Square, past);
    let span = b.offset(a, -1.0);
    let twice = b.scale(2.0, span);
    let bent = b.div(square, twice);
    let line = b.mul(lambda, capped);
    b.sub(line, bent)
}

fn step(b: &mut Builder, v: Value, t: Value, args: &[Value]) -> Value {
    let (lambda, a) = (args[1], args[2]);
    let size = b.unary(Unary::Abs, v);
    let end = b.mul(a, lambda);
    let zero = b.constant(0.0, b.dtype(v));
    // x − |v| + tλ = 0
    let bound = b.mul(t, lambda);
    let line = b.sub(size, bound);
    let line = b.clamp(line, zero, lambda);
    // x − |v| + t(aλ − x)/(a − 1) = 0; where t ≥ a − 1 it is no minimum, and an end of the piece is better.
    let span = b.offset(a, -1.0);
    let rest = b.sub(span, t);
    let (scaled, pulled) = (b.mul(span, size), b.mul(t, end));
    let above = b.sub(scaled, pulled);
    let bent = b.div(above, rest);
    let minimal = b.binary(Binary::Less, zero, rest);
    let bent = b.select(minimal, bent, lambda);
    let bent = b.clamp(bent, lambda, end);
    let flat = b.binary(Binary::Max, size, end);
    let candidates = [line, bent, flat].map(|x| {
        let cost = penalty(b, x, lambda, a);
        (x, b.mul(t, cost))
    });
    let best = shrink::least(b, size, &candidates);
    let sign = b.unary(Unary::Sign, v);
    b.mul(sign, best)
}
