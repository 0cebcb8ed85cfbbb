//! `abs(x) = |x|`; a kink at 0. The step of its sum is soft thresholding.

use crate::catalogue::Curve;
use crate::catalogue::member::{Form, Member, unary};
use crate::catalogue::prox::Prox;
use crate::catalogue::shrink;
use crate::tape::ops::Unary;

pub const MEMBER: Member =
    Member::elementwise("abs(x)", "magnitude of every element", |b, args| unary(b, Unary::Abs, args))
        .curve(Curve::ConvexEven)
        .form(Form::Template("|{0}|"))
        .kinked()
        .prox(Prox::separable(|b, v, t, _| shrink::soft(b, v, t)));
