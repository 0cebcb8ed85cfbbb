//! `coverage(scores)`: how many classes are the best one of some row, as the digits that a
//! generator makes.

use super::{classes, one_hot};
use crate::catalogue::member::{Member, WrongArguments};
use crate::catalogue::shapes;
use crate::tape::ops::Reducer;
use crate::tape::{Dtype, Op, Shape, Type};

pub const MEMBER: Member = Member::total("coverage(scores)", "number of classes that win some row", |b, args| {
    let shape = b.shape(args[0]).clone();
    let best = b.push(Op::ArgMax, vec![args[0]], Type::new(Dtype::Index, [shape.0[0]]));
    let best = b.cast(best, b.dtype(args[0]));
    let wins = one_hot(b, best, &shape);
    let present = b.reduce(Reducer::Max, wins, vec![0]);
    b.sum(present)
})
.shape(shape);

fn shape(args: &[Shape]) -> Result<Shape, WrongArguments> {
    shapes::rank(args, 0, 2..=2, classes())?;
    Ok(Shape::scalar())
}
