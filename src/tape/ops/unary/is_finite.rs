//! `1` where `x` is a finite number, else `0`.

use super::Function;

pub(super) static IS_FINITE: Function = Function {
    name: "is_finite",
    formula: "[x is finite]",
    eval: |x| f64::from(x.is_finite()),
    chain: None,
    points: &[-1e300, 0.0, 3.0],
    kinks: &[],
};
