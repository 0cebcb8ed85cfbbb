//! `row_sums(X)ᵢ = Σⱼ Xᵢⱼ`.

use crate::catalogue::member::{Member, WrongArguments};
use crate::catalogue::shapes;
use crate::tape::Shape;
use crate::tape::ops::Reducer;

pub const MEMBER: Member =
    Member::total("row_sums(X)", "sum of every row", |b, args| b.reduce(Reducer::Sum, args[0], vec![1])).shape(shape);

fn shape(args: &[Shape]) -> Result<Shape, WrongArguments> {
    shapes::rank(args, 0, 2..=2, "a matrix")?;
    Ok(Shape::vector(args[0].0[0]))
}
