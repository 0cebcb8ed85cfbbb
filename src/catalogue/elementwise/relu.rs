//! `relu(x) = max(x, 0)`; a kink at 0.

use crate::catalogue::member::{Member, unary};
use crate::tape::ops::Unary;

pub const MEMBER: Member =
    Member::elementwise("relu(x)", "max(x, 0) of every element", |b, args| unary(b, Unary::Relu, args)).kinks(&[0.0]);
