//! `min(a, b, …)`: the lesser of each pair of elements; a kink where they are equal.

use crate::catalogue::Curve;
use crate::catalogue::member::Member;
use crate::tape::ops::Binary;

pub const MEMBER: Member = Member::elementwise("min(a, b, …)", "the lesser of each pair of elements", |b, args| {
    args[1..].iter().fold(args[0], |most, &arg| b.binary(Binary::Min, most, arg))
})
.curve(Curve::ConcaveRising)
.kinked();
