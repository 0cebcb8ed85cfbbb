//! Balancing of relative residuals (Wohlberg 2017): ρ grows while the primal one is the larger.
//!
//! ```text
//! ρ ← ρ · clip(√(r/s), ½, 2)        when r/s leaves [1/μ, μ], at most so often
//! ```
//!
//! r and s are relative to what they are made of, so units cancel. Changes become geometrically rarer
//! (each lengthens the wait for the next by a fifth), which keeps the convergence theory of a fixed ρ.

use super::factor;
use crate::schedule::admm::Iteration;
use crate::schedule::coder::Coder;
use crate::schedule::ir::{StateId, Stmt};
use crate::tape::ir::{Binary, Unary};

/// How far apart the relative residuals may be.
const MU: f64 = 2.0;

/// Growth of the wait after each change, by trial: from ρ six decades off, the toy network and the
/// quadratic examples are balanced within a hundred iterations.
const RARER: f64 = 1.2;

/// One look at the residuals; gives the flag that says whether ρ changed.
pub(super) fn policy(it: &Iteration, coder: &mut Coder, body: &mut Vec<Stmt>) -> StateId {
    let player = it.plan.player.index();
    let mut scalar = |name: &str, init: f64| {
        let name = coder.prefixed(player, name);
        coder.scalar(&name, init)
    };
    let (changed, wait, since) = (scalar("ρ changed", 0.0), scalar("ρ wait", 1.0), scalar("ρ since", 0.0));
    let (primal, dual, scale) = (scalar("primal", 0.0), scalar("dual", 0.0), scalar("Mᵀλ².x", 0.0));
    let mut draft = coder.draft("balance");
    let (r, s) = (draft.read(coder, primal), draft.read(coder, dual));
    let (ax, bz) = (draft.read(coder, it.sums[1]), draft.read(coder, it.sums[2]));
    let terms = draft.b.binary(Binary::Max, ax, bz);
    let terms = draft.b.unary(Unary::Sqrt, terms);
    let scale = draft.read(coder, scale);
    let scale = draft.b.unary(Unary::Sqrt, scale);
    // (r/terms)/(s/scale), multiplied out: no division by a term that is zero.
    let (r, s) = (draft.b.mul(r, scale), draft.b.mul(s, terms));
    let by = factor(coder, &mut draft, r, s);
    let (low, high) = (draft.number(1.0 / MU.sqrt(), coder.dtype), draft.number(MU.sqrt(), coder.dtype));
    let below = draft.b.binary(Binary::Less, by, low);
    let above = draft.b.binary(Binary::Less, high, by);
    let apart = draft.b.binary(Binary::Max, below, above);
    let count = draft.read(coder, since);
    let count = draft.b.offset(count, 1.0);
    let patience = draft.read(coder, wait);
    let due = draft.b.binary(Binary::LessEqual, patience, count);
    let change = draft.b.mul(apart, due);
    let rho = draft.read(coder, it.rho);
    let moved = draft.b.mul(rho, by);
    let moved = super::at_least(it, coder, &mut draft, moved);
    let next = draft.b.select(change, moved, rho);
    let longer = draft.b.scale(RARER, patience);
    let patience = draft.b.select(change, longer, patience);
    let zero = draft.number(0.0, coder.dtype);
    let count = draft.b.select(change, zero, count);
    for (state, value) in [(it.rho, next), (changed, change), (wait, patience), (since, count)] {
        draft.write(coder, state, value);
    }
    body.push(coder.call(draft, None, "adapt"));
    changed
}
