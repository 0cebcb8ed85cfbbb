//! `quad_form(x, P) = xᵀPx` with a square `P`; its gradient is `(P + Pᵀ)x`.

use crate::catalogue::member::{Form, Member, WrongArguments};
use crate::catalogue::shapes;
use crate::tape::Shape;

pub const MEMBER: Member = Member::total("quad_form(x, P)", "x'*P*x", |b, args| {
    let product = b.matvec(args[1], args[0], false);
    b.dot(args[0], product)
})
.shape(shape)
.form(Form::Template("{0!}ᵀ{1!}{0!}"));

fn shape(args: &[Shape]) -> Result<Shape, WrongArguments> {
    shapes::rank(args, 0, 1..=1, "a vector")?;
    shapes::rank(args, 1, 2..=2, "a square matrix")?;
    let n = args[0].numel();
    if args[1] == Shape::matrix(n, n) {
        return Ok(Shape::scalar());
    }
    Err(WrongArguments::Disagree { left: 0, right: 1, rule: "rows and columns of P must be the elements of x" })
}
