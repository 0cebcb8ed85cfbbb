//! `sin x`

use super::Function;
use crate::tape::Unary;

pub(super) static SIN: Function = Function {
    name: "sin",
    formula: "sin x",
    eval: f64::sin,
    chain: Some(|b, x, _, t| {
        let slope = b.unary(Unary::Cos, x);
        b.mul(slope, t)
    }),
    points: &[-30.0, -1e-9, 0.0, std::f64::consts::FRAC_PI_2, 2.0],
    kinks: &[],
};
