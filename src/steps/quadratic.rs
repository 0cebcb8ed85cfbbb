//! `h(v) = ½vᵀPv + pᵀv`: the step solves `(P + ρMᵀM)v = ρMᵀq − p`.
//!
//! Whether the terms are quadratic is read off the tape ([`forms`]), so the spelling does not matter.

use super::ir::{AdmmPlan, Curvature, Rule, Step};
use crate::diag::{Code, Diag, Diags};
use crate::linalg::factor;
use crate::model::Lower;
use crate::model::Model;
use crate::model::ir::{Leaf, Member, PlayerId, VarId};
use crate::source::Span;
use crate::split::forms::{self, Form, Hessian, Known};
use crate::split::ir::Component;
use crate::tape::Dtype;

/// The rule, or why a term is not quadratic.
pub(super) fn rule(model: &Model, player: PlayerId, component: &Component) -> Result<Rule, String> {
    if !component.constraints.is_empty() {
        return Err("a constraint lies on its variables".to_string());
    }
    let lens: Vec<usize> = component.vars.iter().map(|var| model.vars[var.index()].shape.numel()).collect();
    let n = lens.iter().sum();
    let mut members: Vec<Hessian> = vec![Hessian::zero(n)];
    for &at in &component.terms {
        let term = term_hessians(model, player, component, at, &lens)?;
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
    let curvature = members.iter().map(Hessian::curvature).collect();
    let linear = members.into_iter().map(|hessian| hessian.linear).collect();
    Ok(Rule::Quadratic { curvature, linear })
}

/// The Hessian of one term: one for all members, or one each where their data differ.
fn term_hessians(
    model: &Model,
    player: PlayerId,
    component: &Component,
    at: usize,
    lens: &[usize],
) -> Result<Vec<Hessian>, String> {
    let term = &model.players[player.index()].terms[at];
    let name = term.label.clone().map_or_else(|| format!("term {}", at + 1), |label| format!("`{label}`"));
    let mut lower = Lower::new(model, "term", Dtype::F64);
    let value = lower.expr(&term.expr);
    lower.b.output("value", value);
    let (program, leaves) = lower.finish();
    let differ = leaves.iter().any(|leaf| matches!(leaf, Leaf::Data(_, Member::Loop)));
    let count = term.over.map_or(1, |over| over.count);
    let times = if component.over.is_none() { count as f64 } else { 1.0 };
    let mut hessians = Vec::new();
    for member in 0..if differ { count } else { 1 } {
        let known: Vec<Known> = leaves.iter().map(|leaf| known(model, *leaf, member, &component.vars)).collect();
        let quadratic = match forms::outputs(&program, &known).remove(0) {
            Form::Quadratic(quadratic) => quadratic,
            Form::Affine(rest) => forms::Quadratic { products: Vec::new(), rest },
            Form::Constant(_) => continue,
            Form::Root(_) => return Err(format!("{name} is a norm, not its square")),
            Form::Other(stopped) if stopped.op == "input" => {
                return Err(format!("{name} reads what changes from call to call"));
            }
            Form::Other(stopped) => return Err(format!("{name} holds {}", stopped.op)),
        };
        let inputs: Vec<(usize, usize)> = component
            .vars
            .iter()
            .zip(lens)
            .map(|(var, &len)| {
                let input = leaves.iter().position(|leaf| matches!(leaf, Leaf::Var(own, _) if own == var));
                // A variable that the term does not hold has no input; no operator stands there.
                (input.unwrap_or(usize::MAX), len)
            })
            .collect();
        let hessian = quadratic.assemble(&inputs);
        hessians.push(if differ { hessian } else { hessian.times(times) });
    }
    Ok(hessians)
}

fn known(model: &Model, leaf: Leaf, member: usize, own: &[VarId]) -> Known {
    match leaf {
        Leaf::Var(var, _) if own.contains(&var) => Known::Variable,
        Leaf::Data(data, Member::None) => Known::Constant(model.data[data.index()].tensor.to_f64()),
        Leaf::Data(data, which) => {
            let data = &model.data[data.index()];
            let at = if let Member::At(k) = which { k as usize } else { member };
            let all = data.tensor.to_f64();
            let one = all.len() / data.family.unwrap_or(1);
            Known::Constant(all[at * one..(at + 1) * one].to_vec())
        }
        _ => Known::Unknown,
    }
}

/// Refuses a closed-form step that is not strictly convex at the starting penalty.
pub(super) fn check_convex(model: &Model, plan: &AdmmPlan, span: Span, diags: &mut Diags) {
    for step in plan.steps() {
        let Rule::Quadratic { curvature, .. } = &step.rule else { continue };
        if curvature.iter().any(|p| !is_convex(p, step, plan.rho)) {
            let names: Vec<String> =
                step.component.vars.iter().map(|var| format!("`{}`", model.vars[var.index()].name)).collect();
            let term = step.component.terms.first().map(|&at| model.players[plan.player.index()].terms[at].span);
            diags.push(
                Diag::new(
                    Code::NoStepRule,
                    term.unwrap_or(span),
                    format!("the step of {} has no unique minimiser at ρ = {}", names.join(", "), plan.rho),
                )
                .here("quadratic, but P + ρMᵀM is not positive definite")
                .help("a larger `rho`, or a quadratic term on the directions that nothing holds"),
            );
        }
    }
}

fn is_convex(p: &Curvature, step: &Step, rho: f64) -> bool {
    match (p, &step.gram) {
        (Curvature::Diagonal(p), Curvature::Diagonal(g)) => p.iter().zip(g).all(|(p, g)| p + rho * g > 0.0),
        (p, g) => factor::cholesky(&p.to_dense().add_scaled(rho, &g.to_dense())).is_some(),
    }
}
