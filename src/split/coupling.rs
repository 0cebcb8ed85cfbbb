//! Equations read as `Σ K v + offset = 0`, or with a smooth part ([`curved`]): those across the blocks couple
//! them, the others belong to the step that they lie in.

use super::affine::{self, NotAffine};
use super::curved;
use super::ir::Coupling;
use crate::diag::{Code, Diag, Diags};
use crate::model::Model;
use crate::model::ir::{Constraint, ConstraintId, Expr, PlayerId, Relation};

/// The equations of a player.
pub(super) fn read(model: &Model, player: PlayerId, diags: &mut Diags) -> Vec<Coupling> {
    let constraints = &model.players[player.index()].constraints;
    let mut equations: Vec<Coupling> = Vec::new();
    for (at, constraint) in constraints.iter().enumerate() {
        if let Some(mut equation) = equation(model, player, at, constraint, diags) {
            // Two equations may share a label, as in `link: x = z = w`.
            while equations.iter().any(|other| other.name == equation.name) {
                equation.name.push('\'');
            }
            equations.push(equation);
        }
    }
    equations
}

fn equation(
    model: &Model,
    player: PlayerId,
    at: usize,
    constraint: &Constraint,
    diags: &mut Diags,
) -> Option<Coupling> {
    let Relation::Zero(expr) = &constraint.relation else { return None };
    let read = match is_curvable(model, player, at, expr) {
        true => curved::read,
        false => affine::read,
    };
    let affine = match read(model, player, expr) {
        Ok(affine) => affine,
        Err(NotAffine::Constant) => {
            diags.push(
                Diag::new(Code::UnlinkedBlock, expr.span, "this constraint holds no variable")
                    .here("a number, whatever the variables are")
                    .help("a coupling ties the two blocks together, such as `x - z = 0`; remove this line or name the variables it should tie"),
            );
            return None;
        }
        Err(NotAffine::Changes(place)) => {
            diags.push(
                Diag::new(
                    Code::NotYet,
                    place.unwrap_or(expr.span),
                    "a constraint may hold the player's own variables and fixed data only, for now",
                )
                .here("changes from call to call: another player's, a batch, or a member of a data family")
                .help("constraints that hold such values are understood, but not executed yet"),
            );
            return None;
        }
        Err(NotAffine::Nonlinear(place)) => {
            diags.push(nonlinear(expr.span, place));
            return None;
        }
    };
    Some(Coupling {
        constraint: ConstraintId(at as u32),
        name: constraint.name(ConstraintId(at as u32)),
        span: constraint.span,
        over: constraint.over.map(|over| over.count),
        shape: expr.shape.clone(),
        parts: affine.parts,
        offset: affine.offset,
        weights: None,
    })
}

/// Whether an equation may be smooth without being linear: one that holds a network, and those that the
/// compiler makes, of what it has seen to be smooth.
fn is_curvable(model: &Model, player: PlayerId, at: usize, expr: &Expr) -> bool {
    let made = model.players[player.index()].written.as_ref().is_some_and(|written| at >= written.constraints.len());
    made || curved::holds_network(model, player, expr)
}

pub(super) fn nonlinear(span: crate::source::Span, factor: Option<crate::source::Span>) -> Diag {
    let diag = Diag::new(Code::NonlinearConstraint, span, "this constraint is not linear in the variables")
        .here("must have the form `A*x + B*z = c`")
        .help(
            "ADMM splits along linear constraints only; give the nonlinear part a variable of its own in the objective",
        );
    match factor {
        Some(factor) if factor != span => diag.label(factor, "this is what makes it nonlinear"),
        _ => diag,
    }
}
