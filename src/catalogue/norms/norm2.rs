//! `norm2(x) = ‖x‖₂ = √(Σᵢ xᵢ²)` of a vector; no derivative at 0. A matrix has `norm_fro`.

use crate::catalogue::member::{Form, Member, WrongArguments};
use crate::catalogue::shapes;
use crate::tape::Shape;
use crate::tape::ops::Unary;

pub const MEMBER: Member = Member::total("norm2(x)", "Euclidean length of a vector", |b, args| {
    let sum = b.sum_squares(args[0]);
    b.unary(Unary::Sqrt, sum)
})
.shape(shape)
.form(Form::Template("‖{0}‖₂"))
.kinks(&[0.0]);

fn shape(args: &[Shape]) -> Result<Shape, WrongArguments> {
    shapes::rank(args, 0, 0..=1, "a vector (`norm_fro` takes a matrix)")?;
    Ok(Shape::scalar())
}
