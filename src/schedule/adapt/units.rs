//! Balancing in consistent units, for gradient steps on random batches.
//!
//! ```text
//! κ = ρη,   e_r, e_s: averages (0.9) of ‖r‖ and κ‖B(z⁺ − z)‖,   ρ ← ρ · clip(√(e_r/e_s), ½, 2)
//! ```
//!
//! κ has no unit, so both averages are measured in the variables' own; the equilibrium is κ ≈ 1,
//! ρ ≈ 1/η, for gradient noise of any size.

use super::factor;
use crate::schedule::admm::Iteration;
use crate::schedule::coder::Coder;
use crate::schedule::direction::average;
use crate::schedule::ir::{StateId, Stmt};
use crate::tape::ir::{Binary, Unary};

/// Weight of the past in the averages.
const MEMORY: f64 = 0.9;

/// Updates the averages: every iteration.
pub(super) fn smooth(it: &Iteration, coder: &mut Coder, body: &mut Vec<Stmt>) {
    let (primal, dual) = averages(it, coder);
    // Without a gradient step (all closed form) the natural unit is 1.
    let eta = it.plan.rate().unwrap_or(1.0);
    let mut draft = coder.draft("smooth");
    let rho = draft.read(coder, it.rho);
    let r = draft.read(coder, it.sums[0]);
    let r = draft.b.unary(Unary::Sqrt, r);
    let s = draft.read(coder, it.sums[3]);
    let s = draft.b.unary(Unary::Sqrt, s);
    let kappa = draft.b.scale(eta, rho);
    let s = draft.b.mul(kappa, s);
    for (state, now) in [(primal, r), (dual, s)] {
        let before = draft.read(coder, state);
        let next = average(&mut draft, MEMORY, before, now);
        draft.write(coder, state, next);
    }
    body.push(coder.call(draft, None, "adapt"));
}

/// Changes ρ; gives the flag that says so.
pub(super) fn policy(it: &Iteration, coder: &mut Coder, body: &mut Vec<Stmt>) -> StateId {
    let (primal, dual) = averages(it, coder);
    let name = coder.prefixed(it.plan.player.index(), "ρ changed");
    let changed = coder.scalar(&name, 0.0);
    let mut draft = coder.draft("balance");
    let (r, s) = (draft.read(coder, primal), draft.read(coder, dual));
    let by = factor(coder, &mut draft, r, s);
    let rho = draft.read(coder, it.rho);
    let next = draft.b.mul(rho, by);
    let next = super::at_least(it, coder, &mut draft, next);
    draft.write(coder, it.rho, next);
    let same = draft.b.binary(Binary::Equal, next, rho);
    let one = draft.number(1.0, coder.dtype);
    let change = draft.b.sub(one, same);
    draft.write(coder, changed, change);
    body.push(coder.call(draft, None, "adapt"));
    changed
}

fn averages(it: &Iteration, coder: &mut Coder) -> (StateId, StateId) {
    let mut scalar = |name: &str| {
        let name = coder.prefixed(it.plan.player.index(), name);
        coder.scalar(&name, 0.0)
    };
    (scalar("primal"), scalar("dual"))
}
