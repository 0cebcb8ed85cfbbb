//! How much of a multiplier is noise, where batches are random: its mean over the last iterations over how far it
//! strays from that.
//!
//! ```text
//! λ̄ ← λ̄ + w(λ − λ̄),    σ² ← σ² + w(‖λ − λ̄‖² − σ²),    w = 1/min(k, 100) in iteration k;    ‖λ̄‖/σ
//! ```
//!
//! λ is a sum of what every batch said of the gradients, so it strays by up to what one batch does. Measured on two
//! copies: by 0.50, 0.63, 0.91 and 1.0 of that at κ = ρ·rate = 0.1, 1, 10 and 100.

use super::admm::{Iteration, add_square};
use super::coder::{Coder, Draft};
use super::ir::{Arg, StateId, Stmt};
use crate::split::ir::Coupling;
use crate::steps::ir::AdmmPlan;
use crate::tape::Value;
use crate::tape::ir::{Binary, Unary};

/// Iterations of the mean.
const WINDOW: f64 = 100.0;

/// What the record calls it.
pub(super) const NAME: &str = "lambda_over_sd";

/// The ratio that a record shows, where batches are random.
pub(super) fn shown(coder: &mut Coder, plan: &AdmmPlan) -> Option<StateId> {
    let tied = !coder.split.players[plan.player.index()].couplings.is_empty();
    (tied && plan.is_stochastic()).then(|| scalar(coder, plan, "λ̄/σ"))
}

fn scalar(coder: &mut Coder, plan: &AdmmPlan, name: &str) -> StateId {
    let name = coder.prefixed(plan.player.index(), name);
    coder.scalar(&name, 0.0)
}

/// Before the multipliers of an iteration.
pub(super) fn begin(it: &Iteration, coder: &mut Coder, body: &mut Vec<Stmt>) {
    if shown(coder, it.plan).is_none() {
        return;
    }
    let count = scalar(coder, it.plan, "λ̄ count");
    let mut draft = coder.draft("noise");
    let so_far = draft.read(coder, count);
    let next = draft.b.offset(so_far, 1.0);
    let most = draft.number(WINDOW, coder.dtype);
    let next = draft.b.binary(Binary::Min, next, most);
    draft.write(coder, count, next);
    for name in ["λ̄²", "(λ − λ̄)²"] {
        let zero = draft.number(0.0, coder.dtype);
        let sum = scalar(coder, it.plan, name);
        draft.write(coder, sum, zero);
    }
    body.push(coder.call(draft, None, "λ-step"));
}

/// One multiplier, as it is now.
pub(super) fn seen(it: &Iteration, coder: &mut Coder, draft: &mut Draft, coupling: &Coupling, lambda: Value) {
    if shown(coder, it.plan).is_none() {
        return;
    }
    let state = it.beside(coder, "λ̄", coupling);
    let state = Arg { state, member: coupling.over.is_some() };
    let mean = draft.read(coder, state);
    let away = draft.b.sub(lambda, mean);
    let count = scalar(coder, it.plan, "λ̄ count");
    let count = draft.read(coder, count);
    let share = draft.b.div(away, count);
    let next = draft.b.add(mean, share);
    draft.write(coder, state, next);
    for (name, value) in [("λ̄²", next), ("(λ − λ̄)²", away)] {
        let sum = scalar(coder, it.plan, name);
        add_square(coder, draft, sum, value);
    }
}

/// Behind all of them.
pub(super) fn end(it: &Iteration, coder: &mut Coder, body: &mut Vec<Stmt>) {
    let Some(shown) = shown(coder, it.plan) else { return };
    let variance = scalar(coder, it.plan, "σ²");
    let mut draft = coder.draft("noise");
    let [count, mean, away] = ["λ̄ count", "λ̄²", "(λ − λ̄)²"].map(|name| {
        let state = scalar(coder, it.plan, name);
        draft.read(coder, state)
    });
    let so_far = draft.read(coder, variance);
    let more = draft.b.sub(away, so_far);
    let more = draft.b.div(more, count);
    let next = draft.b.add(so_far, more);
    draft.write(coder, variance, next);
    let (zero, one) = (draft.number(0.0, coder.dtype), draft.number(1.0, coder.dtype));
    let strays = draft.b.binary(Binary::Less, zero, next);
    let divisor = draft.b.select(strays, next, one);
    let ratio = draft.b.div(mean, divisor);
    let ratio = draft.b.unary(Unary::Sqrt, ratio);
    let ratio = draft.b.select(strays, ratio, zero);
    draft.write(coder, shown, ratio);
    body.push(coder.call(draft, None, "λ-step"));
}
