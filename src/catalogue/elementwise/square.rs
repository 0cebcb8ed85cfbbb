//! `square(x) = x²`, elementwise. The step of its sum is `v/(1 + 2t)`.

use crate::catalogue::Curve;
use crate::catalogue::member::{Form, Member, unary};
use crate::catalogue::prox::Prox;
use crate::tape::ops::Unary;

pub const MEMBER: Member =
    Member::elementwise("square(x)", "square of every element", |b, args| unary(b, Unary::Square, args))
        .curve(Curve::ConvexEven)
        .form(Form::Template("{0!}²"))
        .prox(Prox::separable(|b, v, t, _| {
            let twice = b.scale(2.0, t);
            let scale = b.offset(twice, 1.0);
            b.div(v, scale)
        }));
