//! Newton's method on the smooth convex terms of a step, the penalty taken exactly:
//!
//! ```text
//! (∇²h(v) + ρMᵀM) d = −(∇h(v) + pull + ρMᵀMv),      v⁺ = v + td
//! ```
//!
//! The system is solved by conjugate gradients on products with the Hessian, only as well as the step needs
//! (Dembo, Eisenstat & Steihaug 1982), and t is searched along d. A named one may be of terms that are not
//! convex: it leaves a direction of negative curvature alone.

use super::gradient::MOST_MEMBERS;
use super::ir::Rule;
use crate::model::Model;
use crate::model::ir::{Descent, DescentKind, PlayerId};
use crate::split::atoms;
use crate::split::ir::Component;

/// Steps of the default one, most of which its stopping test saves.
const DEFAULT: Descent = Descent { kind: DescentKind::Newton, rate: 1.0, steps: 10, tol: None, fresh: false };

/// Variables, of all members together, up to which it is taken by itself. By trial against twenty steps of
/// L-BFGS, the whole run of `h(w) + norm1(z)`, `w = z`, seconds of L-BFGS over those of Newton's method, A m×n
/// normal, a run each on a busy machine; against L-BFGS to a tolerance of 0.1 the gain is between 0.3 and 4.8:
///
/// ```text
/// n, m        logistic  columns e⁻³ to e³   Poisson  columns e⁻³ to e^1.5
/// 10, 50      5.8       5.2                 3.5      7.9
/// 30, 150     3.4       4.2                 8.8      8.7
/// 100, 500    3.1       3.0                 3.5      4.2
/// 300, 1500   1.9       0.9                 3.2      4.0
/// 1000, 2000  1.8       1.1                 4.0      2.4
/// 1000, 500   2.7       1.0                 2.7      4.0
/// 3000, 1000  2.9       0.6                 3.0      3.3
/// ```
const MOST: usize = 1000;

/// The rule, or why there is none.
pub(super) fn rule(
    model: &Model,
    player: PlayerId,
    component: &Component,
    inner: &Option<Descent>,
    sampled: bool,
    option: &str,
) -> Result<Rule, String> {
    let members = component.over.unwrap_or(1);
    match inner {
        Some(descent) if descent.kind != DescentKind::Newton => {
            return Err(format!("`{option}` names another method"));
        }
        _ if !component.constraints.is_empty() => {
            return Err("a constraint lies on its variables, which Newton's method does not keep to".to_string());
        }
        _ if sampled => {
            return Err(
                "Newton's method needs the same objective at every step, and a term reads a random batch".to_string()
            );
        }
        _ if members > MOST_MEMBERS => {
            return Err(format!("Newton's method takes a family as one, and of at most {MOST_MEMBERS} members"));
        }
        _ => {}
    }
    let terms = &model.players[player.index()].terms;
    if let Some(kink) = component.terms.iter().find_map(|&at| atoms::kink(model, player, &terms[at].expr)) {
        return Err(format!("`{kink}` has a kink, where there is no second derivative"));
    }
    match inner {
        Some(descent) => Ok(Rule::Descent(descent.clone())),
        None => {
            let n: usize = component.vars.iter().map(|var| model.vars[var.index()].shape.numel()).sum();
            if let Some(&at) = component.terms.iter().find(|&&at| !atoms::is_convex(model, player, at)) {
                return Err(format!("{} is not known to be convex", terms[at].quoted()));
            }
            if n * members > MOST {
                return Err(format!("{} variables, where L-BFGS is faster", n * members));
            }
            Ok(Rule::Descent(DEFAULT))
        }
    }
}
