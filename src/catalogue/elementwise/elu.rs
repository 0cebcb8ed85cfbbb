//! `elu(x, a) = x` for `x > 0`, else `a(eˣ − 1)`; smooth at 0 for a = 1 only.

use crate::catalogue::member::Member;
use crate::tape::ops::{Binary, Unary};

pub const MEMBER: Member = Member::elementwise("elu(x, a = 1)", "x where positive, else a(eˣ − 1)", |b, args| {
    let (x, a) = (args[0], args[1]);
    let zero = b.constant_like(0.0, x);
    // The exponential never sees a positive number, so what is not chosen stays finite.
    let below = b.binary(Binary::Min, x, zero);
    let tail = b.unary(Unary::Expm1, below);
    let tail = b.mul(a, tail);
    let positive = b.binary(Binary::Less, zero, x);
    b.select(positive, x, tail)
})
.kinked();
