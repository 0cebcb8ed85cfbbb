//! `hinge(y, u) = Σᵢ max(0, 1 − yᵢuᵢ)` for labels `y` of −1 and 1; a kink at margin 1.

use crate::catalogue::member::Member;
use crate::catalogue::shapes;
use crate::tape::ops::Unary;

pub const MEMBER: Member =
    Member::total("hinge(y, u)", "sum of max(0, 1 − y u); labels y are −1 and 1", |b, args| {
        let margin = b.mul(args[0], args[1]);
        let against = b.neg(margin);
        let short = b.offset(against, 1.0);
        let losses = b.unary(Unary::Relu, short);
        b.sum(losses)
    })
    .shape(shapes::same_to_number);
