//! `silu(x) = x σ(x)`.

use crate::catalogue::member::Member;
use crate::tape::ops::Unary;

pub const MEMBER: Member = Member::elementwise("silu(x)", "x σ(x) of every element", |b, args| {
    let sigmoid = b.unary(Unary::Sigmoid, args[0]);
    b.mul(args[0], sigmoid)
});
