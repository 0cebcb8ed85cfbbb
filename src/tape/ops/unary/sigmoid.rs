//! `σ(x) = 1/(1 + e⁻ˣ)`. The slope is `σ(x)σ(−x)`: `y(1 − y)` cancels in the upper tail.

use super::Function;
use crate::tape::{Builder, Unary, Value};

pub(super) static SIGMOID: Function = Function {
    name: "sigmoid",
    formula: "σ(x)",
    eval: |x| 1.0 / (1.0 + (-x).exp()),
    chain: Some(|b, x, _, t| {
        let slope = slope(b, x);
        b.mul(slope, t)
    }),
    points: &[-700.0, -40.0, -1e-9, 0.0, 1.0, 40.0, 700.0],
    kinks: &[],
};

/// `σ(x)σ(−x)`
pub(super) fn slope(b: &mut Builder, x: Value) -> Value {
    let upper = b.unary(Unary::Sigmoid, x);
    let negated = b.neg(x);
    let lower = b.unary(Unary::Sigmoid, negated);
    b.mul(upper, lower)
}
