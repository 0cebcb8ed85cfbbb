//! The programs of the re-check: objective, constraints and stationarity on the problem as written,
//! in f64, from the variables and multipliers alone (sums of multipliers over a family are gathered in
//! the working precision).

use super::admm::{Cotangent, Iteration, point};
use super::coder::{Coder, Draft, as_is, summed};
use super::descent::Unsplit;
use super::gradient;
use super::ir::{Arg, Check, StateId, Stmt, Verdict};
use super::{bound, composite, prox, violation};
use crate::model::ir::{Constraint, ConstraintId, Expr, Leaf, Member, PlayerId, Term};
use crate::split::ir::{Coupling, PlayerSplit};
use crate::steps::ir::{Rule, Step};
use crate::tape::{self, Dtype, Value};

/// The objective's terms of a player, in the sense that was written.
pub(super) fn terms(coder: &mut Coder, player: PlayerId) -> Vec<Check> {
    let this = &coder.model.players[player.index()];
    let sign = if this.maximize { -1.0 } else { 1.0 };
    let mut checks = Vec::new();
    // What one term of the source was cut into is one number.
    for parts in this.source().1.chunk_by(|a, b| a.name == b.name) {
        if parts.iter().any(|term| coder.model.is_random(&term.expr)) {
            continue;
        }
        // One family is summed member by member; parts of several are written out.
        let over = parts[0].over.filter(|_| parts.iter().all(|term| term.over == parts[0].over));
        let written = |term: &Term| if over.is_some() { term.expr.clone() } else { summed(&term.expr, term.over) };
        let exprs: Vec<Expr> = parts.iter().map(written).collect();
        let mut draft = coder.draft("term");
        let (values, _) = coder.lower(&mut draft, &exprs, Dtype::F64, &mut as_is);
        let value = gradient::total(&mut draft, &values, Dtype::F64);
        let value = draft.b.scale(sign, value);
        checks.push(check(draft, parts[0].name.clone(), &[("value", value)], over.map(|over| over.count)));
    }
    checks
}

/// The whole verdict on a split iteration.
pub(super) fn admm(coder: &mut Coder, it: &Iteration) -> Verdict {
    let plan = it.plan;
    let mut verdict = Verdict { terms: terms(coder, plan.player), ..Verdict::default() };
    // Only what was tested has a tolerance to be held to.
    verdict.tol = plan.settings.tol.filter(|_| plan.is_tested());
    verdict.convex = plan.convex;
    let scales = ["γp", "γd"].map(|name| {
        let name = coder.prefixed(plan.player.index(), name);
        coder.scalar(&name, 0.0)
    });
    for (at, constraint) in coder.model.players[plan.player.index()].source().2.iter().enumerate() {
        let coupling = it.split.couplings.iter().find(|coupling| coupling.constraint.index() == at);
        // A bound or a set that got a variable of its own is checked where it is written.
        let written = coder.model.players[plan.player.index()].written.is_some();
        verdict.constraints.push(match coupling {
            Some(coupling) if !written => self::coupling(coder, it, coupling, scales[0]),
            _ => self::constraint(coder, at, constraint, scales[0]),
        });
    }
    if plan.is_stochastic() {
        return verdict;
    }
    verdict.bound = bound::of(coder, it, &mut verdict.gathers);
    for step in plan.steps() {
        let own = match it.split.introduced(coder.model).find(|(var, ..)| step.component.vars == [*var]) {
            Some((_, coupling, stands_for)) => optimality(coder, it, step, (coupling, stands_for), scales[0]),
            None => Some(stationarity(coder, it, step, scales[1], &mut verdict.gathers)),
        };
        verdict.stationarity.extend(own);
    }
    verdict
}

/// The residual of a coupling.
fn coupling(coder: &mut Coder, it: &Iteration, coupling: &Coupling, gamma: StateId) -> Check {
    let mut draft = coder.draft("rows");
    let rows = it.rows(coder, &mut draft, coupling, Dtype::F64);
    let sum = draft.b.add(rows.x, rows.z);
    let residual = rows.add_offset(&mut draft, sum);
    let squares = [rows.x, rows.z, residual].map(|value| draft.b.sum_squares(value));
    let scale = draft.b.add(squares[0], squares[1]);
    let scale = with_floor(coder, &mut draft, scale, gamma, coupling.shape.numel());
    check(draft, coupling.name.clone(), &[("residual²", squares[2]), ("scale²", scale)], coupling.over)
}

