//! `trace(X) = Σᵢ Xᵢᵢ` of a square matrix.

use crate::catalogue::member::{Form, Member, WrongArguments};
use crate::tape::Shape;

pub const MEMBER: Member = Member::total("trace(X)", "sum of the diagonal of a square matrix", |b, args| {
    let diagonal = super::diag::of(b, args[0]);
    b.sum(diagonal)
})
.shape(shape)
.form(Form::Template("tr {0!}"));

fn shape(args: &[Shape]) -> Result<Shape, WrongArguments> {
    match args[0].0[..] {
        [m, n] if m == n => Ok(Shape::scalar()),
        _ => Err(WrongArguments::Argument { at: 0, wanted: "a square matrix" }),
    }
}
