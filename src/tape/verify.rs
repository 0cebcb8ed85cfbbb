//! What every consumer of a program may assume, checked: after each pass in debug builds, and in
//! tests.
//!
//! 1. Operands are defined before they are used.
//! 2. Input `p` is the value of an instruction `Op::Input(p)`, every such instruction is an input's,
//!    and input names differ.
//! 3. Outputs are values of the program, and their names differ.
//! 4. Number, dtypes and shapes of operands and result obey the op's shape rule. In particular
//!    elementwise operands have the result's very shape, axes ascend, and ranges stay inside.
//! 5. Functions of one operand take floats. Of two: floats, and indices for add, sub, mul (modulo
//!    2³²), max, min and the comparisons; a comparison's result has its operands' dtype. The condition
//!    of a select may have another dtype. Sums take any dtype, other reductions floats.
//! 6. An extent may be 0. A tensor has less than 2³² elements along an axis, and its size in bytes
//!    fits 2⁴⁸.

use super::ir::{Op, Program, Type, Value};

/// Fails with a sentence that names the instruction and what is wrong with it.
pub fn verify(program: &Program) -> Result<(), String> {
    let at = |what: String, sentence: String| Err(format!("{}: {what}: {sentence}", program.name));
    let mut inputs = 0;
    for (index, inst) in program.insts.iter().enumerate() {
        let what = || format!("{}: {inst}", Value(index as u32));
        if let Some(arg) = inst.args.iter().find(|arg| arg.index() >= index) {
            return at(what(), format!("{arg} is not defined yet"));
        }
        if let Op::Input(position) = inst.op {
            inputs += 1;
            let owner = program.inputs.get(position as usize);
            if owner.is_none_or(|input| input.value.index() != index) {
                return at(what(), "no input has this value".into());
            }
        }
        let args: Vec<&Type> = inst.args.iter().map(|&arg| program.ty(arg)).collect();
        if let Err(sentence) = fits_memory(&inst.ty).and_then(|()| inst.op.rule().check(&args, &inst.ty)) {
            return at(what(), sentence);
        }
    }
    if inputs != program.inputs.len() {
        return at("inputs".into(), format!("{} for {inputs} instructions", program.inputs.len()));
    }
    if let Some(output) = program.outputs.iter().find(|output| output.value.index() >= program.insts.len()) {
        return at(output.name.clone(), format!("{} is not defined", output.value));
    }
    distinct(program.inputs.iter().map(|input| input.name.as_str()))
        .and_then(|()| distinct(program.outputs.iter().map(|output| output.name.as_str())))
        .or_else(|name| at(name.into(), "the name is taken".into()))
}

fn fits_memory(ty: &Type) -> Result<(), String> {
    let extents = &ty.shape.0;
    let elements = extents.iter().try_fold(1usize, |product, &extent| product.checked_mul(extent.max(1)));
    let bytes = elements.and_then(|n| n.checked_mul(ty.dtype.bytes()));
    let fits = bytes.is_some_and(|bytes| bytes <= 1 << 48) && extents.iter().all(|&extent| extent <= u32::MAX as usize);
    if fits { Ok(()) } else { Err(format!("{ty} is too large")) }
}

/// Fails with a name that appears twice.
fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), &'a str> {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names.windows(2).find(|pair| pair[0] == pair[1]).map_or(Ok(()), |pair| Err(pair[0]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::{Builder, Dtype, Shape, Unary};
    use expect_test::{Expect, expect};

    fn check(expected: Expect, break_it: impl FnOnce(&mut Program)) {
        let mut b = Builder::new("p");
        let x = b.input("x", Type::new(Dtype::F64, [2, 3]));
        let y = b.unary(Unary::Exp, x);
        let total = b.sum(y);
        b.output("total", total);
        let mut program = b.finish();
        verify(&program).expect("the program is well formed before it is broken");
        break_it(&mut program);
        expected.assert_eq(&verify(&program).expect_err("the break is seen"));
    }

    #[test]
    fn each_rule_can_fail() {
        check(expect!["p: %1: f64[2, 3] = exp %1: %1 is not defined yet"], |p| p.insts[1].args[0] = Value(1));
        check(expect!["p: %1: f64[2, 3] = input 0: no input has this value"], |p| {
            p.insts[1] = p.insts[0].clone();
        });
        check(expect!["p: inputs: 2 for 1 instructions"], |p| p.inputs.push(p.inputs[0].clone()));
        check(expect!["p: total: %7 is not defined"], |p| p.outputs[0].value = Value(7));
        check(expect!["p: total: the name is taken"], |p| p.outputs.push(p.outputs[0].clone()));
        check(expect!["p: %1: f32[2, 3] = exp %0: gives f64[2, 3], not f32[2, 3]"], |p| {
            p.insts[1].ty.dtype = Dtype::F32
        });
        check(expect!["p: %2: f64 = sum %1 over [1, 0]: axes [1, 0] do not ascend"], |p| {
            p.insts[2].op = Op::Reduce { reducer: crate::tape::ops::Reducer::Sum, axes: vec![1, 0] };
        });
        check(expect!["p: %0: f64[4294967295, 4294967295] = input 0: f64[4294967295, 4294967295] is too large"], |p| {
            p.insts[0].ty.shape = Shape::matrix(u32::MAX as usize, u32::MAX as usize);
        });
    }
}
