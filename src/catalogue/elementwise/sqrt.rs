//! `sqrt(x) = √x` on `x ≥ 0`; its slope is infinite at 0.

use crate::catalogue::Curve;
use crate::catalogue::member::{Form, Member, unary};
use crate::tape::ops::Unary;

pub const MEMBER: Member =
    Member::elementwise("sqrt(x)", "square root of every element", |b, args| unary(b, Unary::Sqrt, args))
        .curve(Curve::ConcaveRising)
        .form(Form::Template("√{0!}"))
        .kinked();
