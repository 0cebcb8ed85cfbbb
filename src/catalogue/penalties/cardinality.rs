//! `cardinality(x)`, the number of elements other than 0. Its step is hard thresholding:
//!
//! ```text
//! prox_{tφ}(v) = v where |v| > √(2t), else 0
//! ```
//!
//! Blumensath & Davies, Iterative thresholding for sparse approximations (2008).

use crate::catalogue::member::{Form, Member};
use crate::catalogue::prox::Prox;
use crate::catalogue::set::keep_nan;
use crate::catalogue::shrink;
use crate::tape::ops::{Binary, Unary};

pub const MEMBER: Member = Member::total("cardinality(x)", "number of elements other than 0", |b, args| {
    let zero = b.constant_like(0.0, args[0]);
    let is_zero = b.binary(Binary::Equal, args[0], zero);
    let others = b.binary(Binary::Equal, is_zero, zero);
    let others = keep_nan(b, args[0], others);
    b.sum(others)
})
.form(Form::Template("‖{0}‖₀"))
.aliases(&["norm0"])
.kinked()
.prox(
    Prox::separable(|b, v, t, _| {
        let twice = b.scale(2.0, t);
        let bound = b.unary(Unary::Sqrt, twice);
        shrink::hard(b, v, bound)
    })
    .nonconvex(),
);
