//! `tv2d(X) = Σᵢⱼ ‖((DX)ᵢⱼ, (XDᵀ)ᵢⱼ)‖₂`, the isotropic total variation of an image: at every pixel the
//! length of its differences to the neighbours below and on the right, which are 0 at the last row and
//! column. No derivative where both are 0. No step in closed form: it is `norm_12` of `grad2d`.
//!
//! Rudin, Osher & Fatemi, Nonlinear total variation based noise removal algorithms (1992).

use crate::catalogue::linear::grad2d;
use crate::catalogue::member::{Form, Member, WrongArguments};
use crate::catalogue::norms::norm_12;
use crate::catalogue::{Function, shapes};
use crate::tape::Shape;

pub const MEMBER: Member =
    Member::total("tv2d(X)", "sum over an image of the lengths of the differences to neighbours", |b, args| {
        let differences = (grad2d::MEMBER.lower)(b, args);
        (norm_12::MEMBER.lower)(b, &[differences])
    })
    .shape(shape)
    .form(Form::Template("TV({0})"))
    .kinked()
    .composed(Function::Norm12, Function::Grad2d);

pub fn shape(args: &[Shape]) -> Result<Shape, WrongArguments> {
    shapes::rank(args, 0, 2..=2, "a matrix")?;
    Ok(Shape::scalar())
}
