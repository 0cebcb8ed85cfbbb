//! `a .* b`, elementwise

use crate::catalogue::member::{Form, Member};

pub const MEMBER: Member =
    Member::elementwise("elementwise product(a, b)", "product of each pair of elements", |b, args| {
        b.mul(args[0], args[1])
    })
    .form(Form::Infix { symbol: " ∘ ", level: 2 });
