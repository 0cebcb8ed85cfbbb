//! `sign(x)`: −1, 0 or 1; it jumps at 0.

use crate::catalogue::member::{Member, unary};
use crate::tape::ops::Unary;

pub const MEMBER: Member =
    Member::elementwise("sign(x)", "−1, 0 or 1 for every element", |b, args| unary(b, Unary::Sign, args)).kinked();
