//! `aᵇ`; NaN for negative `a` with `b` not whole.
//!
//! The slope by `a` is `b·aᵇ⁻¹`, and 0 where `b = 0` (at `a = 0` too). The slope by `b` is
//! `aᵇ log a`, and 0 where `a = 0`.

use super::Function;
use crate::tape::{Binary, Unary};

pub(super) static POW: Function = Function {
    name: "pow",
    formula: "aᵇ",
    eval: f64::powf,
    eval_index: None,
    chain: Some([
        |builder, a, b, _, t| {
            let below = builder.offset(b, -1.0);
            let power = builder.binary(Binary::Pow, a, below);
            let slope = builder.mul(b, power);
            let slope = builder.select(b, slope, b);
            builder.mul(slope, t)
        },
        |builder, a, _, y, t| {
            let log = builder.unary(Unary::Log, a);
            let slope = builder.mul(y, log);
            let slope = builder.select(a, slope, a);
            builder.mul(slope, t)
        },
    ]),
    cuda: ["powf(a, b)", "pow(a, b)"],
    points: &[(2.0, 3.0), (1e-3, 0.5), (3.0, -2.0), (2.0, 0.0), (1e6, 0.25)],
    kinks: &[((0.0, 0.0), (0.0, 0.0)), ((0.0, 2.0), (0.0, 0.0))],
};
