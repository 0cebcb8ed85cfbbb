//! `log(x)`, the natural logarithm, on `x > 0`.

use crate::catalogue::Curve;
use crate::catalogue::member::{Form, Member, unary};
use crate::tape::ops::Unary;

pub const MEMBER: Member =
    Member::elementwise("log(x)", "natural logarithm of every element", |b, args| unary(b, Unary::Log, args))
        .curve(Curve::ConcaveRising)
        .form(Form::Template("log {0!}"));
