//! The step that a solve block states: its expression, evaluated where the iteration stands.

use super::admm::{Iteration, Side, point};
use super::coder::{Coder, as_is};
use super::ir::Stmt;
use crate::model::ir::Expr;
use crate::steps::ir::Step;

/// The statements of the step.
pub(super) fn step(coder: &mut Coder, step: &Step, value: &Expr, side: Side, body: &mut Vec<Stmt>) {
    let mut draft = coder.draft(Iteration::what(side));
    let own = point(coder, &mut draft, &step.component.vars, None);
    let dtype = coder.dtype;
    let (values, _) = coder.lower(&mut draft, std::slice::from_ref(value), dtype, &mut as_is);
    own.write(coder, &mut draft, &values);
    body.push(coder.call(draft, None, Iteration::what(side)));
}
