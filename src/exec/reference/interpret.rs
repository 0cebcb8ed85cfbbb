//! A program, an instruction after the other.

use crate::tape::ops::Operand;
use crate::tape::{Dtype, Op, Program, Tensor, Value};

/// When a number of a single's type becomes a single.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// At the outputs only: the values are the truth that devices approximate.
    Outputs,
    /// After every instruction: what a device does whose every function is rounded correctly.
    Instructions,
}

/// Values of all instructions, from the elements of the inputs.
pub fn interpret(program: &Program, inputs: &[Vec<f64>], rounding: Rounding) -> Vec<Vec<f64>> {
    let mut values: Vec<Vec<f64>> = Vec::with_capacity(program.insts.len());
    for inst in &program.insts {
        let mut value = match inst.op {
            Op::Input(position) => inputs[position as usize].clone(),
            _ => {
                let operand = |arg: &Value| Operand { ty: program.ty(*arg), x: &values[arg.index()] };
                let operands: Vec<Operand> = inst.args.iter().map(operand).collect();
                inst.op.rule().eval(&operands, &inst.ty)
            }
        };
        if rounding == Rounding::Instructions && inst.ty.dtype == Dtype::F32 {
            value.iter_mut().for_each(|x| *x = f64::from(*x as f32));
        }
        values.push(value);
    }
    values
}

/// The outputs of a program.
pub fn evaluate(program: &Program, inputs: &[Tensor], rounding: Rounding) -> Vec<Tensor> {
    let inputs: Vec<Vec<f64>> = inputs.iter().map(|input| input.to_f64().into_vec()).collect();
    let values = interpret(program, &inputs, rounding);
    let tensor = |value: Value| {
        let ty = program.ty(value);
        Tensor::f64(ty.shape.clone(), values[value.index()].clone()).cast(ty.dtype)
    };
    program.outputs.iter().map(|output| tensor(output.value)).collect()
}
