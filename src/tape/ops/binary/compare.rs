//! Comparisons, `1` where they hold and `0` where they don't; against NaN none holds.

use super::Function;

pub(super) static LESS: Function = Function {
    name: "less",
    formula: "[a < b]",
    eval: |a, b| f64::from(a < b),
    eval_index: Some(|a, b| u32::from(a < b)),
    chain: None,
    points: &[(0.0, 1.0), (1.0, 0.0)],
    kinks: &[[(0.0, 0.0), (0.0, 0.0)]],
};

pub(super) static LESS_EQUAL: Function = Function {
    name: "less_equal",
    formula: "[a ≤ b]",
    eval: |a, b| f64::from(a <= b),
    eval_index: Some(|a, b| u32::from(a <= b)),
    chain: None,
    points: &[(0.0, 1.0), (1.0, 0.0)],
    kinks: &[[(0.0, 0.0), (0.0, 0.0)]],
};

pub(super) static EQUAL: Function = Function {
    name: "equal",
    formula: "[a = b]",
    eval: |a, b| f64::from(a == b),
    eval_index: Some(|a, b| u32::from(a == b)),
    chain: None,
    points: &[(0.0, 1.0), (1.0, 0.0)],
    kinks: &[[(0.0, 0.0), (0.0, 0.0)]],
};
