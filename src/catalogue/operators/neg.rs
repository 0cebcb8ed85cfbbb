//! `-a`

use crate::catalogue::member::{Form, Member};

pub const MEMBER: Member =
    Member::elementwise("negation(a)", "negation", |b, args| b.neg(args[0])).form(Form::Prefix("−"));
