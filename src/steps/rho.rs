//! The penalty at the start.
//!
//! Gradient steps have a natural unit, κ = ρ · rate = 1: disagreement dies in 1/κ iterations, and the pair
//! moves at rate/(2 + κ), since two copies that move by v an iteration have (2 + κ)v = −rate·∇h when their
//! steps are added up. Closed-form steps take `√(p₁p₂)`-like balance of the curvatures against `MᵀM`, the
//! optimum for quadratics (Ghadimi et al. 2015). Where nothing curves, ρ has the units of slopes over those
//! of right sides; where either is unknown, it is 1.

use super::ir::{AdmmPlan, Rule};
use crate::model::ir::Rho;
use crate::split::ir::Coupling;

/// ρ and the reason for it.
pub(super) fn initial(plan: &AdmmPlan, couplings: &[Coupling]) -> (f64, String) {
    match plan.settings.rho {
        Rho::Value(rho) => (rho, "as written".to_string()),
        Rho::Kappa(kappa) => match plan.rate() {
            Some(rate) => (kappa / rate, format!("kappa/rate = {kappa}/{rate}")),
            None => (kappa, "kappa, with no rate to divide by".to_string()),
        },
        Rho::Auto => match plan.rate() {
            Some(rate) => (1.0 / rate, format!("1/rate = 1/{rate}, κ = 1")),
            None => {
                let (rho, why) = balance(plan, couplings);
                match plan.steps().filter_map(|step| step.threshold).reduce(f64::max) {
                    // Convexity of the step is not convergence of the whole: where that settles is where to start.
                    Some(least) if rho < plan.settles(least) => (
                        plan.settles(least),
                        format!("{} for ρ* = {least}, above which every step is convex", plan.settles_at()),
                    ),
                    _ => (rho, why),
                }
            }
        },
    }
}

/// Where the curvatures balance, else what the units ask for.
fn balance(plan: &AdmmPlan, couplings: &[Coupling]) -> (f64, String) {
    match balanced(plan) {
        Some(mean) => (mean, "geometric mean of the closed-form steps' curvatures".to_string()),
        None => units(plan, couplings),
    }
}

/// Geometric mean of the positive curvatures of the closed-form steps, each against its `MᵀM`.
pub(super) fn balanced(plan: &AdmmPlan) -> Option<f64> {
    let mut logs = Vec::new();
    for step in plan.steps() {
        let Rule::Quadratic { curvature, .. } = &step.rule else { continue };
        let gram = step.gram.diagonal();
        for p in curvature {
            logs.extend(
                p.diagonal().iter().zip(&gram).filter(|(p, g)| **p > 0.0 && **g > 0.0).map(|(p, g)| (p / g).ln()),
            );
        }
    }
    let count = logs.len() as f64;
    (!logs.is_empty()).then(|| (logs.iter().sum::<f64>() / count).exp())
}

/// Slopes over right sides, both in the rows that the penalty weighs: where the objective or the data are
/// given in other units, the iterates are, too, and nothing else changes.
///
/// ```text
/// ρ = max (‖p‖, w)/m / max (‖e‖ m, ‖√W c‖)        m² the mean of the diagonal of MᵀWM
/// ```
///
/// p linear parts, w weights of functions, e right sides of equations (by their rows' lengths) and bounds, c
/// offsets of the couplings; norms are means over the entries that are not zero.
fn units(plan: &AdmmPlan, couplings: &[Coupling]) -> (f64, String) {
    let (mut slopes, mut sides) = (0.0f64, 0.0f64);
    for step in plan.steps() {
        let gram = step.gram.diagonal();
        let m = (gram.iter().sum::<f64>() / gram.len().max(1) as f64).sqrt();
        if m == 0.0 {
            continue;
        }
        let (slope, side) = match &step.rule {
            Rule::Quadratic { linear, equalities, .. } => {
                let right = equalities.as_ref().map_or(0.0, |equalities| {
                    let rows = equalities.operator.to_sparse();
                    let length = |i: usize| rows.row(i).map(|(_, x)| x * x).sum::<f64>().sqrt();
                    mean(equalities.right.iter().enumerate().map(|(i, e)| e / length(i)))
                });
                (mean(linear.iter().flatten().copied()), right)
            }
            Rule::Prox(form) | Rule::Linearised(form) => {
                let weights = form.maps.iter().filter(|map| !map.is_set()).map(|map| map.weight);
                let bounds = form.lower.iter().chain(&form.upper).copied();
                (weights.fold(mean(form.linear.iter().copied()), f64::max), mean(bounds))
            }
            Rule::Descent(_) | Rule::Composite(_) => (0.0, 0.0),
        };
        slopes = slopes.max(slope / m);
        sides = sides.max(side * m);
    }
    for coupling in couplings {
        let weight = |row: usize| coupling.weights.as_ref().map_or(1.0, |weights| weights[row]);
        sides = sides.max(mean(coupling.offset.iter().enumerate().map(|(row, c)| weight(row).sqrt() * c)));
    }
    let rho = slopes / sides;
    if rho.is_finite() && rho > 0.0 {
        (rho, "slopes of the objective over right sides".to_string())
    } else {
        (1.0, "no curvature to balance".to_string())
    }
}

/// The root of the mean square of the finite numbers that are not zero.
fn mean(numbers: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) =
        numbers.filter(|x| x.is_finite() && *x != 0.0).fold((0.0, 0usize), |(sum, count), x| (sum + x * x, count + 1));
    if count == 0 { 0.0 } else { (sum / count as f64).sqrt() }
}
