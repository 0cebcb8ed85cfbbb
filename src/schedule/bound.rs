//! The dual bound: how much better than the answer a point can be at most, from the multipliers.
//!
//! For `h` convex and `e ∈ ∂h(u) + Mᵀλ`, whatever `u` and `λ` are,
//!
//! ```text
//! h(v) + ⟨Mᵀλ, v⟩ ≥ h(u) + ⟨Mᵀλ, u⟩ + ⟨e, v − u⟩          for all v
//! ```
//!
//! Added up over the steps, on the points with `Ax + Bz = c`, that is the dual function at λ where all `e`
//! vanish, and otherwise short of it by `‖e‖·‖v − u‖`. A bound for every point would need `e = 0` or a
//! bounded domain; this one is for those that lie, step by step, within the norm of the answer around it. `u`
//! is the answer itself, or, where it is stepped by a proximal map, what the map makes of it, which lies in the
//! sets.

use super::admm::{Cotangent, Iteration, point};
use super::coder::{Coder, Draft, as_is, summed};
use super::ir::{Check, DualBound, Stmt};
use super::verdict::{check, held};
use super::{composite, gradient, prox};
use crate::model::ir::Expr;
use crate::steps::ir::{Rule, Step};
use crate::tape::{self, Dtype, Value};

/// The parts of the bound, where every step is convex.
pub(super) fn of(coder: &mut Coder, it: &Iteration, gathers: &mut Vec<Stmt>) -> Option<DualBound> {
    let plan = it.plan;
    if !plan.convex || plan.is_stochastic() {
        return None;
    }
    let mut parts: Vec<Check> = plan.steps().map(|step| part(coder, it, step, gathers)).collect();
    parts.extend(constants(coder, it));
    for coupling in &it.split.couplings {
        let mut draft = coder.draft("offset");
        let rows = it.rows(coder, &mut draft, coupling, Dtype::F64);
        let Some(offset) = rows.offset else { continue };
        let (_, lambda) = it.lambda(coder, &mut draft, coupling, Dtype::F64);
        let value = draft.b.dot(lambda, offset);
        let zero = draft.number(0.0, Dtype::F64);
        parts.push(checked(draft, coupling.name.clone(), [value, zero, zero], coupling.over));
    }
    Some(DualBound { parts, maximize: coder.model.players[plan.player.index()].maximize })
}

/// Terms without variables, which no step has.
fn constants(coder: &mut Coder, it: &Iteration) -> Option<Check> {
    let terms = &coder.model.players[it.plan.player.index()].terms;
    let stepped = |at: &usize| it.plan.steps().any(|step| step.component.terms.contains(at));
    let rest: Vec<Expr> =
        (0..terms.len()).filter(|at| !stepped(at)).map(|at| summed(&terms[at].expr, terms[at].over)).collect();
    if rest.is_empty() {
        return None;
    }
    let mut draft = coder.draft("constants");
    let (values, _) = coder.lower(&mut draft, &rest, Dtype::F64, &mut as_is);
    let value = gradient::total(&mut draft, &values, Dtype::F64);
    let zero = draft.number(0.0, Dtype::F64);
    Some(checked(draft, "constants".to_string(), [value, zero, zero], None))
}

/// `h(u) + ⟨Mᵀλ, u⟩`, `‖e‖²` and `‖v‖²` of a step.
fn part(coder: &mut Coder, it: &Iteration, step: &Step, gathers: &mut Vec<Stmt>) -> Check {
    let mut draft = coder.draft("bound");
    let own = point(coder, &mut draft, &step.component.vars, step.component.over);
    let values: Vec<Value> = own.values.iter().map(|&value| draft.b.cast(value, Dtype::F64)).collect();
    let multiplier = it.adjoint(coder, &mut draft, step, Cotangent::Multiplier, Dtype::F64, gathers);
    let v = draft.flat(&values);
    let size = draft.b.sum_squares(v);
    let (u, slope, held) = match &step.rule {
        Rule::Prox(form) | Rule::Linearised(form) => {
            let gap = prox::gap(it, coder, &mut draft, step, form, &values, multiplier);
            (gap.next, Some(gap.slope), None)
        }
        Rule::Composite(rule) => {
            let (next, slope) = composite::landed(it, coder, &mut draft, step, rule, &values, multiplier);
            (next, Some(slope), None)
        }
        Rule::Quadratic { .. } | Rule::Descent(_) => (v, None, held(coder, it, step, &mut draft, &values)),
    };
    let at = draft.unflat(u, &own.shapes);
    let value = gradient::objective(it, coder, &mut draft, step, &at, Dtype::F64);
    let slope = slope.unwrap_or_else(|| {
        let gradients = tape::gradient(&mut draft.b, value, &at);
        let flat = draft.flat(&gradients);
        let sum = draft.b.add(flat, multiplier);
        held.as_ref().map_or(sum, |held| draft.b.add(sum, held.slope))
    });
    let pulled = draft.b.dot(multiplier, u);
    let mut value = draft.b.add(value, pulled);
    if let Some(held) = held {
        // Points that meet the equations differ from one that almost does.
        value = draft.b.add(value, held.value);
    }
    let residual = draft.b.sum_squares(slope);
    let names: Vec<&str> = step.component.vars.iter().map(|var| coder.model.vars[var.index()].name.as_str()).collect();
    let label = names.join(", ");
    checked(draft, label, [value, residual, size], step.component.over)
}

fn checked(draft: Draft, label: String, outputs: [Value; 3], over: Option<usize>) -> Check {
    let [value, residual, size] = outputs;
    check(draft, label, &[("value", value), ("residual²", residual), ("size²", size)], over)
}
