//! `norm1(x) = ‖x‖₁ = Σᵢ|xᵢ|`, of all elements; kinks where one is 0.

use crate::catalogue::member::{Form, Member};
use crate::tape::ops::Unary;

pub const MEMBER: Member = Member::total("norm1(x)", "sum of the magnitudes of all elements", |b, args| {
    let magnitudes = b.unary(Unary::Abs, args[0]);
    b.sum(magnitudes)
})
.form(Form::Template("‖{0}‖₁"))
.kinks(&[0.0]);
