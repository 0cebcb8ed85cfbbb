//! `tv2d_aniso(X) = Σᵢⱼ |(DX)ᵢⱼ| + |(XDᵀ)ᵢⱼ|`, the anisotropic total variation of an image. Kinks where
//! neighbours are equal. No step in closed form: it is `norm1` of `grad2d`.

use super::tv2d::shape;
use crate::catalogue::Function;
use crate::catalogue::linear::grad2d;
use crate::catalogue::member::{Form, Member};
use crate::catalogue::norms::norm1;

pub const MEMBER: Member = Member::total(
    "tv2d_aniso(X)",
    "sum over an image of the magnitudes of the differences to neighbours",
    |b, args| {
        let differences = (grad2d::MEMBER.lower)(b, args);
        (norm1::MEMBER.lower)(b, &[differences])
    },
)
.shape(shape)
.form(Form::Template("TV₁({0})"))
.kinked()
.composed(Function::Norm1, Function::Grad2d);
