//! One proximal map: the terms and sets of the step are atoms of the catalogue on coordinates of their own,
//! over a diagonal quadratic, and `MᵀM` is diagonal. The calculus is [`proximal`].

use super::ir::Rule;
use crate::model::Model;
use crate::model::ir::PlayerId;
use crate::split::atoms::{self, Piece};
use crate::split::ir::{Component, Coupling};
use crate::split::proximal;

/// The rule, or why the step is no proximal map.
pub(super) fn rule(
    model: &Model,
    player: PlayerId,
    component: &Component,
    couplings: &[Coupling],
) -> Result<Rule, String> {
    let form = proximal::form(model, player, component, couplings)?;
    // A function that weighs nothing leaves a form without a map: its step is this all the same.
    let plain = component.terms.iter().all(|&at| atoms::of_term(model, player, at) == Piece::Quadratic);
    if plain && component.constraints.is_empty() {
        return Err("no function of the catalogue and no bound".to_string());
    }
    Ok(Rule::Prox(Box::new(form)))
}
