//! `1/x`

use super::Function;
use crate::tape::Unary;

pub(super) static RECIP: Function = Function {
    name: "recip",
    formula: "1/x",
    eval: |x| 1.0 / x,
    chain: Some(|b, _, y, t| {
        let square = b.unary(Unary::Square, y);
        let product = b.mul(square, t);
        b.neg(product)
    }),
    points: &[-1e6, -1e-6, 1e-6, 2.0, 1e6],
    kinks: &[],
};
