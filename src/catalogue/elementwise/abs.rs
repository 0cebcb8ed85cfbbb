//! `abs(x) = |x|`; a kink at 0.

use crate::catalogue::member::{Form, Member, unary};
use crate::tape::ops::Unary;

pub const MEMBER: Member =
    Member::elementwise("abs(x)", "magnitude of every element", |b, args| unary(b, Unary::Abs, args))
        .form(Form::Template("|{0}|"))
        .kinks(&[0.0]);
