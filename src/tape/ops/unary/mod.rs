//! Elementwise functions of one operand, a function a file: its value, its derivative as ops, and
//! the points at which it is awkward. Device code calls it by its name: `op_…` in `kernels/math.cuh`.
//!
//! To add one: a file here, a variant of [`Unary`], a line in [`Unary::function`] and in
//! [`Unary::ALL`] (a test compares the two).

mod abs;
mod cos;
mod erf;
mod exp;
mod expm1;
mod floor;
mod hold;
mod is_finite;
mod log;
mod log1p;
mod neg;
mod recip;
mod relu;
mod sigmoid;
mod sign;
mod sin;
mod softplus;
mod sqrt;
mod square;
mod step;
mod tanh;
#[cfg(test)]
mod tests;

use super::Unary;
use crate::tape::{Builder, Value};

/// `φ′(x) · t` as ops of `(x, y, t)`: reverse and forward derivative alike.
pub type Chain = fn(&mut Builder, Value, Value, Value) -> Value;

/// An elementwise function `y = φ(x)`.
pub struct Function {
    /// Its word in the text.
    pub name: &'static str,
    /// As people write it.
    pub formula: &'static str,
    /// The value. NaN goes through, except for the 0–1 functions.
    pub eval: fn(f64) -> f64,
    /// The derivative; `None` where it is zero wherever it exists.
    pub chain: Option<Chain>,
    /// Where derivatives are tested: both tails, the neighbourhood of the domain's edge, zero.
    pub points: &'static [f64],
    /// Points without a derivative, and the slope chosen there.
    pub kinks: &'static [(f64, f64)],
}

impl Unary {
    /// All of them, in the order of declaration.
    pub const ALL: [Unary; 21] = [
        Unary::Neg,
        Unary::Abs,
        Unary::Sign,
        Unary::Square,
        Unary::Sqrt,
        Unary::Recip,
        Unary::Exp,
        Unary::Expm1,
        Unary::Log,
        Unary::Log1p,
        Unary::Sin,
        Unary::Cos,
        Unary::Tanh,
        Unary::Sigmoid,
        Unary::Softplus,
        Unary::Relu,
        Unary::Step,
        Unary::Erf,
        Unary::Floor,
        Unary::IsFinite,
        Unary::Hold,
    ];

    /// What is known of it.
    pub fn function(self) -> &'static Function {
        match self {
            Unary::Neg => &neg::NEG,
            Unary::Abs => &abs::ABS,
            Unary::Sign => &sign::SIGN,
            Unary::Square => &square::SQUARE,
            Unary::Sqrt => &sqrt::SQRT,
            Unary::Recip => &recip::RECIP,
            Unary::Exp => &exp::EXP,
            Unary::Expm1 => &expm1::EXPM1,
            Unary::Log => &log::LOG,
            Unary::Log1p => &log1p::LOG1P,
            Unary::Sin => &sin::SIN,
            Unary::Cos => &cos::COS,
            Unary::Tanh => &tanh::TANH,
            Unary::Sigmoid => &sigmoid::SIGMOID,
            Unary::Softplus => &softplus::SOFTPLUS,
            Unary::Relu => &relu::RELU,
            Unary::Step => &step::STEP,
            Unary::Erf => &erf::ERF,
            Unary::Floor => &floor::FLOOR,
            Unary::IsFinite => &is_finite::IS_FINITE,
            Unary::Hold => &hold::HOLD,
        }
    }
}
