//! Where a bound program first made a number that is not finite: every instruction as a program of its
//! own, in its own dtype.

use super::Cpu;
use crate::exec::reference::blame;
use crate::exec::{Executor, NonFinite};
use crate::tape::{Input, Op, Output, Program, Tensor, Value};

/// Runs the instructions one by one and blames the first.
pub(in crate::exec) fn trace(program: &Program, inputs: Vec<Tensor>) -> Option<NonFinite> {
    let mut values: Vec<Vec<f64>> = Vec::with_capacity(program.insts.len());
    let mut cpu = Cpu::new(1);
    let buffers: Vec<_> = program.insts.iter().map(|inst| cpu.buffer(&inst.ty)).collect();
    for (index, inst) in program.insts.iter().enumerate() {
        if let Op::Input(position) = inst.op {
            cpu.write(buffers[index], &inputs[position as usize]);
        } else {
            let single = alone(program, index);
            let slots: Vec<_> = inst.args.iter().map(|arg| buffers[arg.index()].into()).collect();
            let call = cpu.bind(&single, &slots, &[buffers[index].into()]);
            cpu.run(call, 0);
        }
        values.push(cpu.read(buffers[index]).to_f64().into_vec());
    }
    blame(program, &values)
}

/// An instruction as a program of its operands.
fn alone(program: &Program, index: usize) -> Program {
    let mut inst = program.insts[index].clone();
    let mut single = Program { name: program.name.clone(), ..Program::default() };
    for (k, arg) in inst.args.iter_mut().enumerate() {
        let mut input = program.insts[arg.index()].clone();
        (input.op, input.args) = (Op::Input(k as u32), Vec::new());
        single.insts.push(input);
        *arg = Value(k as u32);
        single.inputs.push(Input { name: k.to_string(), value: *arg });
    }
    let value = Value(single.insts.len() as u32);
    single.insts.push(inst);
    single.outputs.push(Output { name: "y".into(), value });
    single
}
