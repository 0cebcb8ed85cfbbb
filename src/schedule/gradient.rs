//! The inner gradient steps of a component, the penalty taken exactly:
//!
//! ```text
//! (D/η + ρMᵀM) v⁺ = (D/η) v − m − pull          m: the data gradient, or its moments
//! ```
//!
//! D = I for gradient steps, Adam's diagonal for Adam. Only data gradients enter the moments. Where a coupling is
//! not linear in the variables, [`curved`] takes its penalty.

use super::admm::{Cotangent, Iteration, Side, point};
use super::coder::{Coder, Draft, summed};
use super::curved;
use super::direction::{self, Direction};
use super::ir::{Arg, LoopStmt, LoopUnit, Stmt, StopStatus};
use super::{sample, search};
use crate::model::ir::{Descent, DescentKind, Expr, Leaf, Member, VarId};
use crate::steps::ir::{Curvature, Step};
use crate::tape::Op;
use crate::tape::{self, Dtype, Shape, Value};

/// The statements of the step.
pub(super) fn step(
    it: &mut Iteration,
    coder: &mut Coder,
    step: &Step,
    descent: &Descent,
    side: Side,
    body: &mut Vec<Stmt>,
) {
    if descent.is_searched() {
        let inner = if step.curved { curved::inner } else { search::inner };
        return inner(it, coder, step, descent, side, body);
    }
    let over = step.component.over;
    let tag = coder.prefixed(it.plan.player.index(), &it.tag(coder, step));
    let mut inner = Vec::new();
    if descent.fresh {
        let exprs = terms(coder, it, step);
        let samples = sample::redrawn(coder, &exprs);
        inner.extend(sample::draws(coder, &samples));
    }
    let mut draft = coder.draft(Iteration::what(side));
    let own = point(coder, &mut draft, &step.component.vars, over);
    let value = objective(it, coder, &mut draft, step, &own.values, coder.dtype);
    let gradients = tape::gradient(&mut draft.b, value, &own.values);
    let flat = draft.flat(&gradients);
    // Statements that gather a family's pull stand before all inner steps: they do not depend on v.
    let pulled = if step.curved { Cotangent::Here(side) } else { Cotangent::Pull(side) };
    let pull = it.adjoint(coder, &mut draft, step, pulled, coder.dtype, body);
    let v = draft.flat(&own.values);
    let Direction { mut vector, metric } = direction::of(coder, &mut draft, &tag, descent, flat, over);
    if let DescentKind::Gradient { momentum } = descent.kind
        && momentum != 0.0
    {
        // Heavy ball sums to g/(1 − β) at rest, against a pull that is not summed: the step would come to
        // rest where f/(1 − β) + g is least. The average has the right weight.
        vector = draft.b.scale(1.0 - momentum, vector);
    }
    let next = match step.curved {
        true => {
            let at = curved::Move { values: &own.values, v, vector, metric, pull };
            curved::implicit(it, coder, &mut draft, step, descent, at)
        }
        false => implicit(it, coder, &mut draft, step, descent, &tag, Solve { v, vector, metric, pull }),
    };
    let values = draft.unflat(next, &own.shapes);
    own.write(coder, &mut draft, &values);
    let stop = descent.tol.map(|tol| {
        let total = total_gradient(it, coder, &mut draft, step, flat, pull, v);
        direction::stop_flag(coder, &mut draft, &tag, total, tol)
    });
    inner.push(coder.call(draft, over, Iteration::what(side)));
    if let Some(flag) = stop {
        inner.push(Stmt::Stop { when: flag, status: StopStatus::Inner });
    }
    match descent.steps {
        1 => body.extend(inner.into_iter().filter(|stmt| !matches!(stmt, Stmt::Stop { .. }))),
        count => {
            if descent.tol.is_some() {
                body.push(direction::reset_stop(coder, &tag));
            }
            body.push(Stmt::Loop(LoopStmt { count, unit: LoopUnit::Step, body: inner }));
        }
    }
}

/// What the implicit step solves.
struct Solve {
    v: Value,
    vector: Value,
    metric: Option<Value>,
    pull: Value,
}

