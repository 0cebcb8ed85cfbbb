//! `gelu(x) = x Φ(x) = x (1 + erf(x/√2))/2` (Hendrycks & Gimpel 2016), the exact form.

use crate::catalogue::member::Member;
use crate::tape::ops::Unary;

pub const MEMBER: Member = Member::elementwise("gelu(x)", "x Φ(x) of every element", |b, args| {
    let x = args[0];
    let scaled = b.scale(std::f64::consts::FRAC_1_SQRT_2, x);
    let erf = b.unary(Unary::Erf, scaled);
    let twice = b.offset(erf, 1.0);
    let half = b.scale(0.5, x);
    b.mul(half, twice)
});
