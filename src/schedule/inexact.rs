//! How well an inner method that stops by itself solves its step: to a tenth of what the last iteration left,
//! the dual residual, and of what it starts from, whichever is less. Errors fall with the residuals, so that
//! the sum of all is finite (Eckstein & Bertsekas 1992, Theorem 8).

use super::admm::Iteration;
use super::coder::{Coder, Draft};
use crate::tape::{Binary, Unary, Value};

/// What is left of a residual, relative to what it is tied to.
const SHARE: f64 = 0.1;

/// The square of the bound, where the square of what there is at the start is known.
pub(super) fn bound(it: &Iteration, coder: &mut Coder, draft: &mut Draft, squares: Value) -> Value {
    let name = coder.prefixed(it.plan.player.index(), "dual");
    let dual = coder.scalar(&name, 0.0);
    let dual = draft.read(coder, dual);
    let last = draft.b.unary(Unary::Square, dual);
    let known = draft.b.select(last, last, squares);
    let least = draft.b.binary(Binary::Min, known, squares);
    draft.b.scale(SHARE * SHARE, least)
}
