//! What a plan says about itself beside its rules: steps that the penalty has to make convex, steps that nothing
//! determines, scales that lie too far apart, kinks that a gradient step meets, steps that are linearised, a ρ that
//! is far from where it would do well or is meant for one batch, blocks that read different batches, what no theorem
//! covers.
//!
//! A remark is a file with `remarks(plan, …)`, called here.

mod batch_sum;
mod columns;
mod concave;
mod far_off;
mod kinks;
mod linearised;
mod samples;
mod scales;
mod theory;
mod undetermined;

pub(super) use concave::{AT, along, is_too_low};

use super::ir::{AdmmPlan, Step};
use crate::diag::{Diags, digits};
use crate::model::Model;
use crate::source::Span;
use crate::split::ir::PlayerSplit;
use crate::tape::Dtype;

/// Adds the remarks on a plan; `span` is the solve block, which names the precision.
pub(super) fn on(
    model: &Model,
    split: &PlayerSplit,
    plan: &AdmmPlan,
    (span, precision): (Span, Dtype),
    diags: &mut Diags,
) {
    concave::remarks(model, plan, span, diags);
    undetermined::remarks(model, plan, span, diags);
    scales::remarks(model, &split.couplings, plan, (span, precision), diags);
    columns::remarks(model, plan, diags);
    kinks::remarks(model, plan, diags);
    linearised::remarks(model, plan, span, diags);
    far_off::remarks(plan, span, diags);
    batch_sum::remarks(model, plan, diags);
    samples::remarks(model, split, plan, diags);
    theory::remarks(model, split, plan, span, diags);
}

/// The variables of a step, quoted.
pub(super) fn names(model: &Model, step: &Step) -> String {
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

/// A number to seven digits: thresholds hold to 1e-6.
fn number(x: f64) -> String {
    digits(x, 7)
}
