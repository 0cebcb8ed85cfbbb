//! Results that follow from the variables, computed in f64 when a run ends: what the source names,
//! `let risk = quad_form(x, S)`, and `slack(cap)` of an inequality `cap: A*x <= b`, which is `b − Ax`.

use super::coder::{Coder, as_is};
use super::ir::{Arg, Published, Role, Stmt};
use crate::catalogue::Function;
use crate::model::ir::{ConstraintId, Expr, ExprKind, Loop, Relation};
use crate::model::is_constant;
use crate::tape::{Dtype, Type};

/// The results, and the calls that compute them.
pub(super) fn published(coder: &mut Coder) -> (Vec<Published>, Vec<Stmt>) {
    let mut results = Vec::new();
    let mut calls = Vec::new();
    let model = coder.model;
    for named in &model.named {
        value(coder, named.name.clone(), &named.expr, named.over, 1.0, (&mut results, &mut calls));
    }
    for (player, this) in model.players.iter().enumerate() {
        for (at, constraint) in this.source().2.iter().enumerate() {
            let Relation::NonPositive(expr) = &constraint.relation else { continue };
            if is_bound(expr) || model.is_random(expr) {
                continue;
            }
            let label = constraint.name(ConstraintId(at as u32));
            let name = coder.prefixed(player, &format!("slack({label})"));
            value(coder, name, expr, constraint.over, -1.0, (&mut results, &mut calls));
        }
    }
    (results, calls)
}

/// Whether it is `x − u` or `l − x` of a variable: how far it is from its bound is seen from the variable.
fn is_bound(expr: &Expr) -> bool {
    let mut parts = expr.children();
    parts.retain(|part| !is_constant(part));
    let plain = matches!(&expr.kind, ExprKind::Apply(Function::Sub | Function::Neg, _));
    plain && matches!(parts[..], [part] if matches!(part.kind, ExprKind::Leaf(_)))
}

/// `sign` times an expression as a result of that name; of a loop, all its members.
fn value(
    coder: &mut Coder,
    name: String,
    expr: &Expr,
    over: Option<Loop>,
    sign: f64,
    (results, calls): (&mut Vec<Published>, &mut Vec<Stmt>),
) {
    let mut draft = coder.draft("value");
    let (values, _) = coder.lower(&mut draft, std::slice::from_ref(expr), Dtype::F64, &mut as_is);
    let value = draft.b.scale(sign, values[0]);
    let ty = Type { dtype: Dtype::F64, shape: expr.shape.clone() };
    let members = over.map(|over| over.count);
    let state = coder.state(&name, ty, members, super::ir::Start::Zeros);
    draft.write(coder, Arg { state, member: members.is_some() }, value);
    calls.push(coder.call(draft, members, "values"));
    results.push(Published { name, state, role: Role::Value });
}
