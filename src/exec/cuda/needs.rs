//! What a GPU needs beside operands and results.

use super::source;
use crate::exec::plan::{Device, Node, Turn};
use crate::tape::ops::Iteration;
use crate::tape::{Dtype, Op, Type};

/// A GPU, as the planner sees it.
pub(super) struct Needs;

impl Device for Needs {
    fn workspace(&self, node: &Node) -> Option<(Dtype, usize)> {
        match &node.op {
            Op::Iterate(iteration) => {
                let turns = self.turns(iteration, &node.arg_tys, node.ty.shape.numel());
                let bytes = turns.first()?.memory;
                Some((Dtype::F64, bytes.div_ceil(Dtype::F64.bytes())))
            }
            _ => source::workspace(node).filter(|&(_, len)| len > 0),
        }
    }

    /// A kernel looks whether it has something to do; a library does what it is told.
    fn in_place(&self, node: &Node) -> bool {
        !source::takes_routine(node)
    }

    /// Lanes take their turns in registers; a turn of everything is a plan.
    fn turns(&self, iteration: &Iteration, _args: &[Type], n: usize) -> Vec<Turn> {
        if iteration.is_lanewise() { Vec::new() } else { vec![Turn::new(&iteration.body, iteration.carried, n, self)] }
    }
}
