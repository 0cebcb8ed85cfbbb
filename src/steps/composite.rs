//! A smooth function and a proximal map in one step, `h = s + φ`: gradient steps on s that end in the map of
//! φ, the penalty implicit in the same metric.
//!
//! ```text
//! v⁺ = prox of φ, in the metric F = D/η + ρMᵀM, at F⁻¹(Dv/η − ∇s(v) + ρMᵀq)
//! ```
//!
//! D = I, or Adam's diagonal where φ is a sum over coordinates. Where MᵀM is not diagonal the penalty is
//! linearised, with κ ≥ ‖M‖² in the place of MᵀM. Where no method is named it is that of Beck & Teboulle (2009), whose
//! 1/η is searched for and whose steps are extrapolated.

use super::gradient::counted;
use super::ir::{Composite, Penalty, Rule};
use super::linearised;
use crate::model::Model;
use crate::model::ir::{Descent, DescentKind, PlayerId};
use crate::split::atoms;
use crate::split::composite::{Parts, parts};
use crate::split::ir::{Component, Coupling};
use crate::split::proximal;

/// Steps of the default method, most of which its stopping test saves.
const DEFAULT: Descent = Descent { kind: DescentKind::Fista, rate: 1.0, steps: 100, tol: None, fresh: false };

/// The rule, or why there is none.
pub(super) fn rule(
    model: &Model,
    player: PlayerId,
    component: &Component,
    couplings: &[Coupling],
    inner: &Option<Descent>,
    sampled: bool,
    option: &str,
) -> Result<Rule, String> {
    let descent = inner.clone().unwrap_or(DEFAULT);
    let hold = if descent.kind == DescentKind::Fista { 1.0 } else { 1.0 / descent.rate };
    let own = |gram: &dyn Fn(usize) -> Option<Vec<f64>>| parts(model, player, component, hold, gram);
    // First whether there is a map at all: what is said of the method is of no use where there is none.
    let free = own(&|n| Some(vec![0.0; n]))?;
    let asked = inner.as_ref().is_some_and(|inner| inner.kind == DescentKind::Fista);
    if free.is_smooth(component) && !asked {
        return Err("no term has a kink, and no constraint lies on its variables".to_string());
    }
    match descent.kind {
        DescentKind::Lbfgs { .. } | DescentKind::Newton => {
            return Err(format!(
                "the method that `{option}` names keeps to no constraint and stalls at kinks, which `gradient`, `adam` and `fista` do not"
            ));
        }
        DescentKind::Fista if sampled && inner.is_none() => {
            return Err(format!("a term reads a random batch, so the step size has to be named in `{option}`"));
        }
        DescentKind::Fista if sampled => {
            return Err("FISTA needs the same objective at every step, and a term reads a random batch".to_string());
        }
        DescentKind::Fista if component.over.is_some() => {
            return Err(format!(
                "FISTA does not take a family of steps yet, which `{option} = gradient(rate = …)` does"
            ));
        }
        DescentKind::Fista if !free.form.is_convex() => {
            return Err(format!("FISTA needs a convex function or set, and `{option} = gradient(rate = …)` does not"));
        }
        _ if descent.tol.is_some() && component.over.is_some() => {
            return Err("an inner tolerance on the members of a family is not executed yet".to_string());
        }
        DescentKind::Adam { .. } => {
            // Scales that all differ: only what allows them has a form.
            let apart = |n: usize| Some((0..n).map(|at| 1.0 + at as f64 / n as f64).collect());
            own(&apart).map_err(|why| format!("Adam scales each coordinate on its own, and {why}"))?;
        }
        DescentKind::Gradient { .. } | DescentKind::Fista => {}
    }
    let exact = own(&|_| proximal::diagonal(model, component, couplings));
    let (Parts { smooth, form }, penalty) = match (exact, descent.kind) {
        (Ok(parts), _) => (parts, Penalty::Exact),
        (Err(_), DescentKind::Fista) => (free, Penalty::Smooth),
        (Err(_), _) => {
            let kappa =
                linearised::bound(model, component, couplings).ok_or("a coupling is not linear in its variables")?;
            (own(&|n| Some(vec![kappa; n]))?, Penalty::Linearised(kappa))
        }
    };
    let convex = component.terms.iter().all(|&at| atoms::is_convex(model, player, at));
    let descent = counted(descent);
    Ok(Rule::Composite(Box::new(Composite { smooth, form, descent, penalty, accelerated: convex })))
}
