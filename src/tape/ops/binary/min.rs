//! The lesser of the two; NaN if either is. At a tie the value and the whole slope are the first's.

use super::Function;
use crate::tape::Binary;

pub(super) static MIN: Function = Function {
    name: "min",
    formula: "min(a, b)",
    eval: |a, b| if a <= b || a.is_nan() { a } else { b },
    eval_index: Some(u32::min),
    chain: Some([
        |builder, a, b, _, t| {
            let first = builder.binary(Binary::LessEqual, a, b);
            builder.mul(first, t)
        },
        |builder, a, b, _, t| {
            let second = builder.binary(Binary::Less, b, a);
            builder.mul(second, t)
        },
    ]),
    points: &[(0.0, 1.0), (1.0, 0.0), (-3.0, -2.0), (1e-9, -1e-9)],
    kinks: &[[(0.0, 0.0), (1.0, 0.0)], [(2.0, 2.0), (1.0, 0.0)]],
};
