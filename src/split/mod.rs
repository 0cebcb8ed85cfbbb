//! Model → [`Split`]: which variable belongs to which block, what couples them, which steps are
//! independent.
//!
//! 1. [`coupling`] reads every constraint as `Σ K v + offset = 0`;
//! 2. [`blocks`] colours the variables so that a term lies in one block and a coupling in both;
//! 3. [`components`] cuts a block into independent steps;
//! 4. [`whole`] says how the copies are eliminated where a method wants the unsplit problem.

mod blocks;
mod components;
mod coupling;
pub mod forms;
pub mod ir;
mod print;
#[cfg(test)]
mod tests;
mod whole;

pub use ir::Split;

use crate::diag::Diags;
use crate::model::Model;
use ir::PlayerSplit;

/// Splits every player of a model. Where a player can't be split the reasons are in `diags`.
pub fn split(model: &Model, diags: &mut Diags) -> Split {
    let mut players = Vec::new();
    for at in 0..model.players.len() {
        let player = crate::model::ir::PlayerId(at as u32);
        let couplings = coupling::read(model, player, diags);
        let (x, z) = blocks::colour(model, player, &couplings, diags);
        let x = components::cut(model, player, x, &couplings, diags);
        let z = components::cut(model, player, z, &couplings, diags);
        let whole = whole::eliminate(model, player, &couplings, &z);
        players.push(PlayerSplit { player, x, z, couplings, whole });
    }
    Split { players }
}

/// The variables that an expression reads, in order of first use.
pub(crate) fn variables(expr: &crate::model::ir::Expr) -> Vec<crate::model::ir::VarId> {
    use crate::model::ir::Leaf;
    let mut vars = Vec::new();
    expr.leaves(&mut |leaf| {
        if let Leaf::Var(var, _) = leaf
            && !vars.contains(&var)
        {
            vars.push(var);
        }
    });
    vars
}