/// `(D/η + ρG)⁻¹(Dv/η − m − pull)`
fn implicit(
    it: &mut Iteration,
    coder: &mut Coder,
    draft: &mut Draft,
    step: &Step,
    descent: &Descent,
    tag: &str,
    solve: Solve,
) -> Value {
    let eta = descent.rate;
    let rho = draft.read(coder, it.rho);
    let force = draft.b.add(solve.vector, solve.pull);
    let held = match solve.metric {
        Some(d) => draft.b.mul(d, solve.v),
        None => solve.v,
    };
    match &step.gram {
        Curvature::Diagonal(g) => {
            let moved = draft.b.scale(eta, force);
            let top = draft.b.sub(held, moved);
            let g = super::quadratic::numbers(coder, draft, &format!("MᵀM.{tag}"), std::slice::from_ref(g));
            let weighted = draft.b.mul(rho, g);
            let weighted = draft.b.scale(eta, weighted);
            let bottom = match solve.metric {
                Some(d) => draft.b.add(d, weighted),
                None => draft.b.offset(weighted, 1.0),
            };
            draft.b.div(top, bottom)
        }
        g => {
            let n = g.n();
            let g = g.to_dense();
            let held = draft.b.scale(1.0 / eta, held);
            let right = draft.b.sub(held, force);
            let state = coder.constant(&format!("MᵀM.{tag} full"), Shape::matrix(n, n), None, g.data.clone());
            let g = draft.read(coder, state);
            let weighted = draft.b.mul(rho, g);
            let metric = match solve.metric {
                Some(d) => d,
                None => {
                    let one = draft.number(1.0, coder.dtype);
                    draft.b.broadcast_scalar(one, &Shape::vector(n))
                }
            };
            let metric = draft.b.scale(1.0 / eta, metric);
            let matrix = super::quadratic::parts::add_diagonal(draft, weighted, metric);
            let ty = draft.b.ty(matrix).clone();
            let factor = draft.b.push(Op::Cholesky, vec![matrix], ty);
            let ty = draft.b.ty(right).clone();
            draft.b.push(Op::CholeskySolve, vec![factor, right], ty)
        }
    }
}

/// The gradient of the whole step's objective, `∇h + pull + ρMᵀMv`, for the inner stopping test.
fn total_gradient(
    it: &Iteration,
    coder: &mut Coder,
    draft: &mut Draft,
    step: &Step,
    gradient: Value,
    pull: Value,
    v: Value,
) -> Value {
    let rho = draft.read(coder, it.rho);
    let tag = coder.prefixed(it.plan.player.index(), &it.tag(coder, step));
    let curved = super::quadratic::parts::curved(coder, draft, &format!("MᵀM.{tag}"), &step.gram, v);
    let weighted = draft.b.mul(rho, curved);
    let sum = draft.b.add(gradient, pull);
    draft.b.add(sum, weighted)
}

/// `ρ/2‖Mv‖²` and its likes need `MᵀMv`; see [`total_gradient`].
pub(super) fn curvature_product(it: &Iteration, coder: &mut Coder, draft: &mut Draft, step: &Step, v: Value) -> Value {
    let zero = draft.number(0.0, coder.dtype);
    let n = draft.b.shape(v).clone();
    let zero = draft.b.broadcast_scalar(zero, &n);
    total_gradient(it, coder, draft, step, zero, zero, v)
}

/// The terms of a component, those of a family summed where the component is none.
pub(super) fn terms(coder: &Coder, it: &Iteration, step: &Step) -> Vec<Expr> {
    let player = &coder.model.players[it.plan.player.index()];
    step.component
        .terms
        .iter()
        .map(|&at| {
            let term = &player.terms[at];
            let over = if step.component.over.is_some() { None } else { term.over };
            summed(&term.expr, over)
        })
        .collect()
}

/// `h(v)` at the given values of the component's variables.
pub(super) fn objective(
    it: &Iteration,
    coder: &mut Coder,
    draft: &mut Draft,
    step: &Step,
    values: &[Value],
    dtype: Dtype,
) -> Value {
    let exprs = terms(coder, it, step);
    let vars = step.component.vars.clone();
    let mut at_point = |_: &mut Coder, draft: &mut Draft, leaf: Leaf| replaced(draft, leaf, &vars, values);
    let (terms, _) = coder.lower(draft, &exprs, dtype, &mut at_point);
    total(draft, &terms, dtype)
}

/// The sum of scalars.
pub(super) fn total(draft: &mut Draft, terms: &[Value], dtype: Dtype) -> Value {
    let sum = terms.iter().copied().reduce(|sum, term| draft.b.add(sum, term));
    sum.unwrap_or_else(|| draft.number(0.0, dtype))
}

/// The value that stands for a leaf of one of these variables: a member of a whole family is a slice.
pub(super) fn replaced(draft: &mut Draft, leaf: Leaf, vars: &[VarId], values: &[Value]) -> Option<Value> {
    let Leaf::Var(var, member) = leaf else { return None };
    let value = values[vars.iter().position(|own| *own == var)?];
    Some(match member {
        Member::None | Member::Loop => value,
        Member::At(k) => draft.member(value, k),
    })
}

/// An argument that is a state of a member where the step is one.
pub(super) fn own(state: super::ir::StateId, over: Option<usize>) -> Arg {
    Arg { state, member: over.is_some() }
}
