//! `diff(x)ᵢ = xᵢ₊₁ − xᵢ`, the differences of neighbours, one fewer than there are elements; of a matrix,
//! the differences of neighbouring rows. Higher differences are differences of differences.

use super::part;
use crate::catalogue::member::{Form, Member, WrongArguments};
use crate::catalogue::shapes;
use crate::tape::Shape;

pub const MEMBER: Member = Member::total(
    "diff(x)",
    "differences of neighbouring elements, of a matrix those of neighbouring rows",
    |b, args| {
        let n = b.shape(args[0]).0[0] - 1;
        let (next, this) = (part(b, args[0], 0, 1, n), part(b, args[0], 0, 0, n));
        b.sub(next, this)
    },
)
.shape(shape)
.form(Form::Template("D{0!}"));

fn shape(args: &[Shape]) -> Result<Shape, WrongArguments> {
    let mut shape = shapes::rows(args)?;
    if shape.0[0] < 2 {
        return Err(WrongArguments::Argument { at: 0, wanted: "at least two elements, or rows" });
    }
    shape.0[0] -= 1;
    Ok(shape)
}
