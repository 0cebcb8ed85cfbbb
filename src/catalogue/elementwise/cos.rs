//! `cos(x)`.

use crate::catalogue::member::{Member, unary};
use crate::tape::ops::Unary;

pub const MEMBER: Member =
    Member::elementwise("cos(x)", "cosine of every element", |b, args| unary(b, Unary::Cos, args));
