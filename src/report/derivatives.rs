//! Derivatives of an expression at a point against central differences, as `admmc gradcheck` shows them and as a
//! step that finds no way down is looked at.

use crate::exec::reference::{self, Comparison};
use crate::model::Lower;
use crate::model::ir::{Expr, Leaf, Model};
use crate::tape::{Dtype, Program, passes};

/// An expression as it is run (stable forms included), in doubles.
pub struct Derivatives {
    program: Program,
    leaves: Vec<Leaf>,
    /// Inputs that are variables or multipliers.
    positions: Vec<usize>,
}

impl Derivatives {
    /// Of an expression.
    pub fn new(model: &Model, expr: &Expr) -> Derivatives {
        let mut lower = Lower::new(model, "expression", Dtype::F64);
        let value = lower.expr(expr);
        lower.b.output("value", value);
        let (program, leaves) = lower.finish();
        let program = passes::optimise(&passes::stabilise(&program).0);
        let moves = |leaf: &Leaf| matches!(leaf, Leaf::Var(..) | Leaf::Dual(..));
        let positions = (0..leaves.len()).filter(|&at| moves(&leaves[at])).collect();
        Derivatives { program, leaves, positions }
    }

    /// The names of what it is differentiated by.
    pub fn by(&self) -> impl Iterator<Item = &str> {
        self.positions.iter().map(|&position| self.program.inputs[position].name.as_str())
    }

    /// One comparison for each of them, where the leaves have these values.
    pub fn at(&self, values: impl Fn(Leaf, usize) -> Vec<f64>, seed: u64) -> Vec<Comparison> {
        let at: Vec<Vec<f64>> = self.leaves.iter().enumerate().map(|(at, &leaf)| values(leaf, at)).collect();
        self.positions.iter().map(|&position| reference::compare(&self.program, 0, &at, position, seed)).collect()
    }
}
