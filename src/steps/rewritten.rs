//! E0603: losses that are computed in another form than they are written in, since the written one over- or
//! underflows.
//!
//! Every term that a step by gradients reads is lowered as it runs, and what
//! [`stabilise`](crate::tape::passes::stabilise) replaces in it is told, in one note for a solve block. Forms nest:
//! `log(1 − σ(u))` is replaced from the inside out, and the rules are named in that order.

use super::ir::{MethodPlan, Plan};
use crate::diag::{Code, Diag, Diags};
use crate::model::ir::{Expr, Solve};
use crate::model::{Lower, Model};
use crate::source::Span;
use crate::tape::passes::stabilise;

/// Places that are shown; the message counts all.
const SHOWN: usize = 4;

/// Adds the note on a plan, where something is rewritten.
pub(super) fn check(model: &Model, plan: &Plan, solve: &Solve, diags: &mut Diags) {
    if !solve.stable {
        return;
    }
    let (mut rules, mut places): (Vec<&str>, Vec<Span>) = Default::default();
    for expr in followed(model, plan) {
        let mut lower = Lower::new(model, "rewritten", solve.precision);
        let value = lower.expr(expr);
        lower.b.output("value", value);
        for rewrite in stabilise(&lower.finish().0).1 {
            let Some(origin) = rewrite.origin else { continue };
            // A form within another that is replaced as well is one with it.
            let within =
                |place: &Span| place.file == origin.file && origin.start <= place.start && place.end <= origin.end;
            places.retain(|place| !within(place));
            places.push(origin);
            if !rules.contains(&rewrite.rule) {
                rules.push(rewrite.rule);
            }
        }
    }
    places.sort();
    let Some((&first, others)) = places.split_first() else { return };
    let message = match others.len() {
        0 => "this is computed in a form that does not round to 0 or infinity".to_string(),
        more => format!("{} losses are computed in a form that does not round to 0 or infinity", more + 1),
    };
    let diag = Diag::new(Code::RewrittenLoss, first, message).here("computed in another form");
    let diag = others.iter().take(SHOWN - 1).fold(diag, |diag, &place| diag.label(place, "and this"));
    let diag = rules.iter().fold(diag, |diag, rule| diag.certify(rule.to_string()));
    diags.push(diag.help("the values are the same, without overflow; `losses = literal` computes what is written"));
}

/// What is read by steps that follow gradients.
fn followed<'m>(model: &'m Model, plan: &'m Plan) -> Vec<&'m Expr> {
    let mut exprs = Vec::new();
    for method in &plan.methods {
        match method {
            MethodPlan::Descent { player, .. } => {
                exprs.extend(model.players[player.index()].source().1.iter().map(|term| &term.expr));
            }
            MethodPlan::Admm(plan) => {
                let terms = &model.players[plan.player.index()].terms;
                let followed = plan.steps().filter_map(|step| step.followed());
                exprs.extend(followed.flat_map(|(own, _)| own.iter().map(|&at| &terms[at].expr)));
            }
        }
    }
    exprs
}
