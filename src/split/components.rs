//! Independent steps of a block: variables joined by a term, or by an off-diagonal entry of `MᵀM`.

use super::ir::{Block, Component, Coupling};
use super::variables;
use crate::diag::{Code, Diag, Diags};
use crate::model::Model;
use crate::model::ir::{ConstraintId, Member, PlayerId, VarId};

/// Cuts a block into components.
pub(super) fn cut(
    model: &Model,
    player: PlayerId,
    vars: Vec<VarId>,
    couplings: &[Coupling],
    diags: &mut Diags,
) -> Block {
    let this = &model.players[player.index()];
    let mut group: Vec<usize> = (0..vars.len()).collect();
    let mut join = |set: &[VarId]| {
        let own: Vec<usize> = set.iter().filter_map(|var| vars.iter().position(|mine| mine == var)).collect();
        for pair in own.windows(2) {
            let (a, b) = (group[pair[0]], group[pair[1]]);
            group.iter_mut().filter(|root| **root == a.max(b)).for_each(|root| *root = a.min(b));
        }
    };
    let term_vars: Vec<Vec<VarId>> = this.terms.iter().map(|term| variables(&term.expr)).collect();
    term_vars.iter().for_each(|set| join(set));
    let local: Vec<(ConstraintId, Vec<VarId>)> = (0..this.constraints.len())
        .map(|at| ConstraintId(at as u32))
        .filter(|id| couplings.iter().all(|coupling| coupling.constraint != *id))
        .map(|id| (id, variables(this.constraints[id.index()].relation.expr())))
        .filter(|(_, set)| set.iter().any(|var| vars.contains(var)))
        .collect();
    local.iter().for_each(|(_, set)| join(set));
    // Two variables of the block in one coupling: KᵢᵀKⱼ is not zero in general.
    for coupling in couplings {
        let set: Vec<VarId> = coupling.parts.iter().map(|part| part.var).collect();
        join(&set);
    }
    let mut components = Vec::new();
    for root in 0..vars.len() {
        let members: Vec<VarId> = (0..vars.len()).filter(|&at| group[at] == root).map(|at| vars[at]).collect();
        if members.is_empty() {
            continue;
        }
        let terms: Vec<usize> =
            (0..term_vars.len()).filter(|&at| term_vars[at].iter().any(|var| members.contains(var))).collect();
        let constraints: Vec<ConstraintId> =
            local.iter().filter(|(_, set)| set.iter().any(|var| members.contains(var))).map(|&(id, _)| id).collect();
        let over = family(model, player, &members, &terms, &constraints, couplings, diags);
        components.push(Component { vars: members, terms, constraints, over });
    }
    Block { vars, components }
}

/// Members of a family of steps: all variables are families of one size, and every term and coupling
/// reads the member of its own loop.
fn family(
    model: &Model,
    player: PlayerId,
    vars: &[VarId],
    terms: &[usize],
    constraints: &[ConstraintId],
    couplings: &[Coupling],
    diags: &mut Diags,
) -> Option<usize> {
    let count = vars.iter().find_map(|var| model.vars[var.index()].family)?;
    let this = &model.players[player.index()];
    let mut apart = vars.iter().all(|var| model.vars[var.index()].family == Some(count));
    let own = terms.iter().map(|&at| (this.terms[at].over, &this.terms[at].expr));
    let held = constraints.iter().map(|id| &this.constraints[id.index()]);
    for (over, expr) in own.chain(held.map(|constraint| (constraint.over, constraint.relation.expr()))) {
        apart &= over.is_some_and(|over| over.count == count);
        expr.leaves(&mut |leaf| {
            if let crate::model::ir::Leaf::Var(var, member) = leaf
                && vars.contains(&var)
            {
                apart &= member == Member::Loop;
            }
        });
    }
    for coupling in couplings {
        for part in coupling.parts.iter().filter(|part| vars.contains(&part.var)) {
            apart &= part.member == Member::Loop && coupling.over == Some(count);
        }
    }
    if !apart {
        let var = &model.vars[vars[0].index()];
        diags.push(
            Diag::new(Code::NotYet, var.span, format!("the members of `{}` are not independent of each other", var.name))
                .here("some term or constraint reads several members, or a single one")
                .help("families whose members are joined are understood, but not executed yet; for now every term and constraint reads one member in a loop, as in `sum(i in 1 to m: f(w[i]))` and `link[i in 1 to m]: w[i] - z = 0`"),
        );
    }
    Some(count)
}