/// How far a constraint of the source is violated: `‖e‖` of an equation, `‖max(e, 0)‖` of an inequality,
/// the distance to a set. The scale is that of what varies in it and of what does not.
fn constraint(coder: &mut Coder, at: usize, constraint: &Constraint, gamma: StateId) -> Check {
    let label = constraint.name(ConstraintId(at as u32));
    let mut draft = coder.draft("constraint");
    let exprs = violation::exprs(&constraint.relation);
    let (values, _) = coder.lower(&mut draft, &exprs, Dtype::F64, &mut as_is);
    let mut at_zero = |coder: &mut Coder, draft: &mut Draft, leaf: Leaf| {
        let Leaf::Var(..) = leaf else { return None };
        let zero = draft.number(0.0, Dtype::F64);
        Some(draft.b.broadcast_scalar(zero, &coder.model.leaf_shape(leaf)))
    };
    let (fixed, _) = coder.lower(&mut draft, &exprs[..1], Dtype::F64, &mut at_zero);
    let moving = draft.b.sub(values[0], fixed[0]);
    let residual = violation::of(&mut draft, &constraint.relation, &values);
    let [residual, moving, fixed] = [residual, moving, fixed[0]].map(|value| draft.b.sum_squares(value));
    let scale = draft.b.add(moving, fixed);
    let scale = with_floor(coder, &mut draft, scale, gamma, constraint.relation.expr().shape.numel());
    check(draft, label, &[("residual²", residual), ("scale²", scale)], constraint.over.map(|over| over.count))
}

/// Whether the atoms of `φ(e(x))` are optimal at `e(x)` itself, not at the copy of it:
/// `‖w − prox_{φ/D}(w + λ/D)‖` with `w = e(x)`, relative to `w` and `λ/D`.
fn optimality(
    coder: &mut Coder,
    it: &Iteration,
    step: &Step,
    (coupling, stands_for): (&Coupling, &Expr),
    gamma: StateId,
) -> Option<Check> {
    let Rule::Prox(form) = &step.rule else { return None };
    let mut draft = coder.draft("optimality");
    let (values, _) = coder.lower(&mut draft, std::slice::from_ref(stands_for), Dtype::F64, &mut as_is);
    let (_, lambda) = it.lambda(coder, &mut draft, coupling, Dtype::F64);
    // The copy stands with −1 in its coupling.
    let multiplier = draft.b.neg(lambda);
    let multiplier = draft.flat(&[multiplier]);
    let gap = prox::gap(it, coder, &mut draft, step, form, &values[..1], multiplier);
    let w = draft.b.sum_squares(values[0]);
    let [residual, moved] = [gap.off, gap.moved].map(|value| draft.b.sum_squares(value));
    let scale = draft.b.add(w, moved);
    let scale = with_floor(coder, &mut draft, scale, gamma, step.gram.n());
    Some(check(draft, coupling.name.clone(), &[("residual²", residual), ("scale²", scale)], coupling.over))
}

/// The gradient of a step's problem at the point, or what its proximal map moves it by.
fn stationarity(coder: &mut Coder, it: &Iteration, step: &Step, gamma: StateId, gathers: &mut Vec<Stmt>) -> Check {
    let names: Vec<&str> = step.component.vars.iter().map(|var| coder.model.vars[var.index()].name.as_str()).collect();
    let label = names.join(", ");
    let mut draft = coder.draft("stationarity");
    let own = point(coder, &mut draft, &step.component.vars, step.component.over);
    let values: Vec<Value> = own.values.iter().map(|&value| draft.b.cast(value, Dtype::F64)).collect();
    let multiplier = it.adjoint(coder, &mut draft, step, Cotangent::Multiplier, Dtype::F64, gathers);
    let mut scale = draft.b.sum_squares(multiplier);
    let mut residual = left(coder, it, step, &mut draft, &values, multiplier);
    if let Some(held) = held(coder, it, step, &mut draft, &values) {
        let square = draft.b.sum_squares(held.slope);
        scale = draft.b.add(scale, square);
        residual = draft.b.add(residual, held.slope);
    }
    let residual = draft.b.sum_squares(residual);
    let scale = draft.b.offset(scale, step.linear_square() / step.members() as f64);
    let scale = with_floor(coder, &mut draft, scale, gamma, step.gram.n());
    check(draft, label, &[("residual²", residual), ("scale²", scale)], step.component.over)
}

