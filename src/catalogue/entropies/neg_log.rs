//! `neg_log(x) = −Σᵢ log xᵢ` on `x > 0`, the logarithmic barrier. Its step is the positive root of a
//! quadratic:
//!
//! ```text
//! prox_{tφ}(v) = (v + √(v² + 4t))/2
//! ```
//!
//! Parikh & Boyd, Proximal Algorithms (2014), §6.1.3.

use crate::catalogue::member::{Form, Member};
use crate::catalogue::prox::Prox;
use crate::catalogue::shrink;
use crate::tape::ops::Unary;

pub const MEMBER: Member = Member::total("neg_log(x)", "sum of −log x", |b, args| {
    let logs = b.unary(Unary::Log, args[0]);
    let sum = b.sum(logs);
    b.neg(sum)
})
.form(Form::Template("−Σ log {0!}"))
.aliases(&["log_barrier"])
.prox(Prox::separable(|b, v, t, _| shrink::positive_root(b, v, t)).domain());
