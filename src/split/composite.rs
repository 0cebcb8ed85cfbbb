//! A component that is a smooth function and a proximal map together: what belongs to which.
//!
//! ```text
//! minimise  s(v) + Σ w φ(Kv + k)        l ≤ v ≤ u
//! ```
//!
//! Constraints and functions with a kink belong to the map; the rest, which has a gradient everywhere, is s.
//! A function that ends somewhere, as a logarithm does, belongs to the map where it has one there, else to s.

use super::atoms::{self, Piece};
use super::ir::Component;
use super::proximal::{self, Proximal};
use crate::model::Model;
use crate::model::ir::PlayerId;

/// The two parts of a component.
#[derive(Debug, Clone, PartialEq)]
pub struct Parts {
    /// The terms of s: positions in the player's terms.
    pub smooth: Vec<usize>,
    /// The map of the rest; its `P` is a multiple of the identity, and counts for the metric of a step.
    pub form: Proximal,
}

impl Parts {
    /// Whether all of the component is smooth.
    pub fn is_smooth(&self, component: &Component) -> bool {
        component.constraints.is_empty() && self.smooth.len() == component.terms.len()
    }
}

/// The parts of a component, or why it has none. The map is that in the metric `hold·I + ρG`, with `gram`
/// the diagonal of `G` for a number of entries.
///
/// # Errors
/// Why it is no such sum.
pub fn parts(
    model: &Model,
    player: PlayerId,
    component: &Component,
    hold: f64,
    gram: &dyn Fn(usize) -> Option<Vec<f64>>,
) -> Result<Parts, String> {
    let terms = &model.players[player.index()].terms;
    let (mut smooth, mut kinked, mut ending) = (Vec::new(), Vec::new(), Vec::new());
    for &at in &component.terms {
        match atoms::of_term(model, player, at) {
            Piece::Quadratic => smooth.push(at),
            Piece::Atom(_) if atoms::kink(model, player, &terms[at].expr).is_some() => kinked.push(at),
            Piece::Atom(atom) if atom.ends() => ending.push(at),
            Piece::Atom(_) => smooth.push(at),
            // What draws from a sample, and networks, whose activations may have kinks.
            Piece::Other { smooth: true, .. } => smooth.push(at),
            Piece::Other { why, .. } => return Err(why),
        }
    }
    let of = |mapped: &[usize]| {
        let rest = Component { terms: mapped.to_vec(), ..component.clone() };
        proximal::form_with(model, player, &rest, hold, gram)
    };
    let all: Vec<usize> = kinked.iter().chain(&ending).copied().collect();
    let form = match of(&all) {
        Err(_) if !ending.is_empty() && (!kinked.is_empty() || !component.constraints.is_empty()) => {
            smooth.extend(&ending);
            of(&kinked)?
        }
        form => form?,
    };
    smooth.sort_unstable();
    Ok(Parts { smooth, form })
}
