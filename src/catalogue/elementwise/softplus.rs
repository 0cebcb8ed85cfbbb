//! `softplus(x) = log(1 + eˣ)`, without overflow.

use crate::catalogue::member::{Member, unary};
use crate::tape::ops::Unary;

pub const MEMBER: Member =
    Member::elementwise("softplus(x)", "log(1 + eˣ) of every element, without overflow", |b, args| {
        unary(b, Unary::Softplus, args)
    });
