//! Where a program first made a number that is not finite.
//!
//! Constants may be infinite (an open bound), so neither they nor what merely moves them is blamed.

use super::super::executor::NonFinite;
use super::interpret::{Rounding, interpret};
use crate::tape::{Op, Program, Tensor, Value};

/// The first instruction, and the first element of it.
pub(super) fn trace(program: &Program, inputs: &[Tensor]) -> Option<NonFinite> {
    let inputs: Vec<Vec<f64>> = inputs.iter().map(|input| input.to_f64().into_vec()).collect();
    blame(program, &interpret(program, &inputs, Rounding::Instructions))
}

/// The first instruction with a value that is not finite and that more than moves it, given the values
/// of all.
pub fn blame(program: &Program, values: &[Vec<f64>]) -> Option<NonFinite> {
    program.insts.iter().enumerate().filter(|(_, inst)| !only_moves(&inst.op)).find_map(|(index, inst)| {
        let element = values[index].iter().position(|x| !x.is_finite())?;
        let elementwise = matches!(inst.op, Op::Unary(_) | Op::Binary(_) | Op::Select);
        let operand = |arg: &Value| {
            let x = &values[arg.index()];
            if elementwise { x[element] } else { extreme(x) }
        };
        Some(NonFinite {
            program: program.name.clone(),
            inst: format!("{}: {inst}", Value(index as u32)),
            origin: inst.origin,
            value: values[index][element],
            operands: inst.args.iter().map(operand).collect(),
        })
    })
}

/// Whether every number of the result is a number of an operand, or a constant.
fn only_moves(op: &Op) -> bool {
    match op {
        Op::Const(_)
        | Op::Broadcast { .. }
        | Op::Reshape
        | Op::Transpose { .. }
        | Op::Slice(_)
        | Op::Unslice(_)
        | Op::Concat { .. }
        | Op::Sort => true,
        Op::Input(_)
        | Op::Unary(_)
        | Op::Binary(_)
        | Op::Select
        | Op::Reduce { .. }
        | Op::ArgMax
        | Op::ArgSort
        | Op::CumSum { .. }
        | Op::Iota { .. }
        | Op::MatMul { .. }
        | Op::Conv { .. }
        | Op::Gather
        | Op::ScatterAdd
        | Op::Cast
        | Op::Random { .. }
        | Op::Cholesky
        | Op::CholeskySolve
        | Op::SparseMatVec { .. }
        | Op::SparseFactor(_)
        | Op::SparseSolve(_)
        | Op::Grid { .. }
        | Op::SymmetricEigenvalues
        | Op::SymmetricEigen
        | Op::Svd
        | Op::Pav
        | Op::Assignment
        | Op::TautString
        | Op::Iterate(_)
        | Op::PsdSqrt => false,
    }
}

/// The element of greatest magnitude, a NaN before all; 0 of none.
fn extreme(x: &[f64]) -> f64 {
    x.iter().copied().fold(0.0, |most: f64, x| if most.is_nan() || most.abs() >= x.abs() { most } else { x })
}
