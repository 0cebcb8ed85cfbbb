//! The shape rules that several members share. A number fits every shape; nothing else is repeated.

use crate::tape::Shape;

use super::member::WrongArguments;

/// All arguments of one shape, numbers apart: that shape.
pub(super) fn same(args: &[Shape]) -> Result<Shape, WrongArguments> {
    let Some(left) = args.iter().position(|shape| !shape.is_scalar()) else { return Ok(Shape::scalar()) };
    match args.iter().position(|shape| !shape.is_scalar() && *shape != args[left]) {
        None => Ok(args[left].clone()),
        Some(right) => Err(WrongArguments::Disagree { left, right, rule: "the shapes must be the same" }),
    }
}

/// The first argument of any shape, the others numbers: a number.
pub(super) fn number(args: &[Shape]) -> Result<Shape, WrongArguments> {
    scalars_from(args, 1)?;
    Ok(Shape::scalar())
}

/// All arguments of one shape, numbers apart: a number.
pub(super) fn same_to_number(args: &[Shape]) -> Result<Shape, WrongArguments> {
    same(args).map(|_| Shape::scalar())
}

/// The first argument of any shape, the others numbers: the shape of the first.
pub(super) fn like_first(args: &[Shape]) -> Result<Shape, WrongArguments> {
    scalars_from(args, 1)?;
    Ok(args[0].clone())
}

/// A vector, or a matrix taken row by row.
pub(super) fn rows(args: &[Shape]) -> Result<Shape, WrongArguments> {
    rank(args, 0, 1..=2, "a vector or a matrix")?;
    Ok(args[0].clone())
}

/// The argument at that position has a rank in this range.
pub(super) fn rank(
    args: &[Shape],
    at: usize,
    ranks: std::ops::RangeInclusive<usize>,
    wanted: &'static str,
) -> Result<(), WrongArguments> {
    if ranks.contains(&args[at].rank()) { Ok(()) } else { Err(WrongArguments::Argument { at, wanted }) }
}

/// The arguments from that position on are numbers.
fn scalars_from(args: &[Shape], first: usize) -> Result<(), WrongArguments> {
    (first..args.len()).try_for_each(|at| rank(args, at, 0..=0, "a number"))
}
