//! `s ^ p`: a power of a number.

use crate::catalogue::member::{Form, Member, WrongArguments, constant};
use crate::tape::ops::{Binary, Unary};
use crate::tape::{Builder, Shape, Value};

pub const MEMBER: Member =
    Member::elementwise("power(s, p)", "power of a number", lower).shape(shape).form(Form::Power);

fn shape(args: &[Shape]) -> Result<Shape, WrongArguments> {
    for (at, wanted) in [(0, "a number (`.^` raises every element)"), (1, "a number")] {
        if !args[at].is_scalar() {
            return Err(WrongArguments::Argument { at, wanted });
        }
    }
    Ok(Shape::scalar())
}

/// Exponents that have an exact form of their own take it: `norm2(z)^2` is a square, not a power.
pub(super) fn lower(b: &mut Builder, args: &[Value]) -> Value {
    let x = args[0];
    match constant(b, args[1]) {
        Some(1.0) => x,
        Some(2.0) => b.unary(Unary::Square, x),
        Some(0.5) => b.unary(Unary::Sqrt, x),
        Some(-1.0) => b.unary(Unary::Recip, x),
        Some(3.0) => {
            let square = b.unary(Unary::Square, x);
            b.mul(square, x)
        }
        Some(4.0) => {
            let square = b.unary(Unary::Square, x);
            b.unary(Unary::Square, square)
        }
        _ => b.binary(Binary::Pow, x, args[1]),
    }
}
