//! Looking at the instructions behind a value.
//!
//! Elementwise functions commute with moving elements about. A pattern is therefore also found behind
//! a repeat, reshape, transpose or slice: what it gives is then moved in the same way.

use crate::tape::builder::Builder;
use crate::tape::ir::{Binary, Inst, Op, Type, Unary, Value};

/// The instruction that defines a value.
pub(super) fn inst(b: &Builder, value: Value) -> &Inst {
    &b.program().insts[value.index()]
}

/// Whether the op moves elements of its one operand and keeps their values.
fn moves(op: &Op) -> bool {
    matches!(op, Op::Broadcast { .. } | Op::Reshape | Op::Transpose { .. } | Op::Slice(_))
}

/// The number that fills a value.
pub(super) fn constant(b: &Builder, value: Value) -> Option<f64> {
    match inst(b, value) {
        Inst { op: Op::Const(number), .. } => Some(*number),
        Inst { op, args, .. } if moves(op) => constant(b, args[0]),
        _ => None,
    }
}

/// Whether a value is that number throughout; the sign of zero counts.
pub(super) fn is(b: &Builder, value: Value, number: f64) -> bool {
    constant(b, value).is_some_and(|constant| constant.to_bits() == number.to_bits())
}

/// Seen as `f(u)`, gives `u`.
pub(super) fn unary(b: &mut Builder, value: Value, f: Unary) -> Option<Value> {
    behind(b, value, &|b, value| as_unary(b, value, f))
}

/// The same where nothing has moved.
pub(super) fn as_unary(b: &Builder, value: Value, f: Unary) -> Option<Value> {
    let inst = inst(b, value);
    (inst.op == Op::Unary(f)).then(|| inst.args[0])
}

/// Seen as `f(u, v)` where nothing has moved, gives both.
pub(super) fn as_binary(b: &Builder, value: Value, f: Binary) -> Option<[Value; 2]> {
    let inst = inst(b, value);
    (inst.op == Op::Binary(f)).then(|| [inst.args[0], inst.args[1]])
}

/// Seen as `u + number` or `number + u`, gives `u`.
pub(super) fn plus(b: &mut Builder, value: Value, number: f64) -> Option<Value> {
    behind(b, value, &|b, value| {
        let [u, v] = as_binary(b, value, Binary::Add)?;
        if is(b, v, number) { Some(u) } else { is(b, u, number).then_some(v) }
    })
}

/// Seen as `1 − u`, gives `u`.
pub(super) fn one_minus(b: &mut Builder, value: Value) -> Option<Value> {
    behind(b, value, &|b, value| {
        let [one, u] = as_binary(b, value, Binary::Sub)?;
        is(b, one, 1.0).then_some(u)
    })
}

/// What the pattern gives for a value, or for what was moved to make it, moved likewise.
fn behind(b: &mut Builder, value: Value, pattern: &dyn Fn(&Builder, Value) -> Option<Value>) -> Option<Value> {
    if let Some(u) = pattern(b, value) {
        return Some(u);
    }
    let mover = inst(b, value).clone();
    if !moves(&mover.op) {
        return None;
    }
    let u = behind(b, mover.args[0], pattern)?;
    let ty = Type { dtype: b.dtype(u), shape: mover.ty.shape };
    Some(b.push(mover.op, vec![u], ty))
}
