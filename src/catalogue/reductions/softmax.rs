//! `softmax(u)ᵢ = exp(uᵢ)/Σⱼ exp(uⱼ)`, row by row of a matrix.

use crate::catalogue::member::Member;
use crate::catalogue::shapes;
use crate::tape::ops::Unary;

pub const MEMBER: Member = Member::total("softmax(u)", "exp(u), scaled to sum to 1 in every row", |b, args| {
    // Positive and at most 1, as the exponents are logarithms of probabilities.
    let logs = (super::log_softmax::MEMBER.lower)(b, args);
    b.unary(Unary::Exp, logs)
})
.shape(shapes::rows);
