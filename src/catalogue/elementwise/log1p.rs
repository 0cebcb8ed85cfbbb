//! `log1p(x) = log(1 + x)`, without the cancellation near 0.

use crate::catalogue::Curve;
use crate::catalogue::member::{Member, unary};
use crate::tape::ops::Unary;

pub const MEMBER: Member = Member::elementwise("log1p(x)", "log(1 + x) of every element, exact near 0", |b, args| {
    unary(b, Unary::Log1p, args)
})
.curve(Curve::ConcaveRising);
