//! `⌊x⌋`

use super::Function;

pub(super) static FLOOR: Function = Function {
    name: "floor",
    formula: "⌊x⌋",
    eval: f64::floor,
    chain: None,
    points: &[-2.5, -0.3, 0.7, 100.5],
    kinks: &[(0.0, 0.0)],
};
