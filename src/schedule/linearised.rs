//! The step with the penalty linearised at the last point:
//!
//! ```text
//! v⁺ = map at pull − ρκv,      pull = Mᵀ(λ + ρ(Mv + other block − c))
//! ```
//!
//! What is left of stationarity is `Mᵀλ⁺ − (pull + ρκ(v⁺ − v))`: the bracket balances the step's own terms.

use super::admm::{Cotangent, Iteration, Side, point};
use super::coder::Coder;
use super::gradient::own;
use super::ir::{Arg, Stmt};
use super::prox;
use crate::split::proximal::Proximal;
use crate::steps::ir::Step;
use crate::tape::Shape;

/// The statements of the step.
pub(super) fn step(it: &Iteration, coder: &mut Coder, step: &Step, form: &Proximal, side: Side, body: &mut Vec<Stmt>) {
    let kappa = form.gram.first().copied().unwrap_or(0.0);
    let over = step.component.over;
    let mut draft = coder.draft(Iteration::what(side));
    let at = point(coder, &mut draft, &step.component.vars, over);
    let pull = it.adjoint(coder, &mut draft, step, Cotangent::Here(side), coder.dtype, body);
    let v = draft.flat(&at.values);
    let rho = draft.read(coder, it.rho);
    let tau = draft.b.scale(kappa, rho);
    let held = draft.b.mul(tau, v);
    let free = draft.b.sub(pull, held);
    let next = prox::pulled(it, coder, &mut draft, step, form, free, &at.shapes);
    let moved = draft.b.sub(next, v);
    let moved = draft.b.mul(tau, moved);
    let balanced = draft.b.add(pull, moved);
    let state = self::balanced(it, coder, step);
    draft.write(coder, state, balanced);
    let values = draft.unflat(next, &at.shapes);
    at.write(coder, &mut draft, &values);
    body.push(coder.call(draft, over, Iteration::what(side)));
}

/// What balances the step's own terms at the point returned.
pub(super) fn balanced(it: &Iteration, coder: &mut Coder, step: &Step) -> Arg {
    let name = coder.prefixed(it.plan.player.index(), &format!("balance.{}", it.tag(coder, step)));
    let state = coder.zeros(&name, Shape::vector(step.gram.n()), step.component.over);
    own(state, step.component.over)
}
