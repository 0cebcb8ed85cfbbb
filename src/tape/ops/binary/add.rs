//! `a + b`

use super::Function;

pub(super) static ADD: Function = Function {
    name: "add",
    formula: "a + b",
    eval: |a, b| a + b,
    eval_index: Some(u32::wrapping_add),
    chain: Some([|_, _, _, _, t| t, |_, _, _, _, t| t]),
    points: &[(0.0, 0.0), (1e8, -1.0), (-2.0, 1e-9)],
    kinks: &[],
};
