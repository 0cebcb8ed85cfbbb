//! What the processor needs beside operands and results.

use super::conv::Cut;
use super::regression::{ISOTONIC_WORK, TAUT_STRING_WORK};
use super::sweep::{REGISTER, TILE};
use super::{factor, iterate};
use crate::exec::plan::{Device, GridPlan, LINE, Node, Plan, Step, Turn};
use crate::tape::ops::{Iteration, assignment};
use crate::tape::{Dtype, Op, Type};

/// The processor, as the planner sees it.
pub(super) struct Needs;

impl Device for Needs {
    fn workspace(&self, node: &Node) -> Option<(Dtype, usize)> {
        let row = node.ty.shape.0.last().copied().unwrap_or(1);
        let (dtype, len) = match &node.op {
            _ if node.is_fold() => (node.ty.dtype, node.arg_tys[0].shape.numel().div_ceil(TILE).max(1)),
            Op::Conv { .. } => {
                let conv = node.conv().expect("the node is a convolution");
                (node.ty.dtype, Cut::of(&conv).sums(&conv))
            }
            Op::Iterate(iteration) if !iteration.is_lanewise() => {
                let turns = self.turns(iteration, &node.arg_tys, node.ty.shape.numel());
                (Dtype::F64, iterate::memory(&turns).div_ceil(Dtype::F64.bytes()))
            }
            Op::Cholesky => (Dtype::F64, factor::dense_workspace(row, node.ty.dtype)),
            Op::SparseFactor(symbolic) => (Dtype::F64, factor::workspace(symbolic, 1, node.ty.dtype)),
            Op::SparseSolve(symbolic) => {
                let columns = node.ty.shape.0[1..].iter().product();
                (Dtype::F64, factor::workspace(symbolic, columns, node.ty.dtype))
            }
            Op::Grid { transform, .. } => (Dtype::F64, GridPlan::new(*transform, &node.ty).workspace()),
            Op::Pav => (Dtype::F64, ISOTONIC_WORK * row),
            Op::Assignment => (Dtype::F64, assignment::work_len(row)),
            Op::TautString => (Dtype::F64, TAUT_STRING_WORK * row),
            _ => return None,
        };
        (len > 0).then_some((dtype, len))
    }

    fn in_place(&self, _: &Node) -> bool {
        true
    }

    fn turns(&self, iteration: &Iteration, args: &[Type], n: usize) -> Vec<Turn> {
        iterate::turns(iteration, args, n)
    }
}

/// Bytes of scratch that a plan takes for each thread: the registers of the sweep that has most, the panel
/// of a convolution, or the lanes of a loop.
pub(super) fn scratch(plan: &Plan) -> usize {
    let of = |step: &Step| match step {
        Step::Sweep(sweep) => sweep.registers as usize * REGISTER,
        Step::Iterate(it) => {
            let inside = it.turns.iter().map(|turn| scratch(&turn.plan)).max().unwrap_or(0);
            inside + if it.lanes { iterate::memory(&it.turns) } else { 0 }
        }
        Step::Conv(conv) => Cut::of(conv).scratch(conv) * conv.dtype.bytes(),
        _ => 0,
    };
    plan.steps.iter().map(of).max().unwrap_or(0).next_multiple_of(LINE)
}
