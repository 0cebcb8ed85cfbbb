//! Which values of a program can't be a form, whatever their operands are, before any form is made: an instruction
//! that bends ends the search at once.

use super::forms::Known;
use crate::tape::ir::{Binary, Unary};
use crate::tape::ops::Reducer;
use crate::tape::{Op, Program};

/// What is known of a value before any form is made.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum End {
    /// It is known now.
    Constant,
    /// It may be a form.
    Open,
    /// It is none, whatever the operands of this instruction are.
    At(usize),
}

/// Which instructions have to be looked at, and what is known of every value. The loss of a network ends at its
/// first activation: its millions of weights are not laid out as operators first.
pub(super) fn foreseen(program: &Program, inputs: &[Known]) -> (Vec<bool>, Vec<End>) {
    let mut ends: Vec<End> = Vec::with_capacity(program.insts.len());
    for (at, inst) in program.insts.iter().enumerate() {
        let args = || inst.args.iter().map(|value| ends[value.index()]);
        let end = match &inst.op {
            Op::Input(input) => match &inputs[*input as usize] {
                Known::Variable => End::Open,
                Known::Constant(_) => End::Constant,
                Known::Unknown => End::At(at),
            },
            _ if args().all(|arg| arg == End::Constant) => End::Constant,
            op => match args().find(|arg| matches!(arg, End::At(_))) {
                Some(end) => end,
                None if bends(op) => End::At(at),
                None => End::Open,
            },
        };
        ends.push(end);
    }
    let mut needed = vec![false; program.insts.len()];
    for output in &program.outputs {
        needed[output.value.index()] |= !matches!(ends[output.value.index()], End::At(_));
    }
    for (at, inst) in program.insts.iter().enumerate().rev() {
        if needed[at] {
            inst.args.iter().for_each(|value| needed[value.index()] = true);
        }
    }
    (needed, ends)
}

/// Whether what an operation gives is never a form, unless its operands are known.
fn bends(op: &Op) -> bool {
    match op {
        Op::Unary(unary) => !matches!(unary, Unary::Neg | Unary::Square | Unary::Sqrt),
        Op::Binary(binary) => !matches!(binary, Binary::Add | Binary::Sub | Binary::Mul | Binary::Div | Binary::Pow),
        _ => false,
    }
}

/// Whether every output is sure to be a polynomial of degree 2 at the most, by its instructions alone. A norm whose square
/// is quadratic again, and what takes numbers to tell, is not.
pub(super) fn is_quadratic(program: &Program, inputs: &[Known]) -> bool {
    // Its degree, where that is known.
    let mut degrees: Vec<Option<u32>> = Vec::with_capacity(program.insts.len());
    for inst in &program.insts {
        let arg = |k: usize| degrees[inst.args[k].index()];
        let constant = inst.args.iter().all(|value| degrees[value.index()] == Some(0));
        let degree = match &inst.op {
            Op::Input(input) => match &inputs[*input as usize] {
                Known::Variable => Some(1),
                Known::Constant(_) => Some(0),
                Known::Unknown => None,
            },
            _ if constant => Some(0),
            Op::Unary(Unary::Neg) | Op::Reduce { reducer: Reducer::Sum, .. } | Op::Reshape | Op::Broadcast { .. } => {
                arg(0)
            }
            Op::Unary(Unary::Square) => arg(0).map(|degree| 2 * degree),
            Op::Binary(Binary::Add | Binary::Sub) => arg(0).zip(arg(1)).map(|(a, b)| a.max(b)),
            Op::Binary(Binary::Mul) => arg(0).zip(arg(1)).map(|(a, b)| a + b),
            _ => None,
        };
        degrees.push(degree.filter(|&degree| degree <= 2));
    }
    program.outputs.iter().all(|output| degrees[output.value.index()].is_some())
}
