//! By which affine expressions a component's terms and constraints depend on its variables.
//!
//! What a term holds is taken apart until it is affine: `sum(log(1 + exp(A*x))) + x[1]^3` depends on x by `A*x` and
//! `x[1]` alone, and is constant along every direction that both take to 0.

use super::affine;
use super::ir::Component;
use super::variables;
use crate::linalg::Operator;
use crate::model::Model;
use crate::model::ir::{Expr, ExprKind, Leaf, PlayerId, VarId};

/// `K` of each, over the component's variables one behind another.
pub fn reads(model: &Model, player: PlayerId, component: &Component) -> Vec<Operator> {
    let this = &model.players[player.index()];
    let terms = component.terms.iter().map(|&at| &this.terms[at].expr);
    let constraints = component.constraints.iter().map(|id| this.constraints[id.index()].relation.expr());
    let mut found = Vec::new();
    terms.chain(constraints).for_each(|expr| of(model, player, &component.vars, expr, &mut found));
    found
}

fn of(model: &Model, player: PlayerId, vars: &[VarId], expr: &Expr, found: &mut Vec<Operator>) {
    if !variables(expr).iter().any(|var| vars.contains(var)) {
        return;
    }
    if !holds_network(expr)
        && let Ok(affine) = affine::read(model, player, expr)
        && let Some(operator) = affine.stacked(model, vars)
    {
        found.push(operator);
        return;
    }
    if let ExprKind::Leaf(Leaf::Var(own, _)) = expr.kind {
        // A member of a family is that of its own loop.
        let block = |var: &VarId| {
            let n = model.vars[var.index()].shape.numel();
            if *var == own { Operator::Identity(n) } else { Operator::Zero { rows: 0, cols: n } }
        };
        found.push(Operator::block(vars.iter().map(block).collect()));
    }
    expr.children().into_iter().for_each(|child| of(model, player, vars, child, found));
}

/// Whether a network is in it, so that there is nothing to read.
fn holds_network(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Net { .. }) || expr.children().into_iter().any(holds_network)
}
