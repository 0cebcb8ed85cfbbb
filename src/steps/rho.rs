//! The penalty at the start.
//!
//! Gradient steps have a natural unit: κ = ρ · rate = 1 (see `evidence`: disagreement dies in 1/κ
//! iterations, the pair moves at rate/(2 + κ)). Closed-form steps take `√(p₁p₂)`-like balance of the
//! curvatures against `MᵀM`, the optimum for quadratics (Ghadimi et al. 2015); where there is
//! nothing to balance, 1.

use super::ir::{AdmmPlan, Rule};
use crate::model::ir::Rho;

/// ρ and the reason for it.
pub(super) fn initial(plan: &AdmmPlan) -> (f64, String) {
    match plan.settings.rho {
        Rho::Value(rho) => (rho, "as written".to_string()),
        Rho::Kappa(kappa) => match plan.rate() {
            Some(rate) => (kappa / rate, format!("kappa/rate = {kappa}/{rate}")),
            None => (kappa, "kappa, with no rate to divide by".to_string()),
        },
        Rho::Auto => match plan.rate() {
            Some(rate) => (1.0 / rate, format!("1/rate = 1/{rate}, κ = 1")),
            None => balance(plan),
        },
    }
}

/// Geometric mean of the positive curvatures of the closed-form steps, each against its `MᵀM`.
fn balance(plan: &AdmmPlan) -> (f64, String) {
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
    if logs.is_empty() {
        return (1.0, "no curvature to balance".to_string());
    }
    let mean = logs.iter().sum::<f64>() / logs.len() as f64;
    (mean.exp(), "geometric mean of the closed-form steps' curvatures".to_string())
}
