//! `sigmoid(x) = 1/(1 + e⁻ˣ)`.

use crate::catalogue::member::{Form, Member, unary};
use crate::tape::ops::Unary;

pub const MEMBER: Member =
    Member::elementwise("sigmoid(x)", "1/(1 + e⁻ˣ) of every element", |b, args| unary(b, Unary::Sigmoid, args))
        .form(Form::Template("σ({0})"));
