//! `eˣ`

use super::Function;

pub(super) static EXP: Function = Function {
    name: "exp",
    formula: "exp x",
    eval: f64::exp,
    chain: Some(|b, _, y, t| b.mul(y, t)),
    points: &[-700.0, -20.0, 0.0, 1e-9, 5.0, 300.0],
    kinks: &[],
};
