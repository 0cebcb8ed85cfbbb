//! `sum(x) = Σᵢ xᵢ` over all elements.

use crate::catalogue::member::{Form, Member};

pub const MEMBER: Member =
    Member::total("sum(x)", "sum of all elements", |b, args| b.sum(args[0])).form(Form::Template("Σ {0!}"));
