//! `grad2d(X)`: for every element of a matrix, row by row, the difference to the one below and to the one
//! on the right, as a row of two; 0 where there is none.

use super::part;
use crate::catalogue::member::{Form, Member, WrongArguments};
use crate::catalogue::shapes;
use crate::tape::{Builder, Shape, Value};

pub const MEMBER: Member =
    Member::total("grad2d(X)", "differences to the elements below and on the right, a row of two each", |b, args| {
        let sides = [0, 1].map(|axis| {
            let shape = b.shape(args[0]).clone();
            let n = shape.0[axis];
            let (next, this) = (part(b, args[0], axis, 1, n - 1), part(b, args[0], axis, 0, n - 1));
            let difference = b.sub(next, this);
            let mut edge = shape;
            edge.0[axis] = 1;
            let zero = b.constant(0.0, b.dtype(args[0]));
            let zero = b.broadcast_scalar(zero, &edge);
            b.concat(vec![difference, zero], axis)
        });
        beside(b, sides)
    })
    .shape(shape)
    .form(Form::Template("∇{0!}"));

pub fn shape(args: &[Shape]) -> Result<Shape, WrongArguments> {
    shapes::rank(args, 0, 2..=2, "a matrix")?;
    Ok(Shape::matrix(args[0].numel(), 2))
}

/// Two matrices as columns.
pub fn beside(b: &mut Builder, sides: [Value; 2]) -> Value {
    let columns = sides.map(|side| {
        let n = b.shape(side).numel();
        b.reshape(side, [n, 1])
    });
    b.concat(columns.to_vec(), 1)
}
