//! `h(v) = ½vᵀPv + pᵀv`: the step solves `(P + ρMᵀM)v = ρMᵀq − p`.
//!
//! Whether the terms are quadratic is read off the tape ([`forms`]), so the spelling does not matter.

use super::ir::{AdmmPlan, Curvature, Equalities, Rule, Step};
use super::remarks;
use super::system::{self, Problem, Shape, Uniqueness, uniqueness};
use crate::diag::{Code, Diag, Diags, number};
use crate::linalg::{Csr, Operator, independent_rows};
use crate::model::Model;
use crate::model::ir::{PlayerId, Relation};
use crate::source::Span;
use crate::split::affine::{self, Lowered};
use crate::split::direction;
use crate::split::forms::Hessian;
use crate::split::ir::Component;

/// How many times the curvature of its terms the penalty is where it is asked whether any holds a step.
const HELD: f64 = 1e8;

/// The rule, or why a term is not quadratic. `gram` is the sum of squares of the weighted `couplings`.
pub(super) fn rule(
    model: &Model,
    player: PlayerId,
    component: &Component,
    gram: &Curvature,
    couplings: &[(f64, Operator)],
    changes: f64,
) -> Result<Rule, String> {
    let equalities = equalities(model, player, component)?;
    let lens: Vec<usize> = component.vars.iter().map(|var| model.vars[var.index()].shape.numel()).collect();
    let n = lens.iter().sum();
    let mut members: Vec<Hessian> = vec![Hessian::zero(n)];
    for &at in &component.terms {
        let term = term_hessians(model, player, component, at)?;
        if component.over.is_some() && term.len() > members.len() {
            members = vec![members[0].clone(); term.len()];
        }
        if component.over.is_some() {
            let one = term.len() == 1;
            members = members
                .into_iter()
                .enumerate()
                .map(|(i, sum)| sum.plus(term[if one { 0 } else { i }].clone()))
                .collect();
        } else {
            // A sum over a family, in a variable that is none.
            members[0] = term.into_iter().fold(members[0].clone(), Hessian::plus);
        }
    }
    let curvature: Vec<Curvature> = members.iter().map(Hessian::curvature).collect();
    let linear = members.into_iter().map(|hessian| hessian.linear).collect();
    let system = system::choose(&Problem {
        n,
        curvature: &curvature,
        gram,
        couplings,
        equalities: equalities.as_ref(),
        grids: &grids(model, component),
        members: component.over.unwrap_or(1),
        changes,
    })?;
    Ok(Rule::Quadratic { curvature, linear, equalities, system: Box::new(system) })
}

/// Shapes that the component's variable has as a grid.
fn grids(model: &Model, component: &Component) -> Vec<Vec<usize>> {
    match component.vars[..] {
        [var] => vec![model.vars[var.index()].shape.0.clone()],
        _ => Vec::new(),
    }
}

/// The equations on the component's variables alone; or why they can't be part of the step.
fn equalities(model: &Model, player: PlayerId, component: &Component) -> Result<Option<Equalities>, String> {
    if component.constraints.is_empty() {
        return Ok(None);
    }
    let (mut operators, mut right) = (Vec::new(), Vec::new());
    for &at in &component.constraints {
        let constraint = &model.players[player.index()].constraints[at.index()];
        let Relation::Zero(expr) = &constraint.relation else {
            return Err("a constraint that is no equation lies on its variables".to_string());
        };
        if constraint.over.is_some() {
            return Err("a family of equations lies on its variables".to_string());
        }
        let affine = affine::read(model, player, expr).map_err(|_| "an equation on it is not linear".to_string())?;
        operators.push(affine.stacked(model, &component.vars).ok_or("an equation on it is not linear")?);
        right.extend(affine.offset.iter().map(|x| -x));
    }
    let operator = Operator::stack(operators);
    match independent_rows(&operator, &right) {
        Ok(rows) if rows.len() == right.len() => Ok(Some(Equalities { operator, right, rows })),
        Ok(rows) => {
            let picked = Csr::selection(&rows, right.len()).matmul(&operator.to_sparse()).into();
            Ok(Some(Equalities { operator: picked, right: rows.iter().map(|&i| right[i]).collect(), rows }))
        }
        Err(_) => Err("the equations on it contradict each other".to_string()),
    }
}

/// The Hessian of one term: one for all members, or one each where their data differ.
fn term_hessians(model: &Model, player: PlayerId, component: &Component, at: usize) -> Result<Vec<Hessian>, String> {
    let term = &model.players[player.index()].terms[at];
    let lowered = Lowered::new(model, &term.expr);
    let hessian = |member| lowered.hessian(model, player, member, &component.vars, &term.quoted());
    let count = term.over.map_or(1, |over| over.count);
    if lowered.differs() {
        return (0..count).map(|member| hessian(Some(member))).collect();
    }
    let times = if component.over.is_none() { count as f64 } else { 1.0 };
    Ok(vec![hessian(None)?.times(times)])
}

