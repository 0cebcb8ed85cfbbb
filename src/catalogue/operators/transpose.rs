//! `A'`: rows for columns. A vector is a column, so `x'` is a matrix of one row.

use crate::catalogue::member::{Form, Member, WrongArguments};
use crate::catalogue::shapes;
use crate::tape::{Builder, Shape, Value};

pub const MEMBER: Member =
    Member::elementwise("transpose(A)", "rows for columns", lower).shape(shape).form(Form::Template("{0!}ᵀ"));

fn shape(args: &[Shape]) -> Result<Shape, WrongArguments> {
    shapes::rank(args, 0, 0..=2, "a matrix, a vector or a number")?;
    Ok(match args[0].0[..] {
        [n] => Shape::matrix(1, n),
        [m, n] => Shape::matrix(n, m),
        _ => Shape::scalar(),
    })
}

fn lower(b: &mut Builder, args: &[Value]) -> Value {
    match b.shape(args[0]).0[..] {
        [n] => b.reshape(args[0], [1, n]),
        [_, _] => b.transpose(args[0]),
        _ => args[0],
    }
}
