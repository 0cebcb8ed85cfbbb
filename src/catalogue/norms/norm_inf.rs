//! `norm_inf(x) = ‖x‖∞ = maxᵢ|xᵢ|`, of all elements. Its step takes the projection onto the ball of its dual
//! norm off `v`, which cuts the magnitudes off at a level:
//!
//! ```text
//! prox_{tφ}(v) = v − P(v),   P onto ‖y‖₁ ≤ t
//! ```
//!
//! Parikh & Boyd, Proximal Algorithms (2014), §6.5.

use crate::catalogue::member::{Form, Member};
use crate::catalogue::prox::Prox;
use crate::catalogue::set::{largest, on_vector};
use crate::catalogue::sets::ball1;
use crate::tape::{Builder, Value};

pub const MEMBER: Member =
    Member::total("norm_inf(x)", "greatest magnitude of all elements", |b, args| largest(b, args[0]))
        .form(Form::Template("‖{0}‖∞"))
        .kinked()
        .prox(Prox::convex(|b, v, t, _| on_vector(b, v, |b, x| step(b, x, t))));

/// The step at a vector.
pub fn step(b: &mut Builder, v: Value, t: Value) -> Value {
    let taken = ball1::project(b, v, t);
    b.sub(v, taken)
}
