//! `entropy(x) = −Σᵢ xᵢ log xᵢ` on `x ≥ 0`: concave.

use crate::catalogue::member::{Form, Member};

pub const MEMBER: Member = Member::total("entropy(x)", "sum of −x log x", |b, args| {
    let negative = super::neg_entropy::lower(b, args);
    b.neg(negative)
})
.form(Form::Template("H({0})"));
