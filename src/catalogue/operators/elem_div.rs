//! `a ./ b`, elementwise

use crate::catalogue::member::{Form, Member};

pub const MEMBER: Member =
    Member::elementwise("elementwise quotient(a, b)", "quotient of each pair of elements", |b, args| {
        b.div(args[0], args[1])
    })
    .form(Form::Fraction);
