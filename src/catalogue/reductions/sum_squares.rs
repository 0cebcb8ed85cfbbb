//! `sum_squares(x) = ‖x‖² = Σᵢ xᵢ²`.

use crate::catalogue::member::{Form, Member};

pub const MEMBER: Member =
    Member::total("sum_squares(x)", "sum of the squares of all elements", |b, args| b.sum_squares(args[0]))
        .form(Form::Template("‖{0}‖²"));
