//! The step of variables that some coupling is not linear in: an inner method on the penalty itself.
//!
//! ```text
//! minimise  h(v) + Σ ⟨λ, r(v)⟩ + (ρ/2)‖r(v)‖²_W        r(v) the coupling's rows, the other block as the step sees it
//! ```
//!
//! L-BFGS takes it as it is. Gradient steps and Adam take the derivative J of the rows at the last point, and
//! a bound of the penalty's curvature `ρJᵀWJ` in their metric, so that no ρ makes the step explode:
//!
//! ```text
//! (D/η + ρκI)(v⁺ − v) = −(m + Jᵀ(λ + ρW r(v)))        κ ≥ ‖W^½J‖²
//! ```
//!
//! κ is [`MARGIN`] times the greater of the quotients `‖W^½Ju‖²/‖u‖²` in two directions: the one that the step
//! goes, and one that a turn of the power method has brought nearer to the longest at every step before.

use super::admm::{Iteration, Side, point};
use super::coder::{Coder, Draft};
use super::gradient;
use super::ir::Stmt;
use super::lbfgs::{self, Problem};
use crate::model::ir::{Descent, Leaf};
use crate::split::ir::Coupling;
use crate::steps::ir::Step;
use crate::tape::ir::{Binary, Unary};
use crate::tape::{Shape, Value, jvp, vjp};

/// What κ is above the quotients found, which are lower bounds of what it has to be above.
const MARGIN: f64 = 2.0;

/// The inner minimisation of a component by L-BFGS.
pub(super) fn inner(
    it: &Iteration,
    coder: &mut Coder,
    own: &Step,
    descent: &Descent,
    memory: usize,
    side: Side,
    body: &mut Vec<Stmt>,
) {
    let vars = &own.component.vars;
    let mut read = |coder: &mut Coder, draft: &mut Draft| {
        let point = point(coder, draft, vars, None);
        draft.flat(&point.values)
    };
    let mut write = |coder: &mut Coder, draft: &mut Draft, flat: Value| {
        let point = point(coder, draft, vars, None);
        let values = draft.unflat(flat, &point.shapes);
        point.write(coder, draft, &values);
    };
    let mut value = |coder: &mut Coder, draft: &mut Draft, flat: Value| {
        let shapes: Vec<Shape> = vars.iter().map(|var| lbfgs::whole_shape(coder, *var)).collect();
        let values = draft.unflat(flat, &shapes);
        let data = gradient::objective(it, coder, draft, own, &values, coder.dtype);
        let penalty = penalty(it, coder, draft, own, side, &values);
        draft.b.add(data, penalty)
    };
    let mut problem = Problem {
        tag: coder.prefixed(it.plan.player.index(), &it.tag(coder, own)),
        n: own.gram.n(),
        memory,
        what: Iteration::what(side),
        read: &mut read,
        write: &mut write,
        value: &mut value,
    };
    body.extend(lbfgs::looped(coder, &mut problem, descent));
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

/// `v − (D/η + ρκI)⁻¹(m + Jᵀ(λ + ρW r(v)))`
pub(super) fn implicit(
    it: &Iteration,
    coder: &mut Coder,
    draft: &mut Draft,
    own: &Step,
    descent: &Descent,
    at: Move,
) -> Value {
    let force = draft.b.add(at.vector, at.pull);
    let kappa = bound(it, coder, draft, own, at.values, force);
    let rho = draft.read(coder, it.rho);
    let held = draft.b.mul(rho, kappa);
    let held = draft.b.scale(descent.rate, held);
    let metric = match at.metric {
        Some(metric) => draft.b.add(metric, held),
        None => draft.b.offset(held, 1.0),
    };
    let moved = draft.b.scale(descent.rate, force);
    let moved = draft.b.div(moved, metric);
    draft.b.sub(at.v, moved)
}

/// κ at values of the step's variables, where it goes along `force`.
fn bound(it: &Iteration, coder: &mut Coder, draft: &mut Draft, own: &Step, values: &[Value], force: Value) -> Value {
    let tag = coder.prefixed(it.plan.player.index(), &it.tag(coder, own));
    let longest = coder.zeros(&format!("u.{tag}"), Shape::vector(own.gram.n()), None);
    let before = draft.read(coder, longest);
    let square = draft.b.sum_squares(before);
    // Before the first turn the way of the step is as good as any.
    let u = draft.b.select(square, before, force);
    let (along_u, turned) = quotient(it, coder, draft, own, values, u);
    let (along_force, _) = quotient(it, coder, draft, own, values, force);
    let length = draft.b.norm2(turned);
    let next = over(coder, draft, turned, length);
    draft.write(coder, longest, next);
    let kappa = draft.b.binary(Binary::Max, along_u, along_force);
    draft.b.scale(MARGIN, kappa)
}

/// `‖W^½Ju‖²/‖u‖²` and `JᵀWJu`, J over all couplings of the step.
fn quotient(
    it: &Iteration,
    coder: &mut Coder,
    draft: &mut Draft,
    own: &Step,
    values: &[Value],
    u: Value,
) -> (Value, Value) {
    let vars = own.component.vars.clone();
    let shapes: Vec<Shape> = values.iter().map(|&value| draft.b.shape(value).clone()).collect();
    let tangents = draft.unflat(u, &shapes);
    let mut sum: Option<(Value, Value)> = None;
    for (_, coupling) in it.split.couplings_of(&own.component.vars) {
        let rows = rows_at(it, coder, draft, coupling, &vars, values);
        let moved = jvp(&mut draft.b, rows, values, &tangents);
        let weighted = it.weighted(coder, draft, coupling, moved, coder.dtype);
        let back = vjp(&mut draft.b, rows, weighted, values);
        let back = draft.flat(&back);
        let [left, right] = [moved, weighted].map(|value| draft.flat(&[value]));
        let square = draft.b.dot(left, right);
        sum = Some(match sum {
            None => (square, back),
            Some((squares, backs)) => (draft.b.add(squares, square), draft.b.add(backs, back)),
        });
    }
    let (square, back) = sum.expect("a step that is curved has a coupling (steps::step)");
    let length = draft.b.sum_squares(u);
    (over(coder, draft, square, length), back)
}

/// `a/b`, and `a` where b is 0.
fn over(coder: &Coder, draft: &mut Draft, a: Value, b: Value) -> Value {
    let one = draft.number(1.0, coder.dtype);
    let divisor = draft.b.select(b, b, one);
    let inverse = draft.b.unary(Unary::Recip, divisor);
    draft.b.mul(inverse, a)
}
