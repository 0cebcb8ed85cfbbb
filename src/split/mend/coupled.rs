//! E0401: a term that holds variables of both blocks reads copies of those of one of them.

use super::Draft;
use crate::diag::Fix;
use crate::model::Model;
use crate::model::ir::{PlayerId, VarId};
use crate::split::variables;

/// Copies, in the block that has more of the term at `at`, of what it holds of the other; every term across the
/// blocks that holds one of these reads its copy.
pub(in crate::split) fn coupled(model: &Model, player: PlayerId, at: usize, blocks: [&[VarId]; 2]) -> Option<Fix> {
    let mut draft = Draft::new(model, player)?;
    let terms = &model.players[player.index()].terms;
    let held: Vec<Vec<VarId>> = terms.iter().map(|term| variables(&term.expr)).collect();
    let own = blocks.map(|block| held[at].iter().copied().filter(|var| block.contains(var)).collect::<Vec<VarId>>());
    // Those of the second block where there are as many.
    let from = if own[0].len() < own[1].len() { 0 } else { 1 };
    let mut told = Vec::new();
    for &var in &own[from] {
        let copy = draft.copy(var)?;
        draft.side(copy, 1 - from);
        for (term, vars) in terms.iter().zip(&held) {
            if vars.contains(&var) && vars.iter().any(|other| blocks[1 - from].contains(other)) {
                draft.write(term.span, var, copy)?;
            }
        }
        let names = (&draft.model.vars[copy.index()].name, &model.vars[var.index()].name);
        told.push(format!("declare `{}` like `{}`, write it here", names.0, names.1));
    }
    let title = format!("{}, and add `{}`", told.join(", "), draft.constraints.join("` and `"));
    draft.fix(title)
}
