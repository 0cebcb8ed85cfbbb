//! `max(x, 0)`, NaN kept; at 0 the slope is 0.

use super::Function;
use crate::tape::Unary;

pub(super) static RELU: Function = Function {
    name: "relu",
    formula: "max(x, 0)",
    eval: |x| if x <= 0.0 { 0.0 } else { x },
    chain: Some(|b, x, _, t| {
        let slope = b.unary(Unary::Step, x);
        b.mul(slope, t)
    }),
    points: &[-1e8, -1e-8, 1e-8, 3.0],
    kinks: &[(0.0, 0.0)],
};
