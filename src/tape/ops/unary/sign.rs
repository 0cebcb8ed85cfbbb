//! The sign of `x`: −1, 0 (at either zero) or 1.

use super::Function;

pub(super) static SIGN: Function = Function {
    name: "sign",
    formula: "sign x",
    eval: |x| if x == 0.0 || x.is_nan() { x + 0.0 } else { x.signum() },
    chain: None,
    points: &[-1e8, -1e-8, 1e-8, 3.0],
    kinks: &[(0.0, 0.0)],
};
