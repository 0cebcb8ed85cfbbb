//! A floor of ρ where a coupling is not linear: balanced residuals don't tell a ρ below which the iteration only
//! circles, and convergence needs one above it (Wang, Yin & Zeng 2019), which nobody knows beforehand.
//!
//! ```text
//! m = min ‖r‖ over a window;   m > tol·max(‖Ax‖, ‖Bz‖, ‖c‖) and m > ½ (the least before)  ⇒  floor = 2ρ
//! ```
//!
//! As in methods of multipliers, ρ is raised while the constraint is not met better than before (Bertsekas 1982,
//! §2.2.5), here after windows that grow, since an iteration is one of many for a multiplier.

use crate::schedule::admm::Iteration;
use crate::schedule::coder::Coder;
use crate::schedule::ir::{StateId, Stmt};
use crate::tape::ir::{Binary, Unary};

/// Iterations of the first window, and the growth of the next: with these, five problems with networks ended
/// stationary within 5000 iterations from a ρ of 1/100, 1 or 100, but for one run of fifteen.
const FIRST: f64 = 100.0;
const LONGER: f64 = 1.5;

/// What the least residual of a window has to be of the least before.
const FALLEN: f64 = 0.5;

/// Above any residual.
const NONE: f64 = 1e30;

/// The floor, where there is one.
pub(super) fn floor(it: &Iteration, coder: &mut Coder) -> Option<StateId> {
    let name = coder.prefixed(it.plan.player.index(), "ρ floor");
    it.plan.steps().any(|step| step.curved).then(|| coder.scalar(&name, 0.0))
}

/// One look at the residual: every iteration.
pub(super) fn statements(it: &Iteration, coder: &mut Coder, body: &mut Vec<Stmt>) {
    let Some(floor) = floor(it, coder) else { return };
    let mut scalar = |name: &str, init: f64| {
        let name = coder.prefixed(it.plan.player.index(), name);
        coder.scalar(&name, init)
    };
    let (least, before) = (scalar("r least", NONE), scalar("r before", NONE));
    let (count, window) = (scalar("r count", 0.0), scalar("r window", FIRST));
    let mut draft = coder.draft("insist");
    let [r, ax, bz] = [it.sums[0], it.sums[1], it.sums[2]].map(|state| {
        let square = draft.read(coder, state);
        draft.b.unary(Unary::Sqrt, square)
    });
    let terms = draft.b.binary(Binary::Max, ax, bz);
    let enough = draft.b.scale(it.plan.settings.tol.unwrap_or(coder.dtype.eps()), terms);
    let own = draft.read(coder, least);
    let own = draft.b.binary(Binary::Min, own, r);
    let past = draft.read(coder, before);
    let so_far = draft.read(coder, count);
    let so_far = draft.b.offset(so_far, 1.0);
    let length = draft.read(coder, window);
    let over = draft.b.binary(Binary::LessEqual, length, so_far);
    let fallen = draft.b.scale(FALLEN, past);
    let stands = draft.b.binary(Binary::Less, fallen, own);
    let apart = draft.b.binary(Binary::Less, enough, own);
    let raised = draft.b.mul(stands, apart);
    let raised = draft.b.mul(raised, over);
    let rho = draft.read(coder, it.rho);
    let twice = draft.b.scale(2.0, rho);
    let kept = draft.read(coder, floor);
    let next = draft.b.select(raised, twice, kept);
    draft.write(coder, floor, next);
    let lower = draft.b.binary(Binary::Min, past, own);
    let past = draft.b.select(over, lower, past);
    draft.write(coder, before, past);
    let (none, zero) = (draft.number(NONE, coder.dtype), draft.number(0.0, coder.dtype));
    let own = draft.b.select(over, none, own);
    draft.write(coder, least, own);
    let so_far = draft.b.select(over, zero, so_far);
    draft.write(coder, count, so_far);
    let longer = draft.b.scale(LONGER, length);
    let length = draft.b.select(over, longer, length);
    draft.write(coder, window, length);
    body.push(coder.call(draft, None, "adapt"));
}
