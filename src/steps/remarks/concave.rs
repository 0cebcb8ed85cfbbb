//! E0502: a step that is convex by the penalty alone.
//!
//! The step minimises `½vᵀPv + … + (ρ/2)‖Mv − q‖²`, which is convex above `ρ* = inf {ρ : P + ρMᵀM ≻ 0}`. That
//! the step has a minimiser is not yet that the iteration converges: with over-relaxation α that asks for about
//! `2ρ*/(2 − α)`, [`AdmmPlan::settles`]. So it is for a z at rest on a corner of its set; against `½‖z‖²` and with
//! α = 1 it is `(−(1−μ) + √((1−μ)² + 16μ))/4` for a curvature −μ, about 2μ where μ is small. So at ρ* and below
//! there is no step, from there to `2ρ*/(2 − α)` a warning, and where ρ is chosen here it starts at that.

use super::{names, number, place};
use crate::diag::{Code, Diag, Diags, Severity};
use crate::linalg::{Curvature, factor, lanczos};
use crate::model::Model;
use crate::model::ir::Rho;
use crate::source::Span;
use crate::split::{atoms, direction};
use crate::steps::ir::{AdmmPlan, Rule, Step};

/// How close to ρ* a penalty counts as at it.
pub(in crate::steps) const AT: f64 = 1e-9;

/// Order up to which the direction is that of an eigenvector of the whole matrix; of a larger one by products, at most
/// so many, of all together so many multiplications.
const LOOKED_AT: usize = 500;
const TURNS: usize = 200;
const MOST_FLOPS: f64 = 3e8;

/// Residual of that eigenvector, by the largest eigenvalue.
const ENOUGH: f64 = 1e-6;

/// Whether a step is concave, or flat, at a ρ that a larger one would mend.
pub(in crate::steps) fn is_too_low(step: &Step, rho: f64) -> bool {
    step.threshold.is_some_and(|least| rho <= least * (1.0 + AT))
}

pub(super) fn remarks(model: &Model, plan: &AdmmPlan, span: Span, diags: &mut Diags) {
    for step in plan.steps() {
        let Some(least) = step.threshold else { continue };
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
        let settles = number(plan.settles(least));
        let formula = plan.settles_at();
        if matches!(plan.settings.rho, Rho::Auto) {
            // Found, and started from: worth knowing where it is not.
            if plan.rho > least {
                diags.push(
                    about(format!("the step of {names} is convex by the penalty alone")).severity(Severity::Note).help(
                        format!(
                            "ρ starts at {} and goes no lower; the iteration settles from {formula} = {settles} on",
                            number(rho)
                        ),
                    ),
                );
            }
        } else if rho <= least * (1.0 + AT) {
            diags.push(about(format!("the step of {names} is concave at ρ = {}", number(rho))).help(format!(
                "a step of ADMM minimises over {names} with nothing but the penalty to hold it, and this ρ is too weak: the iterates would leave for infinity; write `rho = auto`, which finds ρ*, or more than {formula} = {settles}, which convergence asks for"
            )));
        } else if rho < plan.settles(least) * (1.0 - AT) {
            diags.push(
                about(format!("the step of {names} is convex at ρ = {}, and hardly more", number(rho)))
                    .severity(Severity::Warning)
                    .help(format!(
                        "that each step has a minimiser is not enough: with ρ below about {formula} = {settles} the iterates can grow or cycle; write `rho = auto`, or more than {settles}"
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
    let along = direction::flat(model, &step.component.vars, &direction);
    Some(format!("at ρ = {} it curves by {} along {along}", number(rho), number(value)))
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
    let n = sum.n();
    if n > LOOKED_AT {
        let product = 2.0 * sum.entries().0.min((n * n) as f64);
        let turns = TURNS.min(lanczos::turns(n, product, MOST_FLOPS));
        let apply = |x: &[f64]| {
            let mut y = vec![0.0; n];
            sum.accumulate(1.0, x, &mut y);
            y
        };
        let ends = lanczos::ends(n, apply, turns, ENOUGH).filter(|ends| ends.least < 0.0)?;
        return Some((ends.least, ends.vector));
    }
    let eigen = factor::eigen(&sum.to_dense())?;
    Some((eigen.values[0], (0..sum.n()).map(|i| eigen.vectors[(i, 0)]).collect()))
}
