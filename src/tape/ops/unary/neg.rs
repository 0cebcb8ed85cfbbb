//! `−x`

use super::Function;

pub(super) static NEG: Function = Function {
    name: "neg",
    formula: "−x",
    eval: |x| -x,
    chain: Some(|b, _, _, t| b.neg(t)),
    points: &[-1e300, -1.0, 0.0, 2.5],
    kinks: &[],
};
