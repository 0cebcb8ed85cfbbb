//! Balancing of relative residuals (Wohlberg 2017): ρ grows while the primal one is the larger.
//!
//! ```text
//! r = ‖Ax + Bz − c‖_W / max(‖Ax‖_W, ‖Bz‖_W, ‖c‖_W),    s = ρ‖B(z⁺ − z)‖_W / ‖λ‖_{W⁻¹}
//! ρ ← ρ · clip(√(r/s), 1/100, 100)        when √(r/s) leaves [½, 2], at most so often
//! ```
//!
//! Both are relative to what they are made of, so no unit of the data or of the objective is left. They
//! are measured in the rows of the coupling: a dual residual in the units of x, relative to Aᵀλ, says
//! nothing where f is zero, since Aᵀλ is then zero at the solution. Changes become geometrically rarer,
//! which keeps the convergence theory of a fixed ρ, and bounds the number of factorisations.

use crate::schedule::admm::Iteration;
use crate::schedule::coder::Coder;
use crate::schedule::ir::{Penalty, StateId, Stmt};
use crate::tape::ir::{Binary, Unary};

const OFF: f64 = Penalty::OFF;
const MOST: f64 = Penalty::MOST;

/// Roundings that a primal residual has to exceed to count where z rests.
const NOISE: f64 = 100.0;

/// Iterations before the first change, and the growth of the wait after each: by trial on fifteen small
/// convex programs, of 10 or 20 or 25 and 1.2 or 1.5, the sum of iterations was least so.
const FIRST: f64 = 10.0;
const RARER: f64 = 1.2;

/// One look at the residuals; gives the flag that says whether ρ changed.
pub(super) fn policy(it: &Iteration, coder: &mut Coder, body: &mut Vec<Stmt>) -> StateId {
    let player = it.plan.player.index();
    let mut scalar = |name: &str, init: f64| {
        let name = coder.prefixed(player, name);
        coder.scalar(&name, init)
    };
    let (changed, wait, since) = (scalar("ρ changed", 0.0), scalar("ρ wait", FIRST), scalar("ρ since", 0.0));
    let trial = it.plan.memory().map(|_| crate::schedule::anderson::trial(it, coder));
    let mut draft = coder.draft("balance");
    let [r2, ax2, bz2, moved2] = it.weighed.map(|state| draft.read(coder, state));
    let lambda2 = draft.read(coder, it.multiplier);
    let rho = draft.read(coder, it.rho);
    let c2 = draft.number(weighted_constant(it), coder.dtype);
    let terms = draft.b.binary(Binary::Max, ax2, bz2);
    let terms = draft.b.binary(Binary::Max, terms, c2);
    // (r/s)² = r² ‖λ‖² / (terms ρ²‖BΔz‖²), roots first: squares of small numbers vanish in f32.
    let root = |draft: &mut crate::schedule::coder::Draft, value| draft.b.unary(Unary::Sqrt, value);
    let [r, terms, moved, lambda] = [r2, terms, moved2, lambda2].map(|value| root(&mut draft, value));
    let top = draft.b.mul(r, lambda);
    let bottom = draft.b.mul(terms, moved);
    let bottom = draft.b.mul(bottom, rho);
    let zero = draft.number(0.0, coder.dtype);
    let one = draft.number(1.0, coder.dtype);
    // While z rests on a corner of its set only λ moves, by ρr: the larger ρ, the sooner z does, too.
    // What is not linear may keep θ on its way long after the rows agree: then agreement within the tolerance is
    // enough, as no ρ that is larger makes it come sooner.
    let curved = it.plan.steps().any(|step| step.curved);
    let noise = NOISE * coder.dtype.eps();
    let enough = it.plan.settings.tol.filter(|_| curved).unwrap_or(noise).max(noise);
    let rounding = draft.b.scale(enough, terms);
    let apart = draft.b.binary(Binary::Less, rounding, r);
    let least = draft.b.mul(apart, top);
    let least = draft.b.scale(1.0 / (MOST * MOST), least);
    let bottom = draft.b.binary(Binary::Max, bottom, least);
    let both = draft.b.binary(Binary::Min, top, bottom);
    let usable = draft.b.binary(Binary::Less, zero, both);
    let divisor = draft.b.select(usable, bottom, one);
    let ratio = draft.b.div(top, divisor);
    let by = draft.b.unary(Unary::Sqrt, ratio);
    let (least, most) = (draft.number(1.0 / MOST, coder.dtype), draft.number(MOST, coder.dtype));
    let by = draft.b.clamp(by, least, most);
    let mut by = draft.b.select(usable, by, one);
    if curved {
        let calm = draft.b.binary(Binary::Min, by, one);
        by = draft.b.select(apart, by, calm);
    }
    let (low, high) = (draft.number(1.0 / OFF, coder.dtype), draft.number(OFF, coder.dtype));
    let below = draft.b.binary(Binary::Less, by, low);
    let above = draft.b.binary(Binary::Less, high, by);
    let far = draft.b.binary(Binary::Max, below, above);
    let count = draft.read(coder, since);
    let count = draft.b.offset(count, 1.0);
    let patience = draft.read(coder, wait);
    let mut due = draft.b.binary(Binary::LessEqual, patience, count);
    if let Some([pending, pairs]) = trial {
        // A combination's move says nothing of ρ, nor does the way back from one.
        let pending = draft.read(coder, pending);
        let plain = draft.b.sub(one, pending);
        let pairs = draft.read(coder, pairs);
        let settled = draft.b.binary(Binary::Less, one, pairs);
        due = draft.b.mul(due, plain);
        due = draft.b.mul(due, settled);
    }
    let mut change = draft.b.mul(far, due);
    if let Some(floor) = super::insist::floor(it, coder) {
        let floor = draft.read(coder, floor);
        let below = draft.b.binary(Binary::Less, rho, floor);
        change = draft.b.binary(Binary::Max, change, below);
    }
    let moved = draft.b.mul(rho, by);
    let moved = super::at_least(it, coder, &mut draft, moved);
    let next = draft.b.select(change, moved, rho);
    let longer = draft.b.scale(RARER, patience);
    let patience = draft.b.select(change, longer, patience);
    let count = draft.b.select(change, zero, count);
    for (state, value) in [(it.rho, next), (changed, change), (wait, patience), (since, count)] {
        draft.write(coder, state, value);
    }
    body.push(coder.call(draft, None, "adapt"));
    changed
}

/// `‖c‖²_W`
pub(super) fn weighted_constant(it: &Iteration) -> f64 {
    it.split
        .couplings
        .iter()
        .map(|coupling| {
            let weight = |row: usize| coupling.weights.as_ref().map_or(1.0, |weights| weights[row]);
            let own: f64 = coupling.offset.iter().enumerate().map(|(row, c)| weight(row) * c * c).sum();
            own * coupling.over.unwrap_or(1) as f64
        })
        .sum()
}
