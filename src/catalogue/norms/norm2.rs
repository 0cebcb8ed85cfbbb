//! `norm2(x) = ‖x‖₂ = √(Σᵢ xᵢ²)` of a vector; no derivative at 0. A matrix has `norm_fro`. Its step
//! shrinks the length:
//!
//! ```text
//! prox_{tφ}(v) = max(1 − t/‖v‖₂, 0) v
//! ```
//!
//! Parikh & Boyd, Proximal Algorithms (2014), §6.5.1.

use crate::catalogue::member::{Form, Member, WrongArguments};
use crate::catalogue::prox::Prox;
use crate::catalogue::{shapes, shrink};
use crate::tape::ops::Unary;
use crate::tape::{Builder, Shape, Value};

pub const MEMBER: Member = Member::total("norm2(x)", "Euclidean length of a vector", |b, args| {
    let sum = b.sum_squares(args[0]);
    b.unary(Unary::Sqrt, sum)
})
.shape(shape)
.form(Form::Template("‖{0}‖₂"))
.kinked()
.prox(Prox::convex(|b, v, t, _| step(b, v, t)));

fn shape(args: &[Shape]) -> Result<Shape, WrongArguments> {
    shapes::rank(args, 0, 0..=1, "a vector (`norm_fro` takes a matrix)")?;
    Ok(Shape::scalar())
}

/// The step of the length of all elements together.
pub fn step(b: &mut Builder, v: Value, t: Value) -> Value {
    let length = b.norm2(v);
    let factor = shrink::factor(b, length, t);
    b.mul(factor, v)
}