/// Settles the closed-form steps at the starting penalty: what holds those that nothing determines, and a
/// refusal of those without a minimiser.
pub(super) fn settle(model: &Model, plan: &mut AdmmPlan, span: Span, diags: &mut Diags) {
    let (player, rho) = (plan.player, plan.rho);
    for step in plan.x.iter_mut().chain(&mut plan.z) {
        let Rule::Quadratic { curvature, linear, equalities, system } = &mut step.rule else { continue };
        // Above its threshold a step has one minimiser.
        if step.threshold.is_some_and(|least| rho > least * (1.0 + remarks::AT)) {
            continue;
        }
        let known = (&system.solver, system.convex);
        let own = curvature.iter().zip(&*linear).map(|(p, linear)| {
            uniqueness(p, &step.gram, equalities.as_ref().map(|equalities| &equalities.operator), linear, rho, known)
        });
        // The first member without a minimiser speaks for all; of those that are held, the firmest.
        let (mut sigma, mut refused, mut unseen) = (0.0f64, None, false);
        for own in own {
            match own {
                Uniqueness::Unique => {}
                Uniqueness::Unseen => unseen = true,
                Uniqueness::Held(own) => sigma = sigma.max(own),
                other => refused = refused.or(Some(other)),
            }
        }
        system.proximal = sigma;
        if unseen {
            let names = remarks::names(model, step);
            diags.leave(format!("whether the step of {names} is convex at this ρ: its matrix is too large"));
            continue;
        }
        let Some(refused) = refused else { continue };
        // Where a larger ρ helps, a remark says which.
        if remarks::is_too_low(step, rho) {
            continue;
        }
        let names = remarks::names(model, step);
        let term = step.component.terms.first().map(|&at| model.players[player.index()].terms[at].span);
        let at = term.unwrap_or(span);
        diags.push(match refused {
            Uniqueness::Unbounded(direction) => falling(model, step, &direction, &names, at),
            _ => {
                let diag = match is_held(step, rho) {
                    false => Diag::new(Code::ConcaveStep, at, format!("the step of {names} is concave at every ρ"))
                        .here("curves downwards where no constraint holds it")
                        .help("the penalty holds only what the constraint moves, so no ρ makes this step bounded; tie the direction by a constraint, bound it, or give it a term that curves upwards"),
                    true => Diag::new(Code::ConcaveStep, at, format!("the step of {names} is concave at ρ = {}", number(rho)))
                        .here("curves downwards")
                        .help("a larger ρ makes it convex; which was not computed, since the matrix is too large to be factorised often"),
                };
                match remarks::along(model, step, rho) {
                    Some(line) => diag.certify(line),
                    None => diag,
                }
            }
        });
    }
}

/// Whether a ρ that is large enough makes a step convex.
fn is_held(step: &Step, rho: f64) -> bool {
    let Rule::Quadratic { curvature, .. } = &step.rule else { return false };
    let size = |p: &Curvature| p.diagonal().iter().fold(0.0f64, |size, x| size.max(x.abs()));
    let large =
        HELD * (curvature.iter().map(size).fold(0.0, f64::max) / size(&step.gram).max(f64::MIN_POSITIVE)).max(rho);
    let held = |p: &Curvature| Shape::of(&Curvature::sum(&[(1.0, p), (large, &step.gram)]));
    curvature.iter().all(|p| held(p).is_some_and(|sum| sum.is_definite(0.0)))
}

/// A step whose linear part goes on for ever; `direction` is one that no constraint holds, so the whole objective
/// falls along it as well.
fn falling(model: &Model, step: &Step, direction: &[f64], names: &str, at: Span) -> Diag {
    let largest = direction.iter().fold(0.0f64, |largest, x| largest.max(x.abs()));
    let direction: Vec<f64> = direction.iter().map(|x| x / largest).collect();
    let Rule::Quadratic { linear, .. } = &step.rule else { unreachable!("a step that is settled is quadratic") };
    let slope = |linear: &Vec<f64>| linear.iter().zip(&direction).map(|(p, d)| p * d).sum::<f64>();
    let slope = linear.iter().map(slope).fold(0.0, f64::min);
    let shown = direction::flat(model, &step.component.vars, &direction);
    Diag::new(Code::UnboundedObjective, at, format!("the step of {names} falls without bound"))
        .here("linear along a direction that no term curves and no constraint holds")
        .certify(format!("the direction is {shown}"))
        .certify(format!("t times along it the objective changes like −{} t, whatever ρ is", number(slope.abs())))
        .help(
            "the penalty holds only what the constraints move, so the first step would have no end; bound this \
             direction, tie it by a constraint, or turn the sign of a term that is meant to be large",
        )
}
