//! `x in zero`: `x = 0`, the cone of equations.

use crate::catalogue::member::Member;
use crate::catalogue::prox::Prox;
use crate::catalogue::shapes;

pub const MEMBER: Member =
    Member::set("zero", "every element 0", shapes::number, Prox::separable(|b, v, _, _| b.constant_like(0.0, v)))
        .aliases(&["zeros"]);
