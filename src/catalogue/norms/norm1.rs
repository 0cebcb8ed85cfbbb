//! `norm1(x) = ‖x‖₁ = Σᵢ|xᵢ|`, of all elements; kinks where one is 0. Its step is soft thresholding:
//!
//! ```text
//! prox_{tφ}(v)ᵢ = vᵢ − clamp(vᵢ, −t, t)
//! ```
//!
//! Parikh & Boyd, Proximal Algorithms (2014), §6.5.2.

use crate::catalogue::member::{Form, Member};
use crate::catalogue::prox::Prox;
use crate::catalogue::shrink;
use crate::tape::ops::Unary;

pub const MEMBER: Member = Member::total("norm1(x)", "sum of the magnitudes of all elements", |b, args| {
    let magnitudes = b.unary(Unary::Abs, args[0]);
    b.sum(magnitudes)
})
.form(Form::Template("‖{0}‖₁"))
.kinked()
.prox(Prox::separable(|b, v, t, _| shrink::soft(b, v, t)));
