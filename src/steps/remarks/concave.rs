//! E0502: a step that is convex by the penalty alone.
//!
//! The step minimises `½vᵀPv + … + (ρ/2)‖Mv − q‖²`, which is convex above `ρ* = inf {ρ : P + ρMᵀM ≻ 0}`. That
//! the step has a minimiser is not yet that the iteration converges: against `½‖z‖²`, a curvature of −μ
//! asks for `(−(1−μ) + √((1−μ)² + 16μ))/4`, which is 2μ where μ is small, and about as much elsewhere.
//! So below ρ* there is no step, below 2ρ* a warning, and where ρ is chosen here it starts at 2ρ*.

use super::{names, number, place};
use crate::diag::{Code, Diag, Diags, Severity};
use crate::linalg::{Curvature, factor};
use crate::model::Model;
use crate::model::ir::Rho;
use crate::source::Span;
use crate::split::atoms;
use crate::steps::ir::{AdmmPlan, Rule, Step};
use crate::steps::rho;

/// How close to ρ* a penalty counts as at it.
const AT: f64 = 1e-9;

/// Entries of a direction that are shown, of each variable.
const SHOWN: usize = 4;

/// Order up to which the direction is computed.
const LOOKED_AT: usize = 500;

/// Whether a step is concave, or flat, at a ρ that a larger one would mend.
pub(in crate::steps) fn is_too_low(step: &Step, rho: f64) -> bool {
    rho::convex_above(std::iter::once(step)).is_some_and(|least| rho <= least * (1.0 + AT))
}

pub(super) fn remarks(model: &Model, plan: &AdmmPlan, span: Span, diags: &mut Diags) {
    for step in plan.steps() {
        let Some(least) = rho::convex_above(std::iter::once(step)) else { continue };
        let (rho, names) = (plan.rho, names(model, step));
        let concave = |at: usize| !atoms::is_convex(model, plan.player, at);
        let at = place(model, plan, step, span, concave);
        let about = |message: String| {
            let diag = Diag::new(Code::ConcaveStep, at, message)
                .here("curves downwards")
                .certify(format!("the step is convex for ρ > ρ* = {}", number(least)));
            match along(model, step, rho) {
                Some(line) => diag.certify(line),
                None => diag,
            }
        };
        let twice = number(2.0 * least);
        if matches!(plan.settings.rho, Rho::Auto) {
            // Found, and started from: worth knowing where it is not.
            if plan.rho > least {
                diags.push(
                    about(format!("the step of {names} is convex by the penalty alone")).severity(Severity::Note).help(
                        format!("ρ starts at {}, twice what makes the step convex, and goes no lower", number(rho)),
                    ),
                );
            }
        } else if rho <= least * (1.0 + AT) {
            diags.push(about(format!("the step of {names} is concave at ρ = {}", number(rho))).help(format!(
                "a step of ADMM minimises over {names} with nothing but the penalty to hold it, and this ρ is too weak: the iterates would leave for infinity; write `rho = auto`, which finds ρ*, or more than {twice}, which convergence asks for"
            )));
        } else if rho < 2.0 * least * (1.0 - AT) {
            diags.push(
                about(format!("the step of {names} is convex at ρ = {}, and hardly more", number(rho)))
                    .severity(Severity::Warning)
                    .help(format!(
                        "that each step has a minimiser is not enough: with ρ below about 2ρ* = {twice} the iterates can grow or cycle; write `rho = auto`, or more than {twice}"
                    )),
            );
        }
    }
}

/// The direction along which the step curves most downwards at ρ, in words.
pub(in crate::steps) fn along(model: &Model, step: &Step, rho: f64) -> Option<String> {
    let (value, direction) = match &step.rule {
        Rule::Quadratic { curvature, .. } => lowest(curvature.first()?, &step.gram, rho)?,
        Rule::Prox(form) => {
            lowest(&Curvature::Diagonal(form.curvature.clone()), &Curvature::Diagonal(form.gram.clone()), rho)?
        }
        _ => return None,
    };
    let largest = direction.iter().fold(0.0f64, |largest, x| largest.max(x.abs()));
    let (mut start, mut parts) = (0, Vec::new());
    for var in &step.component.vars {
        let var = &model.vars[var.index()];
        let own = &direction[start..start + var.shape.numel()];
        start += own.len();
        let entries = own.iter().enumerate().filter(|(_, x)| x.abs() > 1e-6 * largest);
        let named = |i: usize| if own.len() == 1 { var.name.clone() } else { format!("{}[{}]", var.name, i + 1) };
        let product = |(i, &x): (usize, &f64)| match x {
            1.0 => named(i),
            x => format!("{}·{}", number(x), named(i)),
        };
        let shown: Vec<String> = entries.clone().take(SHOWN).map(product).collect();
        parts.extend(shown);
        if entries.count() > SHOWN {
            parts.push("…".to_string());
        }
    }
    Some(format!("at ρ = {} it curves by {} along {}", number(rho), number(value), parts.join(" + ")))
}

/// The least eigenvalue of `P + ρG` and its vector.
fn lowest(p: &Curvature, gram: &Curvature, rho: f64) -> Option<(f64, Vec<f64>)> {
    let sum = Curvature::sum(&[(1.0, p), (rho, gram)]);
    if let Curvature::Diagonal(d) = &sum {
        let at = (0..d.len()).min_by(|&i, &j| d[i].total_cmp(&d[j]))?;
        let mut direction = vec![0.0; d.len()];
        direction[at] = 1.0;
        return Some((d[at], direction));
    }
    if sum.n() > LOOKED_AT {
        return None;
    }
    let eigen = factor::eigen(&sum.to_dense())?;
    Some((eigen.values[0], (0..sum.n()).map(|i| eigen.vectors[(i, 0)]).collect()))
}
