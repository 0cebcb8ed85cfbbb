//! The penalty linearised at the last point, where the terms have a proximal map and `MᵀM` is no multiple
//! of the identity:
//!
//! ```text
//! v⁺ = prox_{h/τ}(v − (ρ/τ) Mᵀ(Mv − q)),      τ = ρκ,  κ ≥ ‖M‖²
//! ```
//!
//! It converges for every such τ (He & Yuan 2012), and costs iterations, so the exact rules are tried before
//! it; only an inner method comes after. κ is the square of an upper bound of the norm, so nothing has to be
//! checked on the way.

use super::ir::Rule;
use crate::linalg::Operator;
use crate::model::Model;
use crate::model::ir::PlayerId;
use crate::split::ir::{Component, Coupling, weighted};
use crate::split::proximal;

/// The rule, or why the step is none.
pub(super) fn rule(
    model: &Model,
    player: PlayerId,
    component: &Component,
    couplings: &[Coupling],
) -> Result<Rule, String> {
    if !couplings.iter().any(|coupling| coupling.holds(&component.vars)) {
        return Err("no coupling lies on its variables".to_string());
    }
    let kappa = bound(model, component, couplings).ok_or("a coupling is not linear in its variables")?;
    let form = proximal::form_with(model, player, component, 0.0, |n| Some(vec![kappa; n]))?;
    if form.maps.is_empty() && !form.is_bounded() {
        return Err("no function of the catalogue and no bound".to_string());
    }
    Ok(Rule::Linearised(Box::new(form)))
}

/// `κ ≥ ‖M‖²` over the component's couplings, 0 where there is none; `None` where one is not linear.
pub(super) fn bound(model: &Model, component: &Component, couplings: &[Coupling]) -> Option<f64> {
    let parts: Vec<Operator> = weighted(model, component, couplings)?
        .into_iter()
        .map(|(times, operator)| Operator::scaled(times.sqrt(), operator))
        .collect();
    Some(if parts.is_empty() { 0.0 } else { Operator::stack(parts).norm_bound().powi(2) })
}
