//! `kl_div(x, y) = Σᵢ xᵢ log(xᵢ/yᵢ) − xᵢ + yᵢ` on `x ≥ 0`, `y ≥ 0`: the Kullback–Leibler divergence of
//! anything that need not sum to 1; infinite where `y` is 0 and `x` is not. Its step is the root of
//! `x + t log(x/y) = v`: see [`step`](super::step).

use super::{step, times_log};
use crate::catalogue::member::Member;
use crate::catalogue::prox::Prox;
use crate::catalogue::shapes;
use crate::tape::ops::Unary;

pub const MEMBER: Member = Member::total("kl_div(x, y)", "sum of x log(x/y) − x + y", |b, args| {
    let (x, y) = (args[0], args[1]);
    let (log_x, log_y) = (b.unary(Unary::Log, x), b.unary(Unary::Log, y));
    let ratio = b.sub(log_x, log_y);
    let terms = times_log(b, x, ratio);
    let less = b.sub(terms, x);
    let all = b.add(less, y);
    b.sum(all)
})
.shape(shapes::same_to_number)
.prox(
    Prox::separable(|b, v, t, args| {
        let l = b.unary(Unary::Log, args[1]);
        step(b, v, t, l)
    })
    .domain(),
);
