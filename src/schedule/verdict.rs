//! The programs of the re-check: objective, constraints and stationarity on the problem as written,
//! in f64, from the variables and multipliers alone (sums of multipliers over a family are gathered in
//! the working precision).

use super::admm::{Cotangent, Iteration, point};
use super::coder::{Coder, Draft, as_is, summed};
use super::descent::Unsplit;
use super::gradient;
use super::ir::{Arg, Check, StateId, Stmt, Verdict};
use super::prox;
use crate::model::ir::{Leaf, Member, PlayerId};
use crate::split::ir::PlayerSplit;
use crate::steps::ir::{Curvature, Rule, Step};
use crate::tape::{self, Dtype, Value};

/// The objective's terms of a player, in the sense that was written.
pub(super) fn terms(coder: &mut Coder, player: PlayerId) -> Vec<Check> {
    let this = &coder.model.players[player.index()];
    let sign = if this.maximize { -1.0 } else { 1.0 };
    let mut checks = Vec::new();
    for (at, term) in this.terms.iter().enumerate() {
        if coder.model.is_random(&term.expr) {
            continue;
        }
        let label = term.label.clone().unwrap_or_else(|| format!("term {}", at + 1));
        let expr = summed(&term.expr, term.over);
        let mut draft = coder.draft("term");
        let (values, _) = coder.lower(&mut draft, &[expr], Dtype::F64, &mut as_is);
        let value = draft.b.scale(sign, values[0]);
        checks.push(check(draft, label, &[("value", value)], None));
    }
    checks
}

/// The whole verdict on a split iteration. What a check needs gathered over a family goes to `tail`,
/// which stands at the end of the schedule.
pub(super) fn admm(coder: &mut Coder, it: &Iteration, tail: &mut Vec<Stmt>) -> Verdict {
    let plan = it.plan;
    let mut verdict = Verdict { terms: terms(coder, plan.player), ..Verdict::default() };
    // Only what was tested has a tolerance to be held to.
    verdict.tol = plan.settings.tol.filter(|_| plan.is_tested());
    verdict.convex = plan.steps().all(is_convex);
    let scales = ["γp", "γd"].map(|name| {
        let name = coder.prefixed(plan.player.index(), name);
        coder.scalar(&name, 0.0)
    });
    for coupling in &it.split.couplings {
        let mut draft = coder.draft("rows");
        let rows = it.rows(coder, &mut draft, coupling, Dtype::F64);
        let sum = draft.b.add(rows.x, rows.z);
        let residual = rows.add_offset(&mut draft, sum);
        let squares = [rows.x, rows.z, residual].map(|value| draft.b.sum_squares(value));
        let scale = draft.b.add(squares[0], squares[1]);
        let scale = with_floor(coder, &mut draft, scale, scales[0], coupling.shape.numel());
        verdict.constraints.push(check(
            draft,
            coupling.name.clone(),
            &[("residual²", squares[2]), ("scale²", scale)],
            coupling.over,
        ));
    }
    if plan.is_stochastic() {
        return verdict;
    }
    for step in plan.steps() {
        let names: Vec<&str> =
            step.component.vars.iter().map(|var| coder.model.vars[var.index()].name.as_str()).collect();
        let label = names.join(", ");
        let mut draft = coder.draft("stationarity");
        let own = point(coder, &mut draft, &step.component.vars, step.component.over);
        let values: Vec<Value> = own.values.iter().map(|&value| draft.b.cast(value, Dtype::F64)).collect();
        let multiplier = it.adjoint(coder, &mut draft, step, Cotangent::Multiplier, Dtype::F64, tail);
        let residual = match &step.rule {
            Rule::Prox(form) => prox::residual(it, coder, &mut draft, step, form, &values, multiplier),
            Rule::Quadratic { .. } | Rule::Descent(_) => {
                let value = gradient::objective(it, coder, &mut draft, step, &values, Dtype::F64);
                let gradients = tape::gradient(&mut draft.b, value, &values);
                let flat = draft.flat(&gradients);
                draft.b.add(flat, multiplier)
            }
        };
        let residual = draft.b.sum_squares(residual);
        let scale = draft.b.sum_squares(multiplier);
        let scale = with_floor(coder, &mut draft, scale, scales[1], step.gram.n());
        verdict.stationarity.push(check(
            draft,
            label,
            &[("residual²", residual), ("scale²", scale)],
            step.component.over,
        ));
    }
    verdict
}

/// `scale² + n γ²`: the absolute part of the tolerance.
fn with_floor(coder: &Coder, draft: &mut Draft, scale: Value, gamma: StateId, n: usize) -> Value {
    let gamma = draft.read(coder, gamma);
    let gamma = draft.b.cast(gamma, Dtype::F64);
    let square = draft.b.mul(gamma, gamma);
    let floor = draft.b.scale(n as f64, square);
    draft.b.add(scale, floor)
}

fn check(mut draft: Draft, label: String, outputs: &[(&str, Value)], over: Option<usize>) -> Check {
    for &(name, value) in outputs {
        draft.b.output(name, value);
    }
    let (program, inputs): (_, Vec<Arg>) = draft.into_parts();
    Check { label, program, inputs, over }
}

/// Whether a component's own terms are convex as far as the plan can tell.
fn is_convex(step: &Step) -> bool {
    match &step.rule {
        Rule::Quadratic { curvature, .. } => curvature.iter().all(Curvature::is_semidefinite),
        Rule::Prox(form) => form.is_convex(),
        Rule::Descent(_) => false,
    }
}

/// The verdict on a descent: the gradient of the unsplit objective against its first norm.
pub(super) fn descent(coder: &mut Coder, split: &PlayerSplit, tol: Option<f64>) -> Verdict {
    let mut verdict = Verdict { terms: terms(coder, split.player), tol, ..Verdict::default() };
    let unsplit = Unsplit::new(split);
    if tol.is_none() || unsplit.terms(coder).iter().any(|term| coder.model.is_random(term)) {
        return verdict;
    }
    let mut draft = coder.draft("stationarity");
    let values: Vec<Value> =
        unsplit.whole.kept.iter().map(|&var| draft.leaf(coder, Leaf::Var(var, Member::None), Dtype::F64)).collect();
    let value = unsplit.objective(coder, &mut draft, &values, Dtype::F64);
    let gradients = tape::gradient(&mut draft.b, value, &values);
    let flat = draft.flat(&gradients);
    let residual = draft.b.sum_squares(flat);
    let tag = coder.prefixed(split.player.index(), "·whole");
    let first = coder.scalar(&format!("‖g₀‖².{tag}"), 0.0);
    let scale = draft.read(coder, first);
    let scale = draft.b.cast(scale, Dtype::F64);
    verdict.stationarity.push(check(
        draft,
        "gradient".to_string(),
        &[("residual²", residual), ("scale²", scale)],
        None,
    ));
    verdict
}
