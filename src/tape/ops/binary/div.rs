//! `a / b`: ±∞ or NaN at `b = 0`.

use super::Function;

pub(super) static DIV: Function = Function {
    name: "div",
    formula: "a / b",
    eval: |a, b| a / b,
    eval_index: None,
    chain: Some([
        |builder, _, b, _, t| builder.div(t, b),
        |builder, _, b, y, t| {
            let slope = builder.div(y, b);
            let product = builder.mul(slope, t);
            builder.neg(product)
        },
    ]),
    points: &[(0.0, 2.0), (1.0, 1e-6), (-2.0, 3.0), (1e8, -1e8)],
    kinks: &[],
};
