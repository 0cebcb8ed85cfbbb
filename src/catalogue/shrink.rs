//! What proximal steps of several members are made of: shrinking towards 0, by elements and by groups.
//!
//! A NaN passes through all of it, which `max(|v| − t, 0)` would hide, and `t` may be 0.

use crate::tape::ops::{Binary, Unary};
use crate::tape::{Builder, Value};

/// `sign(v) max(|v| − t, 0)` as `v − clamp(v, −t, t)`: Parikh & Boyd, Proximal Algorithms (2014), §6.5.2.
pub(super) fn soft(b: &mut Builder, v: Value, t: Value) -> Value {
    let low = b.neg(t);
    let inside = b.clamp(v, low, t);
    b.sub(v, inside)
}

/// `v` where `|v|` is above the bound, else 0.
pub(super) fn hard(b: &mut Builder, v: Value, bound: Value) -> Value {
    let size = b.unary(Unary::Abs, v);
    let below = b.binary(Binary::LessEqual, size, bound);
    let zero = b.constant_like(0.0, v);
    b.select(below, zero, v)
}

/// `max(1 − t/‖v‖, 0)` of a length, by which a group is multiplied: Parikh & Boyd (2014), §6.5.1.
pub(super) fn factor(b: &mut Builder, length: Value, t: Value) -> Value {
    let below = b.binary(Binary::LessEqual, length, t);
    let ratio = b.div(t, length);
    let one = b.constant_like(1.0, length);
    let factor = b.sub(one, ratio);
    let zero = b.constant_like(0.0, length);
    b.select(below, zero, factor)
}

/// The minimiser of `½(x − v)² + cost` among candidates, each `(x, cost)`; the first where several are.
pub(super) fn least(b: &mut Builder, v: Value, candidates: &[(Value, Value)]) -> Value {
    let mut best: Option<(Value, Value)> = None;
    for &(x, cost) in candidates {
        let off = b.sub(x, v);
        let square = b.unary(Unary::Square, off);
        let half = b.scale(0.5, square);
        let total = b.add(half, cost);
        best = Some(match best {
            None => (x, total),
            Some((chosen, least)) => {
                let better = b.binary(Binary::Less, total, least);
                (b.select(better, x, chosen), b.select(better, total, least))
            }
        });
    }
    let (x, total) = best.expect("there are candidates");
    // Comparisons pass over a NaN.
    let is_number = b.binary(Binary::Equal, total, total);
    b.select(is_number, x, total)
}

/// The root `x ≥ 0` of `x² − w x − p = 0` with `p ≥ 0`, without cancellation.
pub(super) fn positive_root(b: &mut Builder, w: Value, p: Value) -> Value {
    let side = b.unary(Unary::Sqrt, p);
    let side = b.scale(2.0, side);
    let root = b.hypot(w, side);
    let sum = b.add(w, root);
    let right = b.scale(0.5, sum);
    let twice = b.scale(2.0, p);
    let rest = b.sub(root, w);
    let left = b.div(twice, rest);
    let zero = b.constant_like(0.0, w);
    let negative = b.binary(Binary::Less, w, zero);
    b.select(negative, left, right)
}
