//! `aᵇ`; NaN for negative `a` with `b` not whole.
//!
//! The slope by `a` is `b·aᵇ⁻¹`, at `a = b = 0` zero: there, 1 stands for `a`. The slope by `b` is
//! `aᵇ log a`, at `a = 0` zero, by the same means.

use super::Function;
use crate::tape::{Binary, Unary};

pub(super) static POW: Function = Function {
    name: "pow",
    formula: "aᵇ",
    eval: f64::powf,
    eval_index: None,
    chain: Some([
        |builder, a, b, _, t| {
            let one = builder.constant_like(1.0, a);
            let magnitudes = [a, b].map(|operand| builder.unary(Unary::Abs, operand));
            let nonzero = builder.binary(Binary::Max, magnitudes[0], magnitudes[1]);
            let base = builder.select(nonzero, a, one);
            let below = builder.offset(b, -1.0);
            let power = builder.binary(Binary::Pow, base, below);
            let slope = builder.mul(b, power);
            builder.mul(slope, t)
        },
        |builder, a, _, y, t| {
            let one = builder.constant_like(1.0, a);
            let base = builder.select(a, a, one);
            let log = builder.unary(Unary::Log, base);
            let slope = builder.mul(y, log);
            builder.mul(slope, t)
        },
    ]),
    points: &[(2.0, 3.0), (1e-3, 0.5), (3.0, -2.0), (2.0, 0.0), (1e6, 0.25)],
    kinks: &[[(0.0, 0.0), (0.0, 0.0)], [(0.0, 2.0), (0.0, 0.0)]],
};
