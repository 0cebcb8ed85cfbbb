//! `tv1d(x) = Σᵢ |xᵢ₊₁ − xᵢ|` of a vector; kinks where neighbours are equal. Its step is a taut string,
//! exactly and in time that grows with the length: Condat, A direct algorithm for 1-D total variation
//! denoising (2013); Davies & Kovac, Local extremes, runs, strings and multiresolution (2001).

use crate::catalogue::linear::diff;
use crate::catalogue::member::{Form, Member, WrongArguments};
use crate::catalogue::prox::Prox;
use crate::catalogue::shapes;
use crate::tape::Shape;
use crate::tape::ops::Unary;

pub const MEMBER: Member =
    Member::total("tv1d(x)", "sum of the magnitudes of the differences of neighbours", |b, args| {
        let differences = (diff::MEMBER.lower)(b, args);
        let magnitudes = b.unary(Unary::Abs, differences);
        b.sum(magnitudes)
    })
    .shape(shape)
    .form(Form::Template("TV({0})"))
    .kinked()
    .prox(Prox::convex(|b, v, t, _| b.taut_string(v, t)));

fn shape(args: &[Shape]) -> Result<Shape, WrongArguments> {
    shapes::rank(args, 0, 1..=1, "a vector (`tv2d` takes a matrix)")?;
    Ok(Shape::scalar())
}
