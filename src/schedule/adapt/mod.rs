//! How ρ changes, a policy a file. λ is the state, so a change of ρ rescales nothing; factors that
//! hold ρ are made again.

mod relative;
mod units;

use super::admm::Iteration;
use super::coder::{Coder, Draft};
use super::ir::{Due, LoopUnit, Stmt};
use crate::model::ir::Adapt;
use crate::tape::Value;
use crate::tape::ir::{Binary, Unary};

/// Statements that change ρ when it is due. `residuals` says whether the dual residual is computed.
pub(super) fn statements(it: &Iteration, coder: &mut Coder, residuals: bool) -> Vec<Stmt> {
    if it.plan.settings.adapt == Adapt::Fixed {
        return Vec::new();
    }
    let mut body = Vec::new();
    let every = Due::Every(it.plan.settings.adapt_every.max(1), LoopUnit::Iteration);
    let changed = if residuals {
        relative::policy(it, coder, &mut body)
    } else {
        units::smooth(it, coder, &mut body);
        let mut due = Vec::new();
        let changed = units::policy(it, coder, &mut due);
        body.push(Stmt::When { when: every.clone(), body: due });
        changed
    };
    if !it.refactor.is_empty() {
        body.push(Stmt::If { when: changed, body: it.refactor.clone() });
    }
    if residuals { vec![Stmt::When { when: every, body }] } else { body }
}

/// `clip(√(a/b), ½, 2)`; 1 where either is zero.
fn factor(coder: &Coder, draft: &mut Draft, a: Value, b: Value) -> Value {
    let ratio = draft.b.div(a, b);
    let root = draft.b.unary(Unary::Sqrt, ratio);
    let (half, two) = (draft.number(0.5, coder.dtype), draft.number(2.0, coder.dtype));
    let clipped = draft.b.clamp(root, half, two);
    let both = draft.b.mul(a, b);
    let one = draft.number(1.0, coder.dtype);
    let zero = draft.number(0.0, coder.dtype);
    let usable = draft.b.binary(Binary::Less, zero, both);
    draft.b.select(usable, clipped, one)
}
