//! Model → [`Split`]: which variable belongs to which block, what couples them, which steps are
//! independent.
//!
//! 1. [`automatic`] gives parts of the problem variables of their own, where no split is written or none
//!    of the rules takes a step of it;
//! 2. [`coupling`] reads every equation as `Σ K v + offset = 0`, or with a smooth part that is not linear
//!    ([`curved`]), [`consistency`] says which contradict each other or repeat them, [`game`] what is two
//!    objectives, and [`unbounded`] which terms fall to −∞;
//! 3. [`blocks`] colours the variables so that a term lies in one block and a coupling in both;
//! 4. [`components`] cuts a block into independent steps;
//! 5. [`scaling`] weighs the rows of the couplings;
//! 6. [`whole`] says how the copies are eliminated where a method wants the unsplit problem.
//!
//! Where that ends in an error, [`mend`] looks for a repair.
//!
//! What a term or a constraint is — quadratic, an atom of the catalogue, something else — is read by
//! [`affine`], [`atoms`] and [`forms`]; [`proximal`] is the calculus of atoms, [`composite`] of atoms and what
//! is smooth together.

pub mod affine;
pub mod atoms;
mod automatic;
mod bend;
mod blocks;
mod components;
pub mod composite;
mod consistency;
mod coupling;
mod curved;
pub mod direction;
mod foreseen;
pub mod forms;
mod game;
pub mod ir;
pub mod mend;
mod movement;
mod print;
pub mod proximal;
pub mod reads;
mod rows;
pub mod scalar;
mod scaling;
mod spellings;
#[cfg(test)]
mod tests;
pub mod trend;
mod turns;
mod unbounded;
mod whole;

pub use automatic::normalise;
pub(crate) use blocks::apart;
pub use ir::Split;
pub(crate) use unbounded::is_bounded_below;

use crate::diag::Diags;
use crate::model::Model;
use crate::model::ir::{PlayerId, Relation};
use atoms::Piece;
use ir::{Component, Coupling, PlayerSplit};

/// Splits every player of a model. Where a player can't be split the reasons are in `diags`.
pub fn split(model: &Model, diags: &mut Diags) -> Split {
    let player = |at| {
        let player = PlayerId(at as u32);
        let equations = coupling::read(model, player, diags);
        let redundancy = consistency::check(&equations, diags);
        // What is two problems has no direction of its own.
        if !game::check(model, player, &equations, diags) {
            unbounded::check(model, player, &equations, diags);
        }
        let split = self::player(model, player, equations, diags);
        // What is refused has a louder cause.
        if !diags.has_errors() {
            consistency::report(model, &redundancy, &split, diags);
        }
        split
    };
    Split { players: (0..model.players.len()).map(player).collect() }
}

/// Splits one player, whose equations were read.
fn player(model: &Model, player: PlayerId, equations: Vec<Coupling>, diags: &mut Diags) -> PlayerSplit {
    let (x, z, mut couplings) = blocks::colour(model, player, equations, diags);
    let x = components::cut(model, player, x, &couplings, diags);
    let z = components::cut(model, player, z, &couplings, diags);
    scaling::weigh(model, player, &x, &z, &mut couplings);
    let whole = whole::eliminate(model, player, &couplings, &z);
    PlayerSplit { player, x, z, couplings, whole }
}

/// Whether a component's step is a linear system or a proximal map.
pub fn is_exact(model: &Model, player: PlayerId, component: &Component, couplings: &[Coupling]) -> bool {
    if couplings.iter().any(|coupling| coupling.is_curved_in(&component.vars)) {
        return false;
    }
    let constraints = &model.players[player.index()].constraints;
    let equations =
        component.constraints.iter().all(|id| matches!(constraints[id.index()].relation, Relation::Zero(_)));
    let quadratic =
        equations && component.terms.iter().all(|&at| atoms::of_term(model, player, at) == Piece::Quadratic);
    quadratic || proximal::form(model, player, component, couplings).is_ok()
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
