//! `norm_inf(x) = ‖x‖∞ = maxᵢ|xᵢ|`, of all elements.

use crate::catalogue::member::{Form, Member};
use crate::tape::ops::{Reducer, Unary};

pub const MEMBER: Member = Member::total("norm_inf(x)", "greatest magnitude of all elements", |b, args| {
    let magnitudes = b.unary(Unary::Abs, args[0]);
    let axes = (0..b.shape(magnitudes).rank()).collect();
    b.reduce(Reducer::Max, magnitudes, axes)
})
.form(Form::Template("‖{0}‖∞"));
