//! The moments of first-order methods: gradient, heavy ball (Polyak 1964), Adam (Kingma & Ba 2015).
//!
//! Adam is written as a metric: the step is `m̂` measured in `D = √v̂ + ε`, so that a penalty can be
//! taken in the same metric.

use super::coder::{Coder, Draft};
use super::gradient::own;
use super::ir::{StateId, Stmt};
use crate::model::ir::{Descent, DescentKind};
use crate::tape::ir::{Binary, Unary};
use crate::tape::{Shape, Value};

/// What a step moves along.
pub(super) struct Direction {
    /// The gradient or its first moment.
    pub vector: Value,
    /// `D`, where it is not the identity.
    pub metric: Option<Value>,
}

/// The direction from a flat gradient; moments are states named after `tag`.
pub(super) fn of(
    coder: &mut Coder,
    draft: &mut Draft,
    tag: &str,
    descent: &Descent,
    gradient: Value,
    over: Option<usize>,
) -> Direction {
    let shape = draft.b.shape(gradient).clone();
    match descent.kind {
        DescentKind::Gradient { momentum: 0.0 } => Direction { vector: gradient, metric: None },
        DescentKind::Gradient { momentum } => {
            let state = coder.zeros(&format!("momentum.{tag}"), shape, over);
            let before = draft.read(coder, own(state, over));
            let kept = draft.b.scale(momentum, before);
            let vector = draft.b.add(kept, gradient);
            draft.write(coder, own(state, over), vector);
            Direction { vector, metric: None }
        }
        DescentKind::Adam { beta1, beta2, epsilon } => {
            let first = coder.zeros(&format!("m.{tag}"), shape.clone(), over);
            let second = coder.zeros(&format!("v.{tag}"), shape, over);
            let count = coder.zeros(&format!("steps.{tag}"), Shape::scalar(), over);
            let (m, v) = (draft.read(coder, own(first, over)), draft.read(coder, own(second, over)));
            let t = draft.read(coder, own(count, over));
            let t = draft.b.offset(t, 1.0);
            let square = draft.b.unary(Unary::Square, gradient);
            let m = average(draft, beta1, m, gradient);
            let v = average(draft, beta2, v, square);
            for (state, value) in [(first, m), (second, v), (count, t)] {
                draft.write(coder, own(state, over), value);
            }
            let m_hat = corrected(coder, draft, m, beta1, t);
            let v_hat = corrected(coder, draft, v, beta2, t);
            let root = draft.b.unary(Unary::Sqrt, v_hat);
            let metric = draft.b.offset(root, epsilon);
            Direction { vector: m_hat, metric: Some(metric) }
        }
        DescentKind::Lbfgs { .. } | DescentKind::Newton | DescentKind::Fista => {
            unreachable!("what finds its step lengths has a file of its own (gradient::step)")
        }
    }
}

/// `β a + (1 − β) b`
pub(super) fn average(draft: &mut Draft, beta: f64, a: Value, b: Value) -> Value {
    let kept = draft.b.scale(beta, a);
    let new = draft.b.scale(1.0 - beta, b);
    draft.b.add(kept, new)
}

/// `m/(1 − βᵗ)`
fn corrected(coder: &Coder, draft: &mut Draft, m: Value, beta: f64, t: Value) -> Value {
    let beta = draft.number(beta, coder.dtype);
    let power = draft.b.binary(Binary::Pow, beta, t);
    let one = draft.number(1.0, coder.dtype);
    let left = draft.b.sub(one, power);
    draft.b.div(m, left)
}

/// 1 when `‖g‖` has fallen to `tol` times what it was at the first step since the reset.
pub(super) fn stop_flag(coder: &mut Coder, draft: &mut Draft, tag: &str, gradient: Value, tol: f64) -> StateId {
    let start = coder.scalar(&format!("‖g₀‖².{tag}"), 0.0);
    let flag = coder.scalar(&format!("done.{tag}"), 0.0);
    let now = draft.b.sum_squares(gradient);
    let before = draft.read(coder, start);
    let first = draft.b.select(before, before, now);
    draft.write(coder, start, first);
    let bound = draft.b.scale(tol * tol, first);
    let small = draft.b.binary(Binary::LessEqual, now, bound);
    // ∞ ≤ ∞ is no success.
    let finite = draft.b.unary(Unary::IsFinite, now);
    let done = draft.b.mul(small, finite);
    draft.write(coder, flag, done);
    flag
}

/// Forgets the first gradient norm.
pub(super) fn reset_stop(coder: &mut Coder, tag: &str) -> Stmt {
    let start = coder.scalar(&format!("‖g₀‖².{tag}"), 0.0);
    let mut draft = coder.draft("reset");
    let zero = draft.number(0.0, coder.dtype);
    draft.write(coder, start, zero);
    coder.call(draft, None, "reset")
}
