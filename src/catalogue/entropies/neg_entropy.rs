//! `neg_entropy(x) = Σᵢ xᵢ log xᵢ` on `x ≥ 0`. Its step is the root of `x + t(log x + 1) = v`: see
//! [`step`](super::step).

use super::{step, times_log};
use crate::catalogue::member::{Form, Member};
use crate::catalogue::prox::Prox;
use crate::tape::ops::Unary;
use crate::tape::{Builder, Value};

pub const MEMBER: Member =
    Member::total("neg_entropy(x)", "sum of x log x", lower).form(Form::Template("Σ {0!} log {0!}")).prox(
        Prox::separable(|b, v, t, _| {
            let l = b.constant(-1.0, b.dtype(v));
            step(b, v, t, l)
        })
        .domain(),
    );

pub fn lower(b: &mut Builder, args: &[Value]) -> Value {
    let log = b.unary(Unary::Log, args[0]);
    let terms = times_log(b, args[0], log);
    b.sum(terms)
}
