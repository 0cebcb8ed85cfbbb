//! E0505 and E0601: what a step has no rule for moves into the other block, as a function or set of a variable of
//! its own.

use super::Draft;
use crate::diag::Fix;
use crate::model::Model;
use crate::model::ir::{ExprKind, Leaf, PlayerId};
use crate::source::Span;
use crate::split::atoms::{self, Atom, Piece, Place};
use crate::split::ir::Component;

/// Atoms up to which each is tried alone.
const ALONE: usize = 8;

/// Moves those of a component's atoms that stand at one of `places`, or the first that suffices.
pub fn behind(model: &Model, player: PlayerId, component: &Component, places: &[Place]) -> Option<Fix> {
    let draft = Draft::new(model, player)?;
    let atoms: Vec<Atom> = places.iter().filter_map(|&place| atom(model, player, place)).collect();
    if atoms.is_empty() || atoms.len() > ALONE {
        return None;
    }
    let alone = atoms.iter().find_map(|atom| moved(&draft, component, std::slice::from_ref(atom)));
    alone.or_else(|| (atoms.len() > 1).then(|| moved(&draft, component, &atoms)).flatten())
}

/// What stands there, where it is a function or set of something affine.
fn atom(model: &Model, player: PlayerId, place: Place) -> Option<Atom> {
    let piece = match place {
        Place::Term(at) => atoms::of_term(model, player, at),
        Place::Constraint(id) => atoms::of_constraint(model, player, id),
    };
    match piece {
        Piece::Atom(atom) if !atom.affine.is_curved() => Some(*atom),
        _ => None,
    }
}

fn moved(draft: &Draft, component: &Component, atoms: &[Atom]) -> Option<Fix> {
    let mut draft = draft.clone();
    let mut told = Vec::new();
    for atom in atoms {
        let is_variable = matches!(atom.subject.kind, ExprKind::Leaf(Leaf::Var(..)));
        if atom.over.is_some() && !is_variable {
            return None;
        }
        let this = &draft.model.players[draft.player.index()];
        let place: Span = match atom.place {
            Place::Term(at) => this.terms[at].span,
            Place::Constraint(id) => this.constraints[id.index()].span,
        };
        let is_z = this.split.as_ref().is_some_and(|(_, z)| component.vars.iter().any(|var| z.contains(var)));
        let known = draft.copies.len() + draft.constraints.len();
        let var = draft.part(&atom.subject)?;
        draft.write_part(place, &atom.subject, var)?;
        if draft.copies.len() + draft.constraints.len() > known {
            draft.side(var, usize::from(!is_z));
            told.push(format!(
                "write `{}` for `{}`",
                draft.model.vars[var.index()].name,
                draft.layout.text(atom.subject.span)
            ));
        }
    }
    let title = format!("{}, and add `{}`", told.join(", "), draft.constraints.join("` and `"));
    draft.fix(title)
}
