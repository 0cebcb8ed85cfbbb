//! `expm1(x) = eˣ − 1`, without the cancellation near 0.

use crate::catalogue::Curve;
use crate::catalogue::member::{Member, unary};
use crate::tape::ops::Unary;

pub const MEMBER: Member =
    Member::elementwise("expm1(x)", "eˣ − 1 of every element, exact near 0", |b, args| unary(b, Unary::Expm1, args))
        .curve(Curve::ConvexRising);
