//! The step of variables that some coupling is not linear in: an inner method on the penalty itself.
//!
//! ```text
//! minimise  h(v) + Σ ⟨λ, r(v)⟩ + (ρ/2)‖r(v)‖²_W        r(v) the coupling's rows, the other block as the step sees it
//! ```
//!
//! L-BFGS takes it as it is. Gradient steps and Adam take the penalty of the rows linearised at the last point,
//! J their derivative there (Gauss and Newton; Levenberg 1944 for the metric), so that no ρ makes the step
//! explode:
//!
//! ```text
//! (D/η + ρJᵀWJ)(v⁺ − v) = −(m + Jᵀ(λ + ρW r(v)))
//! ```
//!
//! which is the step with a matrix M, J in its place. A few turns of conjugate gradients solve it: each makes
//! the model of the penalty less, however few there are, and r rows that are much the same need few.

use super::admm::{Iteration, Side};
use super::coder::{Coder, Draft};
use super::gradient;
use super::ir::Stmt;
use super::search::{self, Problem};
use crate::model::ir::{Descent, Leaf};
use crate::split::ir::Coupling;
use crate::steps::ir::Step;
use crate::tape::{Shape, Value, jvp, vjp};

/// Turns of conjugate gradients: with these, steps by gradients and by Adam on three problems with networks, of 1 row
/// and of 40, stayed bounded and made progress at ρ of 1/100, 1 and 100.
const TURNS: usize = 8;

/// The inner minimisation of a component by L-BFGS.
pub(super) fn inner(
    it: &Iteration,
    coder: &mut Coder,
    own: &Step,
    descent: &Descent,
    side: Side,
    body: &mut Vec<Stmt>,
) {
    let mut value = |coder: &mut Coder, draft: &mut Draft, values: &[Value]| {
        let data = gradient::objective(it, coder, draft, own, values, coder.dtype);
        let penalty = penalty(it, coder, draft, own, side, values);
        draft.b.add(data, penalty)
    };
    let mut problem = Problem {
        tag: coder.prefixed(it.plan.player.index(), &it.tag(coder, own)),
        vars: &own.component.vars,
        what: Iteration::what(side),
        value: &mut value,
        within: Some(it),
    };
    search::looped(coder, &mut problem, descent, body);
}

/// `Σ ⟨λ, r⟩ + (ρ/2)‖r‖²_W` at values of the step's variables.
fn penalty(it: &Iteration, coder: &mut Coder, draft: &mut Draft, own: &Step, side: Side, values: &[Value]) -> Value {
    let vars = own.component.vars.clone();
    let mut sum = draft.number(0.0, coder.dtype);
    for (_, coupling) in it.split.couplings_of(&own.component.vars) {
        let rows = rows_at(it, coder, draft, coupling, &vars, values);
        let rows = it.as_seen(coder, draft, coupling, side, rows);
        let (_, lambda) = it.lambda(coder, draft, coupling, coder.dtype);
        let half = it.penalised(coder, draft, coupling, rows, coder.dtype);
        let half = draft.b.scale(0.5, half);
        let force = draft.b.add(lambda, half);
        let [force, rows] = [force, rows].map(|value| draft.flat(&[value]));
        let part = draft.b.dot(force, rows);
        sum = draft.b.add(sum, part);
    }
    sum
}

/// A coupling's rows at values of those variables.
fn rows_at(
    it: &Iteration,
    coder: &mut Coder,
    draft: &mut Draft,
    coupling: &Coupling,
    vars: &[crate::model::ir::VarId],
    values: &[Value],
) -> Value {
    let player = &coder.model.players[it.plan.player.index()];
    let expr = player.constraints[coupling.constraint.index()].relation.expr().clone();
    let mut at_point = |_: &mut Coder, draft: &mut Draft, leaf: Leaf| gradient::replaced(draft, leaf, vars, values);
    coder.lower(draft, &[expr], coder.dtype, &mut at_point).0[0]
}

/// A gradient step at a point.
pub(super) struct Move<'v> {
    /// The variables' values, and the same one behind another.
    pub values: &'v [Value],
    pub v: Value,
    /// The gradient or its moments.
    pub vector: Value,
    /// `D`, where it is not the identity.
    pub metric: Option<Value>,
    /// `Jᵀ(λ + ρW r(v))`
    pub pull: Value,
}

/// `v − (D/η + ρJᵀWJ)⁻¹(m + Jᵀ(λ + ρW r(v)))`, by conjugate gradients in the metric D/η, from 0.
pub(super) fn implicit(
    it: &Iteration,
    coder: &mut Coder,
    draft: &mut Draft,
    own: &Step,
    descent: &Descent,
    at: Move,
) -> Value {
    let metric = at.metric.unwrap_or_else(|| draft.b.constant_like(1.0, at.v));
    let metric = draft.b.scale(1.0 / descent.rate, metric);
    let mut left = draft.b.add(at.vector, at.pull);
    let mut scaled = draft.b.div(left, metric);
    let mut direction = scaled;
    let mut square = draft.b.dot(left, scaled);
    let mut moved = draft.b.constant_like(0.0, at.v);
    for turn in 1..=TURNS {
        let curved = curvature(it, coder, draft, own, at.values, direction);
        let held = draft.b.mul(metric, direction);
        let product = draft.b.add(held, curved);
        let along = draft.b.dot(direction, product);
        let length = over(coder, draft, square, along);
        let by = draft.b.mul(length, direction);
        moved = draft.b.add(moved, by);
        if turn == TURNS {
            break;
        }
        let by = draft.b.mul(length, product);
        left = draft.b.sub(left, by);
        scaled = draft.b.div(left, metric);
        let before = std::mem::replace(&mut square, draft.b.dot(left, scaled));
        let beta = over(coder, draft, square, before);
        let kept = draft.b.mul(beta, direction);
        direction = draft.b.add(scaled, kept);
    }
    draft.b.sub(at.v, moved)
}

/// `ρJᵀWJu`, J over all couplings of the step.
fn curvature(it: &Iteration, coder: &mut Coder, draft: &mut Draft, own: &Step, values: &[Value], u: Value) -> Value {
    let vars = own.component.vars.clone();
    let shapes: Vec<Shape> = values.iter().map(|&value| draft.b.shape(value).clone()).collect();
    let tangents = draft.unflat(u, &shapes);
    let mut sum = draft.b.constant_like(0.0, u);
    for (_, coupling) in it.split.couplings_of(&own.component.vars) {
        let rows = rows_at(it, coder, draft, coupling, &vars, values);
        let moved = jvp(&mut draft.b, rows, values, &tangents);
        let weighted = it.penalised(coder, draft, coupling, moved, coder.dtype);
        let back = vjp(&mut draft.b, rows, weighted, values);
        let back = draft.flat(&back);
        sum = draft.b.add(sum, back);
    }
    sum
}

/// `a/b`, and `a` where b is 0.
fn over(coder: &Coder, draft: &mut Draft, a: Value, b: Value) -> Value {
    let one = draft.number(1.0, coder.dtype);
    let divisor = draft.b.select(b, b, one);
    draft.b.div(a, divisor)
}
