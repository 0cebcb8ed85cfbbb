//! `logistic(y, u) = Σᵢ log(1 + exp(−yᵢuᵢ))` for labels `y` of −1 and 1. Its step is the root of
//! `x − v − ty σ(−yx)`, by Newton's method; it lies between `v` and `v + ty`.

use crate::catalogue::member::Member;
use crate::catalogue::prox::Prox;
use crate::catalogue::shapes;
use crate::tape::Interval;
use crate::tape::ops::Unary;

pub const MEMBER: Member =
    Member::total("logistic(y, u)", "sum of log(1 + exp(−y u)); labels y are −1 and 1", |b, args| {
        let margin = b.mul(args[0], args[1]);
        let against = b.neg(margin);
        let losses = b.unary(Unary::Softplus, against);
        b.sum(losses)
    })
    .shape(shapes::same_to_number)
    .prox(
        Prox::separable(|b, v, t, args| {
            b.newton(v, t, &[args[0]], Interval::ALL, |b, x, labels| {
                let y = labels[0];
                let margin = b.mul(y, x);
                let against = b.neg(margin);
                let wrong = b.unary(Unary::Sigmoid, against);
                let right = b.unary(Unary::Sigmoid, margin);
                let pull = b.mul(y, wrong);
                let bend = b.mul(pull, y);
                (b.neg(pull), b.mul(bend, right))
            })
        })
        .subject(1),
    );
