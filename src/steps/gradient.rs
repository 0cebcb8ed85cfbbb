//! The inner method that a solve block names: gradient steps, Adam or L-BFGS on the data terms, the
//! penalty taken exactly in the same metric, so that no ρ makes the step explode.
//!
//! ```text
//! (D/η + ρMᵀM) v⁺ = (D/η) v − ∇h(v) + ρMᵀq        D = I, or Adam's diagonal
//! ```

use super::ir::Rule;
use crate::model::Model;
use crate::model::ir::{Descent, DescentKind, PlayerId};
use crate::split::ir::Component;

/// Steps of the default inner method, and its pairs.
const DEFAULT: Descent =
    Descent { kind: DescentKind::Lbfgs { memory: 10 }, rate: 1.0, steps: 20, tol: None, fresh: false };

/// The rule, or why there is none.
pub(super) fn rule(
    _model: &Model,
    _player: PlayerId,
    _component: &Component,
    inner: &Option<Descent>,
    sampled: bool,
    option: &str,
) -> Result<Rule, String> {
    match inner {
        Some(descent) if sampled && descent.is_lbfgs() => {
            Err("L-BFGS needs the same objective at every step, and a term reads a random batch".to_string())
        }
        Some(descent) => Ok(Rule::Descent(descent.clone())),
        // Without random batches the default is safe: it needs no rate.
        None if !sampled => Ok(Rule::Descent(DEFAULT)),
        None => Err(format!("a term reads a random batch, so the step size has to be named in `{option}`")),
    }
}
