//! Data that nothing refers to any more — tables that were cut, shards that were stacked — leaves
//! the model.

use std::collections::BTreeMap;

use crate::model::ir::{
    DataId, Expr, ExprKind, Inner, Leaf, Method, Model, Relation, SampleSource, SolveBody, Step, StepKind,
};

/// Keeps the data that expressions and samples refer to, in its order.
pub(super) fn prune(model: &mut Model) {
    let mut used: Vec<bool> = vec![false; model.data.len()];
    each(model, &mut |id| used[id.index()] = true);
    let mut names: BTreeMap<DataId, DataId> = BTreeMap::new();
    for (at, _) in used.iter().enumerate().filter(|&(_, &used)| used) {
        names.insert(DataId(at as u32), DataId(names.len() as u32));
    }
    let mut keep = used.iter();
    model.data.retain(|_| keep.next().is_some_and(|&used| used));
    each(model, &mut |id| *id = names[id]);
}

/// Visits every reference to data.
fn each(model: &mut Model, visit: &mut impl FnMut(&mut DataId)) {
    for sample in &mut model.samples {
        if let SampleSource::Rows(parts) = &mut sample.source {
            parts.iter_mut().for_each(&mut *visit);
        }
    }
    model.named.iter_mut().for_each(|named| inside(&mut named.expr, visit));
    for player in &mut model.players {
        for term in &mut player.terms {
            inside(&mut term.expr, visit);
        }
        for constraint in &mut player.constraints {
            match &mut constraint.relation {
                Relation::Zero(expr) | Relation::NonPositive(expr) => inside(expr, visit),
                Relation::In { expr, args, .. } => {
                    inside(expr, visit);
                    args.iter_mut().for_each(|arg| inside(arg, visit));
                }
            }
        }
        for claim in &mut player.claims {
            inside(&mut claim.value, visit);
        }
    }
    for solve in &mut model.solves {
        match &mut solve.body {
            SolveBody::Method(method) => stated(method, visit),
            SolveBody::Game(steps) => steps.iter_mut().for_each(|step| played(step, visit)),
        }
    }
}

/// Updates that a method states.
fn stated(method: &mut Method, visit: &mut impl FnMut(&mut DataId)) {
    let Method::Admm(admm) = method else { return };
    for step in [&mut admm.x_step, &mut admm.z_step] {
        if let Some(Inner::Given(value)) = step {
            inside(value, visit);
        }
    }
}

fn played(step: &mut Step, visit: &mut impl FnMut(&mut DataId)) {
    match &mut step.kind {
        StepKind::Track { value, .. } | StepKind::SaveImages { value, .. } => inside(value, visit),
        StepKind::Epochs { body, .. } | StepKind::Times { body, .. } | StepKind::EachBatch { body } => {
            body.iter_mut().for_each(|step| played(step, visit));
        }
        StepKind::When { body, .. } => played(body, visit),
        StepKind::Method { method, .. } => stated(method, visit),
        StepKind::Restart { .. } => {}
    }
}

fn inside(expr: &mut Expr, visit: &mut impl FnMut(&mut DataId)) {
    if let ExprKind::Leaf(Leaf::Data(id, _)) = &mut expr.kind {
        visit(id);
    }
    expr.children_mut().into_iter().for_each(|child| inside(child, visit));
}
