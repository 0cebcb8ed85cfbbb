//! What a plan says about itself beside its rules: steps that the penalty has to make convex, kinks that a
//! gradient step meets, steps that are linearised, a ρ that is far from where it would do well.
//!
//! A remark is a file with `remarks(plan, …)`, called here.

mod concave;
mod far_off;
mod kinks;
mod linearised;

pub(super) use concave::{along, is_too_low};

use super::ir::{AdmmPlan, Step};
use crate::diag::Diags;
use crate::model::Model;
use crate::source::Span;
use crate::split::ir::Coupling;

/// Adds the remarks on a plan; `span` is the solve block.
pub(super) fn on(model: &Model, plan: &AdmmPlan, couplings: &[Coupling], span: Span, diags: &mut Diags) {
    concave::remarks(model, plan, span, diags);
    kinks::remarks(model, plan, span, diags);
    linearised::remarks(model, plan, span, diags);
    far_off::remarks(model, plan, couplings, span, diags);
}

/// The variables of a step, quoted.
fn names(model: &Model, step: &Step) -> String {
    let names: Vec<String> =
        step.component.vars.iter().map(|var| format!("`{}`", model.vars[var.index()].name)).collect();
    names.join(", ")
}

/// Where a step is written: the first of its terms that `is` what is looked for, else its first, else the
/// solve block.
fn place(model: &Model, plan: &AdmmPlan, step: &Step, span: Span, is: impl Fn(usize) -> bool) -> Span {
    let terms = &model.players[plan.player.index()].terms;
    let own = &step.component.terms;
    own.iter().find(|&&at| is(at)).or(own.first()).map_or(span, |&at| terms[at].span)
}

/// A number to seven digits, without zeros at its end.
fn number(x: f64) -> String {
    let exponent = if x == 0.0 { 0 } else { x.abs().log10().floor() as i32 };
    if !(-4..7).contains(&exponent) {
        let digits = format!("{x:.3e}");
        let (mantissa, exponent) = digits.split_once('e').unwrap_or((&digits, "0"));
        return format!("{}e{exponent}", mantissa.trim_end_matches('0').trim_end_matches('.'));
    }
    let text = format!("{:.*}", (6 - exponent).max(0) as usize, x);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_string() } else { text }
}
