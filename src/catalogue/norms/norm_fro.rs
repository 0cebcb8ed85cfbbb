//! `norm_fro(X) = ‖X‖_F = √(Σᵢⱼ Xᵢⱼ²)`; no derivative at 0. Its step is that of `norm2`.

use crate::catalogue::member::{Form, Member};
use crate::catalogue::prox::Prox;
use crate::tape::ops::Unary;

pub const MEMBER: Member = Member::total("norm_fro(X)", "root of the sum of the squares of all elements", |b, args| {
    let sum = b.sum_squares(args[0]);
    b.unary(Unary::Sqrt, sum)
})
.form(Form::Template("‖{0}‖_F"))
.kinked()
.prox(Prox::convex(|b, v, t, _| super::norm2::step(b, v, t)));
