//! Dead code: what serves no output is dropped. Inputs stay, for they are bound by position.

use crate::tape::ir::{Op, Program, Value};

pub(super) fn dead(program: &Program) -> Program {
    let mut live = vec![false; program.insts.len()];
    program.outputs.iter().for_each(|output| live[output.value.index()] = true);
    for (index, inst) in program.insts.iter().enumerate().rev() {
        if live[index] {
            inst.args.iter().for_each(|arg| live[arg.index()] = true);
        }
    }
    let mut kept = Program { name: program.name.clone(), ..Program::default() };
    let mut values = vec![Value(u32::MAX); program.insts.len()];
    for (index, inst) in program.insts.iter().enumerate() {
        if live[index] || matches!(inst.op, Op::Input(_)) {
            let mut inst = inst.clone();
            inst.args.iter_mut().for_each(|arg| *arg = values[arg.index()]);
            values[index] = Value(kept.insts.len() as u32);
            kept.insts.push(inst);
        }
    }
    kept.inputs.clone_from(&program.inputs);
    kept.outputs.clone_from(&program.outputs);
    kept.inputs.iter_mut().for_each(|input| input.value = values[input.value.index()]);
    kept.outputs.iter_mut().for_each(|output| output.value = values[output.value.index()]);
    kept
}
