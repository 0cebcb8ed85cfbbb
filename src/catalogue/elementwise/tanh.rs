//! `tanh(x)`.

use crate::catalogue::member::{Member, unary};
use crate::tape::ops::Unary;

pub const MEMBER: Member =
    Member::elementwise("tanh(x)", "hyperbolic tangent of every element", |b, args| unary(b, Unary::Tanh, args));
