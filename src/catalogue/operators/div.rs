//! `a / s`: a tensor divided by a number.

use crate::catalogue::member::{Form, Member};
use crate::catalogue::shapes;

pub const MEMBER: Member =
    Member::elementwise("quotient(a, s)", "quotient by a number", |b, args| b.div(args[0], args[1]))
        .shape(shapes::like_first)
        .form(Form::Fraction);
