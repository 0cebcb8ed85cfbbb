//! The inner method that a solve block names: gradient steps, Adam or L-BFGS on the data terms, the
//! penalty taken exactly in the same metric, so that no ρ makes the step explode.
//!
//! ```text
//! (D/η + ρMᵀM) v⁺ = (D/η) v − ∇h(v) + ρMᵀq        D = I, or Adam's diagonal
//! ```

use super::ir::Rule;
use crate::model::Model;
use crate::model::ir::{Descent, DescentKind, PlayerId};
use crate::split::atoms;
use crate::split::ir::Component;

/// Steps of the default inner method, and its pairs.
const DEFAULT: Descent =
    Descent { kind: DescentKind::Lbfgs { memory: 10 }, rate: 1.0, steps: 20, tol: None, fresh: false };

/// Most inner steps where a tolerance is given and no number of steps.
const TO_A_TOLERANCE: usize = 1000;

/// Members of a family up to which L-BFGS takes all at once, each written out in its programs.
pub(super) const MOST_MEMBERS: usize = 256;

/// The rule, or why there is none.
pub(super) fn rule(
    model: &Model,
    player: PlayerId,
    component: &Component,
    inner: &Option<Descent>,
    sampled: bool,
    option: &str,
) -> Result<Rule, String> {
    if !component.constraints.is_empty() {
        return Err("a constraint lies on its variables, which plain descent does not keep to".to_string());
    }
    let is_lbfgs = inner.as_ref().is_none_or(|descent| matches!(descent.kind, DescentKind::Lbfgs { .. }));
    match inner {
        _ if component.over.is_some_and(|members| members > MOST_MEMBERS) && is_lbfgs => {
            Err(format!("L-BFGS takes a family as one, and of at most {MOST_MEMBERS} members"))
        }
        Some(descent) if descent.tol.is_some() && component.over.is_some() && !is_lbfgs => {
            Err("an inner tolerance on the members of a family is not executed yet".to_string())
        }
        Some(Descent { kind: DescentKind::Newton | DescentKind::Fista, .. }) => {
            Err(format!("`{option}` names another method"))
        }
        Some(_) if sampled && is_lbfgs => {
            Err("L-BFGS needs the same objective at every step, and a term reads a random batch".to_string())
        }
        Some(descent) => Ok(Rule::Descent(counted(descent.clone()))),
        None if !sampled => {
            let terms = &model.players[player.index()].terms;
            match component.terms.iter().find_map(|&at| atoms::kink(model, player, &terms[at].expr)) {
                Some(kink) => Err(format!("`{kink}` has a kink, where a gradient method stalls")),
                // Without random batches the default is safe: it needs no rate.
                None => Ok(Rule::Descent(DEFAULT)),
            }
        }
        None => Err(format!("a term reads a random batch, so the step size has to be named in `{option}`")),
    }
}

/// A method whose steps are one by default takes as many as its tolerance needs, where it has one.
pub(super) fn counted(descent: Descent) -> Descent {
    match descent.tol.is_some() && descent.steps == 1 && !descent.is_searched() {
        true => Descent { steps: TO_A_TOLERANCE, ..descent },
        false => descent,
    }
}
