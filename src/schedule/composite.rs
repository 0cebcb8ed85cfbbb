//! The step of a smooth function s and a proximal map φ: gradient steps on s that end in the map, the penalty
//! implicit in the metric `F = D/η + ρMᵀM` (Parikh & Boyd, Proximal Algorithms, 2014, §4.2).
//!
//! ```text
//! force = m + pull − Dv/η,      v⁺ = map at −force/F,      −force − Fv⁺ ∈ ∂φ(v⁺)
//! ```
//!
//! m is the gradient of s or its moments, D as in [`direction`]. Where the penalty is linearised,
//! `F = D/η + ρκ` and `force = m + Mᵀ(λ + ρ(Mv + other block − c)) − Dv/η − ρκv`.
//!
//! The slope of φ that a step ends with is kept: with the gradient of s at the point returned it says how far
//! that is from stationary.

use super::admm::{Cotangent, Iteration, Side, point};
use super::coder::{Coder, Draft};
use super::direction::{self, Direction};
use super::gradient::{self, own};
use super::ir::{LoopStmt, LoopUnit, StateId, Stmt, StopStatus};
use super::prox::{self, Landed};
use super::{fista, sample};
use crate::model::ir::DescentKind;
use crate::steps::ir::{Composite, Penalty, Step};
use crate::tape::{self, Dtype, Shape, Value};

/// The statements of the step.
pub(super) fn step(it: &Iteration, coder: &mut Coder, step: &Step, rule: &Composite, side: Side, body: &mut Vec<Stmt>) {
    if rule.descent.kind == DescentKind::Fista {
        return fista::step(it, coder, step, rule, side, body);
    }
    let (over, descent) = (step.component.over, &rule.descent);
    let tag = coder.prefixed(it.plan.player.index(), &it.tag(coder, step));
    let smooth = smooth(step, rule);
    let mut inner = Vec::new();
    if descent.fresh {
        let exprs = gradient::terms(coder, it, &smooth);
        let samples = sample::redrawn(coder, &exprs);
        inner.extend(sample::draws(coder, &samples));
    }
    let mut draft = coder.draft(Iteration::what(side));
    let at = point(coder, &mut draft, &step.component.vars, over);
    let value = gradient::objective(it, coder, &mut draft, &smooth, &at.values, coder.dtype);
    let gradients = tape::gradient(&mut draft.b, value, &at.values);
    let flat = draft.flat(&gradients);
    let v = draft.flat(&at.values);
    // What is gathered of a family stands before all inner steps, unless it depends on v.
    let pull = match rule.penalty {
        Penalty::Linearised(kappa) => {
            let here = it.adjoint(coder, &mut draft, step, Cotangent::Here(side), coder.dtype, &mut inner);
            let rho = draft.read(coder, it.rho);
            let tau = draft.b.scale(kappa, rho);
            let held = draft.b.mul(tau, v);
            draft.b.sub(here, held)
        }
        Penalty::Exact | Penalty::Smooth => {
            it.adjoint(coder, &mut draft, step, Cotangent::Pull(side), coder.dtype, body)
        }
    };
    let Direction { mut vector, metric } = direction::of(coder, &mut draft, &tag, descent, flat, over);
    if let DescentKind::Gradient { momentum } = descent.kind
        && momentum != 0.0
    {
        // As for plain gradient steps: the average, not the sum, has the weight of a gradient.
        vector = draft.b.scale(1.0 - momentum, vector);
    }
    let map = (step, &rule.form);
    let held = prox::held(it, coder, &mut draft, map, metric, v);
    let force = draft.b.add(vector, pull);
    let force = draft.b.sub(force, held);
    let landed = prox::landed(it, coder, &mut draft, map, metric, force, &at.shapes);
    if it.plan.is_tested() {
        let state = slope(it, coder, step);
        draft.write(coder, own(state, over), landed.slope);
    }
    let stop = descent.tol.map(|tol| {
        let moved = draft.b.sub(v, landed.next);
        let moved = prox::held(it, coder, &mut draft, map, metric, moved);
        direction::stop_flag(coder, &mut draft, &tag, moved, tol)
    });
    let values = draft.unflat(landed.next, &at.shapes);
    at.write(coder, &mut draft, &values);
    inner.push(coder.call(draft, over, Iteration::what(side)));
    match (descent.steps, stop) {
        (1, _) => body.extend(inner),
        (count, stop) => {
            if let Some(when) = stop {
                body.push(direction::reset_stop(coder, &tag));
                inner.push(Stmt::Stop { when, status: StopStatus::Inner });
            }
            body.push(Stmt::Loop(LoopStmt { count, unit: LoopUnit::Step, body: inner }));
        }
    }
}

