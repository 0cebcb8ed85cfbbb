//! `eˣ − 1`, exact near 0. The slope is `eˣ` from `x`: `y + 1` would lose the lower tail.

use super::Function;
use crate::tape::Unary;

pub(super) static EXPM1: Function = Function {
    name: "expm1",
    formula: "exp x − 1",
    eval: f64::exp_m1,
    chain: Some(|b, x, _, t| {
        let slope = b.unary(Unary::Exp, x);
        b.mul(slope, t)
    }),
    points: &[-30.0, -1e-9, 0.0, 1e-9, 5.0, 300.0],
    kinks: &[],
};
