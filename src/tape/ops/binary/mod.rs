//! Elementwise functions of two operands, a function a file: its value, its derivatives as ops, and
//! the points at which it is awkward. Device code calls it by its name: `op_…` in `kernels/math.cuh`.
//!
//! To add one: a file here, a variant of [`Binary`], a line in [`Binary::function`] and in
//! [`Binary::ALL`] (a test compares the two).

mod add;
mod compare;
mod div;
mod max;
mod min;
mod mul;
mod pow;
mod sub;
#[cfg(test)]
mod tests;

use super::Binary;
use crate::tape::{Builder, Value};

/// `∂φ/∂operand · t` as ops of `(a, b, y, t)`.
pub type Chain = fn(&mut Builder, Value, Value, Value, Value) -> Value;

/// An elementwise function `y = φ(a, b)`.
pub struct Function {
    /// Its word in the text.
    pub name: &'static str,
    /// As people write it.
    pub formula: &'static str,
    /// The value. NaN in either operand goes through, except for comparisons.
    pub eval: fn(f64, f64) -> f64,
    /// The value on indices, modulo 2³²; `None` where indices are not allowed.
    pub eval_index: Option<fn(u32, u32) -> u32>,
    /// The derivative by each operand; `None` where it is zero wherever it exists.
    pub chain: Option<[Chain; 2]>,
    /// Where derivatives are tested.
    pub points: &'static [(f64, f64)],
    /// Points without a derivative, and the slopes chosen there.
    pub kinks: &'static [[(f64, f64); 2]],
}

impl Binary {
    /// All of them, in the order of declaration.
    pub const ALL: [Binary; 10] = [
        Binary::Add,
        Binary::Sub,
        Binary::Mul,
        Binary::Div,
        Binary::Pow,
        Binary::Max,
        Binary::Min,
        Binary::Less,
        Binary::LessEqual,
        Binary::Equal,
    ];

    /// What is known of it.
    pub fn function(self) -> &'static Function {
        match self {
            Binary::Add => &add::ADD,
            Binary::Sub => &sub::SUB,
            Binary::Mul => &mul::MUL,
            Binary::Div => &div::DIV,
            Binary::Pow => &pow::POW,
            Binary::Max => &max::MAX,
            Binary::Min => &min::MIN,
            Binary::Less => &compare::LESS,
            Binary::LessEqual => &compare::LESS_EQUAL,
            Binary::Equal => &compare::EQUAL,
        }
    }
}