/// What values of the variables leave of a step's problem at the multiplier, in f64: its gradient, or what its
/// proximal map moves them by.
pub(super) fn left(
    coder: &mut Coder,
    it: &Iteration,
    step: &Step,
    draft: &mut Draft,
    values: &[Value],
    multiplier: Value,
) -> Value {
    match &step.rule {
        Rule::Prox(form) | Rule::Linearised(form) => {
            prox::gap(it, coder, draft, step, form, values, multiplier).residual
        }
        Rule::Composite(rule) => composite::gap(it, coder, draft, step, rule, values, multiplier).residual,
        Rule::Quadratic { .. } | Rule::Descent(_) => {
            let value = gradient::objective(it, coder, draft, step, values, Dtype::F64);
            let gradients = tape::gradient(&mut draft.b, value, values);
            let flat = draft.flat(&gradients);
            draft.b.add(flat, multiplier)
        }
    }
}

/// What the equations that a step keeps, `Ev = e`, add to its Lagrangian, from their published multipliers.
pub(super) struct Held {
    /// `⟨ν, Ev − e⟩`
    pub value: Value,
    /// `Eᵀν`
    pub slope: Value,
}

/// The equations of a step at values of its variables.
pub(super) fn held(
    coder: &mut Coder,
    it: &Iteration,
    step: &Step,
    draft: &mut Draft,
    values: &[Value],
) -> Option<Held> {
    let Rule::Quadratic { equalities: Some(_), .. } = &step.rule else { return None };
    let vars = step.component.vars.clone();
    let mut sum: Option<(Value, Vec<Value>)> = None;
    for &id in &step.component.constraints {
        let expr = coder.model.players[it.plan.player.index()].constraints[id.index()].relation.expr().clone();
        let mut at_point =
            |_: &mut Coder, draft: &mut Draft, leaf: Leaf| gradient::replaced(draft, leaf, &vars, values);
        let (rows, _) = coder.lower(draft, &[expr], Dtype::F64, &mut at_point);
        let multiplier = draft.leaf(coder, Leaf::Dual(it.plan.player, id, Member::None), Dtype::F64);
        let own = tape::vjp(&mut draft.b, rows[0], multiplier, values);
        let value = draft.b.dot(multiplier, rows[0]);
        sum = Some(match sum {
            None => (value, own),
            Some((so_far, sum)) => {
                let slopes = sum.into_iter().zip(own).map(|(a, b)| draft.b.add(a, b)).collect();
                (draft.b.add(so_far, value), slopes)
            }
        });
    }
    sum.map(|(value, parts)| Held { value, slope: draft.flat(&parts) })
}

/// `scale² + n γ²`: the absolute part of the tolerance.
fn with_floor(coder: &Coder, draft: &mut Draft, scale: Value, gamma: StateId, n: usize) -> Value {
    let gamma = draft.read(coder, gamma);
    let gamma = draft.b.cast(gamma, Dtype::F64);
    let square = draft.b.mul(gamma, gamma);
    let floor = draft.b.scale(n as f64, square);
    draft.b.add(scale, floor)
}

pub(super) fn check(mut draft: Draft, label: String, outputs: &[(&str, Value)], over: Option<usize>) -> Check {
    for &(name, value) in outputs {
        draft.b.output(name, value);
    }
    let (program, inputs): (_, Vec<Arg>) = draft.into_parts();
    Check { label, program, inputs, over }
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
