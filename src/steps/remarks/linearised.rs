//! E0602: a step that is linearised, and why it has no closed form.

use super::{names, place};
use crate::diag::{Code, Diag, Diags};
use crate::model::Model;
use crate::source::Span;
use crate::steps::ir::{AdmmPlan, Rule};

pub(super) fn remarks(model: &Model, plan: &AdmmPlan, span: Span, diags: &mut Diags) {
    for step in plan.steps().filter(|step| step.given.is_none()) {
        let Rule::Linearised(form) = &step.rule else { continue };
        let names = names(model, step);
        let first = &model.vars[step.component.vars[0].index()].name;
        let kappa = form.gram.iter().fold(0.0f64, |most, &g| most.max(g));
        let gram = step.gram.diagonal();
        let mean = gram.iter().sum::<f64>() / gram.len().max(1) as f64;
        let mut diag = Diag::new(
            Code::LinearisedStep,
            place(model, plan, step, span, |_| true),
            format!("the step of {names} is linearised"),
        )
        .here("has a proximal map, of another argument than the constraint holds")
        .certify(format!(
            "the penalty is taken at the last point with κ = {} ≥ ‖M‖², where the diagonal of MᵀM is {} in the mean: steps are shorter by their ratio",
            super::number(kappa),
            super::number(mean)
        ))
        .help(format!(
            "it converges, in more iterations than a closed form takes; for one, tie a variable of its own to {names} by a plain equation, `s - {first} = 0`, and give the function `s`"
        ));
        for why in step.tried.iter().filter(|why| why.starts_with("prox: ")) {
            diag = diag.certify(why.clone());
        }
        diags.push(diag);
    }
}
