//! `a .^ p`, elementwise

use super::pow;
use crate::catalogue::member::{Form, Member};

pub const MEMBER: Member = Member::elementwise("elementwise power(a, p)", "power of each element", |b, args| {
    let shape = [b.shape(args[0]), b.shape(args[1])].into_iter().find(|shape| !shape.is_scalar()).cloned();
    let x = b.broadcast_scalar(args[0], &shape.unwrap_or_default());
    pow::lower(b, &[x, args[1]])
})
.form(Form::Power);
