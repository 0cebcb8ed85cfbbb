//! `tanh x`. The slope is `4σ(2x)σ(−2x)`, from `x`: `1 − y²` cancels (in singles it is five times
//! off at 9.5).

use super::{Function, sigmoid};

pub(super) static TANH: Function = Function {
    name: "tanh",
    formula: "tanh x",
    eval: f64::tanh,
    chain: Some(|b, x, _, t| {
        let twice = b.scale(2.0, x);
        let slope = sigmoid::slope(b, twice);
        let slope = b.scale(4.0, slope);
        b.mul(slope, t)
    }),
    points: &[-400.0, -20.0, -1e-9, 0.0, 0.5, 9.5, 300.0],
    kinks: &[],
};
