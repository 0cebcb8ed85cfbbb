//! `exp(x) = eˣ`.

use crate::catalogue::member::{Form, Member, unary};
use crate::tape::ops::Unary;

pub const MEMBER: Member =
    Member::elementwise("exp(x)", "exponential of every element", |b, args| unary(b, Unary::Exp, args))
        .form(Form::Template("exp {0!}"));
