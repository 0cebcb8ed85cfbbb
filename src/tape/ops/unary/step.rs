//! `1` where `x > 0`, else `0` (at 0 and at NaN too): the slope of `relu`.

use super::Function;

pub(super) static STEP: Function = Function {
    name: "step",
    formula: "[x > 0]",
    eval: |x| f64::from(x > 0.0),
    chain: None,
    points: &[-1e8, -1e-8, 1e-8, 3.0],
    kinks: &[(0.0, 0.0)],
};
