//! `a − b`

use super::Function;

pub(super) static SUB: Function = Function {
    name: "sub",
    formula: "a − b",
    eval: |a, b| a - b,
    eval_index: Some(u32::wrapping_sub),
    chain: Some([|_, _, _, _, t| t, |builder, _, _, _, t| builder.neg(t)]),
    points: &[(0.0, 0.0), (1e8, 1.0), (-2.0, 1e-9)],
    kinks: &[],
};