/// The step with the smooth terms alone.
pub(super) fn smooth(step: &Step, rule: &Composite) -> Step {
    let mut smooth = step.clone();
    smooth.component.terms = rule.smooth.clone();
    smooth
}

/// The slope of φ at the point returned.
pub(super) fn slope(it: &Iteration, coder: &mut Coder, step: &Step) -> StateId {
    let name = coder.prefixed(it.plan.player.index(), &format!("∂φ.{}", it.tag(coder, step)));
    coder.zeros(&name, Shape::vector(step.gram.n()), step.component.over)
}

/// What the step at the point returned leaves of stationarity: `∇s(v) + Mᵀλ` and the slope of φ.
pub(super) fn residual(
    it: &Iteration,
    coder: &mut Coder,
    draft: &mut Draft,
    step: &Step,
    rule: &Composite,
    multiplier: Value,
) -> Value {
    let over = step.component.over;
    let at = point(coder, draft, &step.component.vars, over);
    let gradient = gradient_of(it, coder, draft, step, rule, &at.values, coder.dtype);
    let state = slope(it, coder, step);
    let slope = draft.read(coder, own(state, over));
    let sum = draft.b.add(gradient, multiplier);
    draft.b.add(sum, slope)
}

/// `∇s` at values of the variables, one behind another.
fn gradient_of(
    it: &Iteration,
    coder: &mut Coder,
    draft: &mut Draft,
    step: &Step,
    rule: &Composite,
    values: &[Value],
    dtype: Dtype,
) -> Value {
    let value = gradient::objective(it, coder, draft, &smooth(step, rule), values, dtype);
    let gradients = tape::gradient(&mut draft.b, value, values);
    draft.flat(&gradients)
}

/// How far a point is from stationary, in f64 and from its values and the multiplier alone: by the proximal
/// gradient step from there, in the metric of a named step, else in that of the penalty.
pub(super) struct Gap {
    /// `F(v − v⁺)`, in the units of a gradient: zero, exactly where v is stationary.
    pub residual: Value,
    next: Value,
    /// `−force − Fv⁺ ∈ ∂φ(v⁺)`
    slope: Value,
}

/// The gap of a step at values of its variables.
pub(super) fn gap(
    it: &Iteration,
    coder: &mut Coder,
    draft: &mut Draft,
    step: &Step,
    rule: &Composite,
    values: &[Value],
    multiplier: Value,
) -> Gap {
    let shapes: Vec<Shape> = values.iter().map(|&value| draft.b.shape(value).clone()).collect();
    let (map, d) = ((step, &rule.form), judged_in(it, coder, draft, step, rule));
    let gradient = gradient_of(it, coder, draft, step, rule, values, Dtype::F64);
    let metric = prox::metric(it, coder, draft, map, d, Dtype::F64);
    let v = draft.flat(values);
    let held = draft.b.mul(metric, v);
    let force = draft.b.add(gradient, multiplier);
    let force = draft.b.sub(force, held);
    let Landed { next, slope } = prox::landed(it, coder, draft, map, d, force, &shapes);
    let off = draft.b.sub(v, next);
    Gap { residual: draft.b.mul(metric, off), next, slope }
}

/// D of the metric that a point is judged in.
fn judged_in(it: &Iteration, coder: &mut Coder, draft: &mut Draft, step: &Step, rule: &Composite) -> Option<Value> {
    if rule.descent.kind != DescentKind::Fista {
        return None;
    }
    let largest = step.gram.diagonal().iter().fold(0.0f64, |largest, &g| largest.max(g));
    let rho = draft.read(coder, it.rho);
    let rho = draft.b.cast(rho, Dtype::F64);
    Some(if largest > 0.0 { draft.b.scale(largest, rho) } else { draft.number(1.0, Dtype::F64) })
}

/// `v⁺` of the [`Gap`], and an element of `∂s(v⁺) + ∂φ(v⁺) + Mᵀλ`, in f64.
pub(super) fn landed(
    it: &Iteration,
    coder: &mut Coder,
    draft: &mut Draft,
    step: &Step,
    rule: &Composite,
    values: &[Value],
    multiplier: Value,
) -> (Value, Value) {
    let Gap { next, slope, .. } = gap(it, coder, draft, step, rule, values, multiplier);
    let shapes: Vec<Shape> = values.iter().map(|&value| draft.b.shape(value).clone()).collect();
    let at = draft.unflat(next, &shapes);
    let there = gradient_of(it, coder, draft, step, rule, &at, Dtype::F64);
    let sum = draft.b.add(there, multiplier);
    (next, draft.b.add(sum, slope))
}
