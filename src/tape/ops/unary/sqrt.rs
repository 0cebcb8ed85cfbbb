//! `√x`; NaN below 0. At 0 the slope is `+∞`, as the function's is; a smooth step that may reach 0
//! wants `norm2`, which chooses 0 there.

use super::Function;

pub(super) static SQRT: Function = Function {
    name: "sqrt",
    formula: "√x",
    eval: f64::sqrt,
    chain: Some(|b, _, y, t| {
        let twice = b.scale(2.0, y);
        b.div(t, twice)
    }),
    points: &[1e-12, 1e-3, 1.0, 1e12],
    kinks: &[(0.0, f64::INFINITY)],
};
