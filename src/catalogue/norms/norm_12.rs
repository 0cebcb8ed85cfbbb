//! `norm_12(X) = Σᵢ ‖Xᵢ‖₂`, the lengths of the rows added up; a vector is one row. No derivative where a
//! row is 0. Its step shrinks every row:
//!
//! ```text
//! prox_{tφ}(V)ᵢ = max(1 − t/‖Vᵢ‖₂, 0) Vᵢ
//! ```
//!
//! Yuan & Lin, Model selection and estimation in regression with grouped variables (2006).

use crate::catalogue::member::{Form, Member, WrongArguments};
use crate::catalogue::prox::Prox;
use crate::catalogue::{shapes, shrink};
use crate::tape::{Builder, Shape, Value};

pub const MEMBER: Member = Member::total("norm_12(X)", "sum of the Euclidean lengths of the rows", |b, args| {
    let lengths = lengths(b, args[0]);
    b.sum(lengths)
})
.shape(shape)
.form(Form::Template("‖{0}‖₁,₂"))
.kinked()
.prox(Prox::convex(|b, v, t, _| step(b, v, t)));

fn shape(args: &[Shape]) -> Result<Shape, WrongArguments> {
    shapes::rows(args)?;
    Ok(Shape::scalar())
}

/// The length of each row.
fn lengths(b: &mut Builder, x: Value) -> Value {
    let last = b.shape(x).rank() - 1;
    b.norm2_along(x, vec![last])
}

/// The step: a `t` for all rows.
pub fn step(b: &mut Builder, v: Value, t: Value) -> Value {
    let (lengths, shape) = (lengths(b, v), b.shape(v).clone());
    let factor = shrink::factor(b, lengths, t);
    let factor = b.broadcast(factor, (0..shape.rank() - 1).collect(), shape);
    b.mul(factor, v)
}
