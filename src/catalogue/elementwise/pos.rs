//! `pos(x) = max(x, 0)`, the positive part; a kink at 0.

use crate::catalogue::member::{Form, Member, unary};
use crate::tape::ops::Unary;

pub const MEMBER: Member =
    Member::elementwise("pos(x)", "positive part max(x, 0) of every element", |b, args| unary(b, Unary::Relu, args))
        .form(Form::Template("({0})₊"))
        .kinks(&[0.0]);
