//! `a · b`

use super::Function;

pub(super) static MUL: Function = Function {
    name: "mul",
    formula: "a · b",
    eval: |a, b| a * b,
    eval_index: Some(u32::wrapping_mul),
    chain: Some([|builder, _, b, _, t| builder.mul(b, t), |builder, a, _, _, t| builder.mul(a, t)]),
    points: &[(0.0, 0.0), (1e8, -1e-8), (-2.0, 3.0), (0.0, 5.0)],
    kinks: &[],
};
