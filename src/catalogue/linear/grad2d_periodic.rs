//! `grad2d_periodic(X)`: for every element of a matrix, row by row, the difference to the one below and to
//! the one on the right, as a row of two; behind the last comes the first.

use super::grad2d::{beside, shape};
use super::turned;
use crate::catalogue::member::{Form, Member};

pub const MEMBER: Member = Member::total(
    "grad2d_periodic(X)",
    "differences to the elements below and on the right, a row of two each; behind the last comes the first",
    |b, args| {
        let sides = [0, 1].map(|axis| {
            let next = turned(b, args[0], axis, 1);
            b.sub(next, args[0])
        });
        beside(b, sides)
    },
)
.shape(shape)
.form(Form::Template("∇{0!}"));
