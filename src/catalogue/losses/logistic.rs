//! `logistic(y, u) = Σᵢ log(1 + exp(−yᵢuᵢ))` for labels `y` of −1 and 1.

use crate::catalogue::member::Member;
use crate::catalogue::shapes;
use crate::tape::ops::Unary;

pub const MEMBER: Member =
    Member::total("logistic(y, u)", "sum of log(1 + exp(−y u)); labels y are −1 and 1", |b, args| {
        let margin = b.mul(args[0], args[1]);
        let against = b.neg(margin);
        let losses = b.unary(Unary::Softplus, against);
        b.sum(losses)
    })
    .shape(shapes::same_to_number);
