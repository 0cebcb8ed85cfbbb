//! How far a constraint is violated at values of its variables: `e` of an equation, `max(e, 0)` of an
//! inequality, the distance to a set.

use super::coder::Draft;
use crate::model::ir::{Expr, Relation};
use crate::tape::ir::Unary;
use crate::tape::{Shape, Value};

/// What has to be computed first: the expression, then a set's arguments.
pub(super) fn exprs(relation: &Relation) -> Vec<Expr> {
    let args = match relation {
        Relation::In { args, .. } => args.as_slice(),
        Relation::Zero(_) | Relation::NonPositive(_) => &[],
    };
    std::iter::once(relation.expr()).chain(args).cloned().collect()
}

/// The violation, from the values of [`exprs`]; zero where the constraint holds.
pub(super) fn of(draft: &mut Draft, relation: &Relation, values: &[Value]) -> Value {
    match relation {
        Relation::Zero(_) => values[0],
        Relation::NonPositive(_) => draft.b.unary(Unary::Relu, values[0]),
        Relation::In { set, .. } => set.lower(&mut draft.b, values, &Shape::scalar()),
    }
}
