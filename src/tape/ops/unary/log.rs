//! `log x`: −∞ at 0, NaN below.

use super::Function;

pub(super) static LOG: Function = Function {
    name: "log",
    formula: "log x",
    eval: f64::ln,
    chain: Some(|b, x, _, t| b.div(t, x)),
    points: &[1e-100, 1e-6, 1.0, 3.0, 1e12],
    kinks: &[(0.0, f64::INFINITY)],
};
