//! Compile-time evaluation: an expression of data alone, lowered to the tape and computed in doubles
//! by the reference evaluation of each op.

use super::ir::{Expr, ExprKind, Leaf, Member, Model};
use super::lower::Lower;
use crate::linalg::Shared;
use crate::tape::ops::Operand;
use crate::tape::{Dtype, Elements, Op, Program, Tensor};

/// The value of an expression that refers to data alone; `None` where it refers to anything else.
pub fn fold(model: &Model, expr: &Expr) -> Option<Tensor> {
    match &expr.kind {
        ExprKind::Number(number) => return Some(Tensor::scalar(*number)),
        ExprKind::Leaf(Leaf::Data(id, Member::None)) => return Some((*model.data[id.index()].tensor).clone()),
        _ if !is_constant(expr) => return None,
        _ => {}
    }
    evaluated(model, expr, None)
}

fn evaluated(model: &Model, expr: &Expr, member: Option<u32>) -> Option<Tensor> {
    let mut lower = Lower::new(model, "fold", Dtype::F64);
    lower.member = member;
    let value = lower.expr(expr);
    lower.b.output("value", value);
    let (program, leaves) = lower.finish();
    let inputs: Vec<Tensor> = leaves.iter().map(|&leaf| data(model, leaf)).collect::<Option<_>>()?;
    evaluate(&program, &inputs).pop()
}

/// The value of an expression of data alone for one member of the family around it.
pub fn fold_member(model: &Model, expr: &Expr, member: u32) -> Option<Tensor> {
    if !is_constant(expr) {
        return None;
    }
    evaluated(model, expr, Some(member))
}

/// Numbers of data that a check computes with, which nothing but the check needs: products of matrices take the
/// power of 3/2 of it in operations, some tenths of a second here.
const MOST_CHECKED: usize = 1 << 18;

/// The value of an expression of data alone for a check, where it is at hand or cheap; of one member of the
/// family around it, where that is given.
pub fn fold_cheap(model: &Model, expr: &Expr, member: Option<u32>) -> Option<Tensor> {
    let mut numbers = 0;
    expr.leaves(&mut |leaf| numbers += model.leaf_shape(leaf).numel());
    if !matches!(expr.kind, ExprKind::Leaf(_)) && numbers > MOST_CHECKED {
        return None;
    }
    match member {
        Some(member) => fold_member(model, expr, member),
        None => fold(model, expr),
    }
}

/// Whether an expression refers to data and numbers alone.
pub fn is_constant(expr: &Expr) -> bool {
    let mut constant = true;
    expr.leaves(&mut |leaf| constant &= matches!(leaf, Leaf::Data(..)));
    constant
}

/// The tensor of a data leaf, a member cut out of its family.
fn data(model: &Model, leaf: Leaf) -> Option<Tensor> {
    let Leaf::Data(id, member) = leaf else { return None };
    let tensor = &model.data[id.index()].tensor;
    match member {
        Member::None => Some((**tensor).clone()),
        Member::Loop => None,
        Member::At(k) => {
            let shape = model.leaf_shape(leaf);
            let size = shape.numel();
            let all = tensor.to_f64();
            Some(Tensor::f64(shape, all[k as usize * size..][..size].to_vec()))
        }
    }
}

/// Runs a verified program on these inputs, in doubles.
pub fn evaluate(program: &Program, inputs: &[Tensor]) -> Vec<Tensor> {
    let mut values: Vec<Shared<f64>> = Vec::with_capacity(program.insts.len());
    for inst in &program.insts {
        let value = match inst.op {
            Op::Input(position) => inputs[position as usize].to_f64(),
            _ => {
                let operand = |arg: &crate::tape::Value| Operand { ty: program.ty(*arg), x: &values[arg.index()] };
                let operands: Vec<Operand> = inst.args.iter().map(operand).collect();
                inst.op.rule().eval(&operands, &inst.ty).into()
            }
        };
        values.push(value);
    }
    let output = |value: crate::tape::Value| {
        let ty = program.ty(value);
        let doubles = Tensor { shape: ty.shape.clone(), elements: Elements::F64(values[value.index()].clone()) };
        if ty.dtype == Dtype::Index { doubles.cast(Dtype::Index) } else { doubles }
    };
    program.outputs.iter().map(|out| output(out.value)).collect()
}
