//! `diag(x)`: the square matrix with that diagonal; of a square matrix, its diagonal.

use crate::catalogue::member::{Member, WrongArguments};
use crate::tape::ops::Range;
use crate::tape::{Builder, Op, Shape, Type, Value};

pub const MEMBER: Member =
    Member::total("diag(x)", "the matrix with that diagonal; of a matrix, its diagonal", |b, args| {
        match b.shape(args[0]).0[..] {
            [n] => {
                let ty = Type::new(b.dtype(args[0]), [n * n]);
                let placed = b.push(Op::Unslice(vec![along(n)]), vec![args[0]], ty);
                b.reshape(placed, [n, n])
            }
            _ => of(b, args[0]),
        }
    })
    .shape(shape);

fn shape(args: &[Shape]) -> Result<Shape, WrongArguments> {
    match args[0].0[..] {
        [n] => Ok(Shape::matrix(n, n)),
        [m, n] if m == n => Ok(Shape::vector(n)),
        _ => Err(WrongArguments::Argument { at: 0, wanted: "a vector or a square matrix" }),
    }
}

/// The diagonal of a square matrix.
pub fn of(b: &mut Builder, x: Value) -> Value {
    let n = b.shape(x).0[0];
    let flat = b.reshape(x, [n * n]);
    b.slice(flat, vec![along(n)])
}

fn along(n: usize) -> Range {
    Range { start: 0, len: n, step: n + 1 }
}
