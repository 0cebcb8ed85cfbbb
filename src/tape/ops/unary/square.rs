//! `x²`

use super::Function;

pub(super) static SQUARE: Function = Function {
    name: "square",
    formula: "x²",
    eval: |x| x * x,
    chain: Some(|b, x, _, t| {
        let twice = b.scale(2.0, x);
        b.mul(twice, t)
    }),
    points: &[-1e6, -0.5, 0.0, 1e-9, 3.0],
    kinks: &[],
};
