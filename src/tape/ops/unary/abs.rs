//! `|x|`; at 0 the slope is 0.

use super::Function;
use crate::tape::Unary;

pub(super) static ABS: Function = Function {
    name: "abs",
    formula: "|x|",
    eval: f64::abs,
    chain: Some(|b, x, _, t| {
        let sign = b.unary(Unary::Sign, x);
        b.mul(sign, t)
    }),
    points: &[-1e8, -1e-8, 1e-8, 3.0],
    kinks: &[(0.0, 0.0)],
};
