//! `square(x) = x²`, elementwise.

use crate::catalogue::member::{Form, Member, unary};
use crate::tape::ops::Unary;

pub const MEMBER: Member =
    Member::elementwise("square(x)", "square of every element", |b, args| unary(b, Unary::Square, args))
        .form(Form::Template("{0!}²"));
