//! `vec(X)`: the columns of a matrix one behind another.

use crate::catalogue::member::{Form, Member, WrongArguments};
use crate::catalogue::shapes;
use crate::tape::Shape;

pub const MEMBER: Member = Member::total("vec(X)", "columns one behind another", |b, args| {
    let turned = b.transpose(args[0]);
    let n = b.shape(turned).numel();
    b.reshape(turned, [n])
})
.shape(shape)
.form(Form::Template("vec({0})"));

fn shape(args: &[Shape]) -> Result<Shape, WrongArguments> {
    shapes::rank(args, 0, 2..=2, "a matrix")?;
    Ok(Shape::vector(args[0].numel()))
}
