//! The walk that rewriting passes share: instructions are copied in order, and each is first shown to
//! the pass, whose operands are already rewritten.

use crate::tape::builder::Builder;
use crate::tape::ir::{Inst, Program, Value};

/// Rebuilds a program. `replace` sees each instruction with its operands' new values and may give a
/// value that stands for it; what it builds keeps the instruction's origin.
pub(super) fn rewrite(program: &Program, mut replace: impl FnMut(&mut Builder, &Inst) -> Option<Value>) -> Program {
    let mut b = Builder::new(program.name.clone());
    let mut values: Vec<Value> = Vec::with_capacity(program.insts.len());
    for inst in &program.insts {
        let mut inst = inst.clone();
        inst.args.iter_mut().for_each(|arg| *arg = values[arg.index()]);
        b.set_origin(inst.origin);
        let value = match replace(&mut b, &inst) {
            Some(value) => value,
            None => b.push(inst.op, inst.args, inst.ty),
        };
        values.push(value);
    }
    let mut rewritten = b.finish();
    rewritten.inputs.clone_from(&program.inputs);
    rewritten.outputs.clone_from(&program.outputs);
    rewritten.inputs.iter_mut().for_each(|input| input.value = values[input.value.index()]);
    rewritten.outputs.iter_mut().for_each(|output| output.value = values[output.value.index()]);
    rewritten
}
