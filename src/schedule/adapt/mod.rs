//! How ρ changes, a policy a file. λ is the state, so a change of ρ rescales nothing; factors that
//! hold ρ are made again.

mod insist;
mod relative;
mod units;

use super::admm::Iteration;
use super::coder::{Coder, Draft};
use super::ir::{Penalty, StateId, Stmt};
use crate::model::ir::Adapt;
use crate::tape::Value;
use crate::tape::ir::{Binary, Unary};

/// Statements that change ρ when it is due. `residuals` says whether the dual residual is computed.
pub(super) fn statements(it: &Iteration, coder: &mut Coder, residuals: bool) -> Vec<Stmt> {
    if it.plan.settings.adapt == Adapt::Fixed {
        return Vec::new();
    }
    let mut body = Vec::new();
    match residuals {
        true => insist::statements(it, coder, &mut body),
        false => units::smooth(it, coder, &mut body),
    }
    let mut change = Vec::new();
    let changed =
        if residuals { relative::policy(it, coder, &mut change) } else { units::policy(it, coder, &mut change) };
    if !it.refactor.is_empty() {
        change.push(Stmt::If { when: changed, body: it.refactor.clone() });
    }
    match it.plan.settings.adapt_every {
        0 | 1 => body.extend(change),
        every => {
            let due = count(it, coder, every, &mut body);
            body.push(Stmt::If { when: due, body: change });
        }
    }
    body
}

/// The states that tell where the balance ends, where ρ is balanced by residuals.
pub(super) fn published(it: &Iteration) -> Option<Penalty> {
    (it.plan.settings.adapt != Adapt::Fixed).then(|| Penalty {
        rho: it.rho,
        start: it.plan.rho,
        least: it.plan.rho_least,
        squares: it.weighed,
        constant: relative::weighted_constant(it),
        multiplier: it.multiplier,
    })
}

/// Counts the plan's own iterations; gives a flag that is 1 on every so many.
fn count(it: &Iteration, coder: &mut Coder, every: usize, body: &mut Vec<Stmt>) -> StateId {
    let [count, due] = ["ρ count", "ρ due"].map(|name| {
        let name = coder.prefixed(it.plan.player.index(), name);
        coder.scalar(&name, 0.0)
    });
    let mut draft = coder.draft("count");
    let so_far = draft.read(coder, count);
    let next = draft.b.offset(so_far, 1.0);
    let every = draft.number(every as f64, coder.dtype);
    let is_due = draft.b.binary(Binary::LessEqual, every, next);
    let zero = draft.number(0.0, coder.dtype);
    let next = draft.b.select(is_due, zero, next);
    draft.write(coder, count, next);
    draft.write(coder, due, is_due);
    body.push(coder.call(draft, None, "adapt"));
    due
}

/// ρ no lower than every closed-form step needs to stay convex, nor than the floor where there is one.
fn at_least(it: &Iteration, coder: &mut Coder, draft: &mut Draft, mut rho: Value) -> Value {
    if let Some(floor) = insist::floor(it, coder) {
        let floor = draft.read(coder, floor);
        rho = draft.b.binary(Binary::Max, rho, floor);
    }
    if it.plan.rho_least == 0.0 {
        return rho;
    }
    let least = draft.number(it.plan.rho_least, coder.dtype);
    draft.b.binary(Binary::Max, rho, least)
}

/// `clip(√(a/b), ½, 2)`; 1 where either is zero.
fn factor(coder: &Coder, draft: &mut Draft, a: Value, b: Value) -> Value {
    let one = draft.number(1.0, coder.dtype);
    let zero = draft.number(0.0, coder.dtype);
    let both = draft.b.mul(a, b);
    let usable = draft.b.binary(Binary::Less, zero, both);
    let divisor = draft.b.select(usable, b, one);
    let ratio = draft.b.div(a, divisor);
    let root = draft.b.unary(Unary::Sqrt, ratio);
    let (half, two) = (draft.number(0.5, coder.dtype), draft.number(2.0, coder.dtype));
    let clipped = draft.b.clamp(root, half, two);
    draft.b.select(usable, clipped, one)
}
