//! `mse(a, b)`: the mean of `(aᵢ − bᵢ)²`.

use crate::catalogue::member::Member;
use crate::catalogue::shapes;
use crate::tape::ops::Unary;

pub const MEMBER: Member = Member::total("mse(a, b)", "mean of the squared differences", |b, args| {
    let difference = b.sub(args[0], args[1]);
    let squares = b.unary(Unary::Square, difference);
    let count = b.shape(squares).numel();
    let sum = b.sum(squares);
    b.scale(1.0 / count as f64, sum)
})
.shape(shapes::same_to_number);
