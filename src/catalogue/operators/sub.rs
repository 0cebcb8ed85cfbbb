//! `a - b`

use crate::catalogue::member::{Form, Member};

pub const MEMBER: Member = Member::elementwise("difference(a, b)", "difference", |b, args| b.sub(args[0], args[1]))
    .form(Form::Infix { symbol: " − ", level: 1 });
