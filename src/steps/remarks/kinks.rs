//! E0505: a kink inside a step that follows gradients. At a kink the slope jumps: steps of a fixed rate go
//! to and fro across it, and a line search finds nothing beyond. The activations of networks are exempt: they
//! meet data, not the optimum.

use super::names;
use crate::catalogue::Function;
use crate::diag::{Code, Diag, Diags};
use crate::model::Model;
use crate::model::ir::{Expr, ExprKind};
use crate::split::atoms::{self, Place};
use crate::split::mend;
use crate::steps::ir::{AdmmPlan, Rule};

pub(super) fn remarks(model: &Model, plan: &AdmmPlan, diags: &mut Diags) {
    let terms = &model.players[plan.player.index()].terms;
    for step in plan.steps().filter(|step| step.given.is_none()) {
        let Rule::Descent(_) = &step.rule else { continue };
        for &at in &step.component.terms {
            let Some(kink) = atoms::kink(model, plan.player, &terms[at].expr) else { continue };
            // Where the argument of a root can be 0 is E0507's to find; a length has a kink and no steep slope.
            if kink == Function::Sqrt.name() && !holds_length(&terms[at].expr) {
                continue;
            }
            let names = names(model, step);
            let kinked = |&&other: &&usize| atoms::kink(model, plan.player, &terms[other].expr).is_some();
            let others = step.component.terms.iter().filter(kinked).copied().filter(|&other| other != at);
            let places: Vec<Place> = std::iter::once(at).chain(others).map(Place::Term).collect();
            let fix = mend::behind(model, plan.player, &step.component, &places);
            let slow =
                "steps of a fixed length go to and fro across a kink, so the iterates settle near it and not at it";
            let help = match &fix {
                Some(_) => {
                    format!("{slow}; `{kink}` of a variable of its own has a closed-form step in the other block")
                }
                None => format!(
                    "{slow}; give what stands inside `{kink}` a variable of its own in the other block, `s`, tied by an equation: `{kink}` of a variable has a closed-form step"
                ),
            };
            let diag = Diag::new(
                Code::KinkInGradientStep,
                terms[at].span,
                format!("`{kink}` has a kink, and the step of {names} follows gradients"),
            )
            .here("its slope jumps where its argument is 0")
            .help(help);
            diags.push(Diag { fix, ..diag });
        }
    }
}

/// Whether an expression holds `sqrt(sum_squares(u))`.
fn holds_length(expr: &Expr) -> bool {
    let inside = |expr: &Expr, wanted: Function| match &expr.kind {
        ExprKind::Apply(function, args) if *function == wanted => args.first().cloned(),
        _ => None,
    };
    inside(expr, Function::Sqrt).is_some_and(|square| inside(&square, Function::SumSquares).is_some())
        || expr.children().into_iter().any(holds_length)
}
