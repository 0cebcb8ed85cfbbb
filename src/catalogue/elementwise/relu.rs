//! `relu(x) = max(x, 0)`; a kink at 0. The step of its sum is that of `pos`.

use crate::catalogue::Curve;
use crate::catalogue::member::{Member, unary};
use crate::catalogue::prox::Prox;
use crate::tape::ops::Unary;

pub const MEMBER: Member =
    Member::elementwise("relu(x)", "max(x, 0) of every element", |b, args| unary(b, Unary::Relu, args))
        .curve(Curve::ConvexRising)
        .kinked()
        .prox(Prox::separable(|b, v, t, _| super::pos::step(b, v, t)));
