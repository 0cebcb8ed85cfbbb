//! `log(1 + eˣ) = max(x, 0) + log1p(e^−|x|)`, without overflow. The slope is `σ(x)`, at 0 too, where
//! differentiating the right-hand side would give 0.

use super::Function;
use crate::tape::Unary;

pub(super) static SOFTPLUS: Function = Function {
    name: "softplus",
    formula: "log(1 + exp x)",
    eval: |x| x.max(0.0) + (-x.abs()).exp().ln_1p(),
    chain: Some(|b, x, _, t| {
        let slope = b.unary(Unary::Sigmoid, x);
        b.mul(slope, t)
    }),
    points: &[-1e4, -40.0, -1e-9, 0.0, 1.0, 40.0, 1e4],
    kinks: &[],
};
