//! E0403: variables that need three blocks. Two ways out, the first that has a rule for every step:
//!
//! ```text
//! grouped   split x, y | w                       A x + B y + C w = c is a coupling of (x, y) and w
//! star      xc − x = 0, yc − y = 0, wc − w = 0   the equations hold of the copies, which are the second block
//! ```
//!
//! Chen, He, Ye and Yuan, Math. Program. 155 (2016): three blocks in turn can diverge at every ρ.

use super::Draft;
use crate::diag::Fix;
use crate::model::Model;
use crate::model::ir::{PlayerId, Relation, VarId};
use crate::split::variables;

/// Groups up to which every division in two is tried: 15 of 5.
const GROUPS: usize = 5;

/// Which of the groups go together, or copies of what the equations hold. `group` says to which a variable
/// belongs, none where no equation ties it.
pub(in crate::split) fn third(model: &Model, player: PlayerId, group: &[Option<usize>]) -> Option<Fix> {
    let draft = Draft::new(model, player)?;
    grouped(&draft, group).or_else(|| star(draft))
}

fn grouped(draft: &Draft, group: &[Option<usize>]) -> Option<Fix> {
    let vars = draft.model.players[draft.player.index()].vars.clone();
    let mut groups: Vec<usize> = group.iter().copied().flatten().collect();
    groups.sort_unstable();
    groups.dedup();
    if groups.len() > GROUPS {
        return None;
    }
    // The first group lies in x; the last ones are the first to be told apart.
    let mut divisions: Vec<u32> = (1..1u32 << (groups.len() - 1)).collect();
    divisions.sort_by_key(|division| division.count_ones());
    divisions.into_iter().find_map(|division| {
        let is_z = |at: &usize| {
            let place = groups.iter().rev().position(|own| group[*at] == Some(*own));
            place.is_some_and(|place| division >> place & 1 == 1)
        };
        let (z, x): (Vec<usize>, Vec<usize>) = (0..vars.len()).partition(is_z);
        let [x, z] = [x, z].map(|side| side.into_iter().map(|at| vars[at]).collect::<Vec<VarId>>());
        let mut draft = draft.clone();
        draft.state(x, z);
        let title = format!("write `split {} | {}`", draft.sides[0].join(", "), draft.sides[1].join(", "));
        draft.fix(title)
    })
}

fn star(mut draft: Draft) -> Option<Fix> {
    // A multiplier that is asked for would be that of another equation.
    if draft.layout.holds("dual") {
        return None;
    }
    let this = draft.model.players[draft.player.index()].clone();
    let mut copies = Vec::new();
    for constraint in &this.constraints {
        let vars = variables(constraint.relation.expr());
        if !matches!(constraint.relation, Relation::Zero(_)) || vars.len() < 2 {
            continue;
        }
        for var in vars {
            let copy = draft.copy(var)?;
            draft.write(constraint.span, var, copy)?;
            if !copies.contains(&copy) {
                copies.push(copy);
            }
        }
    }
    draft.state(this.vars, copies);
    let title = format!(
        "let the equations hold of copies, a block of their own: `split {} | {}`",
        draft.sides[0].join(", "),
        draft.sides[1].join(", ")
    );
    draft.fix(title)
}
