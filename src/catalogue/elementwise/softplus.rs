//! `softplus(x) = log(1 + eˣ)`, without overflow. The step of its sum is the root of
//! `x − v + t σ(x)`, by Newton's method; it lies in `[v − t, v]`.

use crate::catalogue::Curve;
use crate::catalogue::member::{Member, unary};
use crate::catalogue::prox::Prox;
use crate::tape::Interval;
use crate::tape::ops::Unary;

pub const MEMBER: Member =
    Member::elementwise("softplus(x)", "log(1 + eˣ) of every element, without overflow", |b, args| {
        unary(b, Unary::Softplus, args)
    })
    .curve(Curve::ConvexRising)
    .prox(Prox::separable(|b, v, t, _| {
        b.newton(v, t, &[], Interval::ALL, |b, x, _| {
            let slope = b.unary(Unary::Sigmoid, x);
            let minus = b.neg(x);
            let rest = b.unary(Unary::Sigmoid, minus);
            (slope, b.mul(slope, rest))
        })
    }));
