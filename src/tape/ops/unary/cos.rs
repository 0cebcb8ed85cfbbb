//! `cos x`

use super::Function;
use crate::tape::Unary;

pub(super) static COS: Function = Function {
    name: "cos",
    formula: "cos x",
    eval: f64::cos,
    chain: Some(|b, x, _, t| {
        let sin = b.unary(Unary::Sin, x);
        let product = b.mul(sin, t);
        b.neg(product)
    }),
    points: &[-30.0, -1e-9, 0.0, std::f64::consts::PI, 2.0],
    kinks: &[],
};
