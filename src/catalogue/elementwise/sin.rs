//! `sin(x)`.

use crate::catalogue::member::{Member, unary};
use crate::tape::ops::Unary;

pub const MEMBER: Member = Member::elementwise("sin(x)", "sine of every element", |b, args| unary(b, Unary::Sin, args));
