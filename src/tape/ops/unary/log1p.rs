//! `log(1 + x)`, exact near 0: −∞ at −1, NaN below.

use super::Function;

pub(super) static LOG1P: Function = Function {
    name: "log1p",
    formula: "log(1 + x)",
    eval: f64::ln_1p,
    chain: Some(|b, x, _, t| {
        let sum = b.offset(x, 1.0);
        b.div(t, sum)
    }),
    points: &[-0.999, -1e-9, 0.0, 1e-9, 3.0, 1e12],
    kinks: &[(-1.0, f64::INFINITY)],
};
