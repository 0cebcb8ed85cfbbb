//! `a + b`

use crate::catalogue::member::{Form, Member};

pub const MEMBER: Member = Member::elementwise("sum(a, b)", "sum", |b, args| b.add(args[0], args[1]))
    .form(Form::Infix { symbol: " + ", level: 1 });
