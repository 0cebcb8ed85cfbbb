//! `leaky_relu(x, slope) = x` for `x > 0`, else `slope·x`; a kink at 0.

use crate::catalogue::member::Member;
use crate::tape::ops::Binary;

pub const MEMBER: Member =
    Member::elementwise("leaky_relu(x, slope = 0.01)", "x where positive, else slope·x", |b, args| {
        let (x, slope) = (args[0], args[1]);
        let zero = b.constant_like(0.0, x);
        let positive = b.binary(Binary::Less, zero, x);
        let leak = b.mul(slope, x);
        b.select(positive, x, leak)
    })
    .kinked();
