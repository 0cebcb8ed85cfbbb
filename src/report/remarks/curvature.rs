//! The least and the largest curvature of a sum of terms at a point: eigenvalues of its Hessian by Lanczos's
//! method ([`lanczos`]) on products `∇²h·v`, the tangent of the gradient. The Hessian is never made.

use crate::exec::{Buffer, Cpu, Executor};
use crate::linalg::lanczos;
use crate::model::Lower;
use crate::model::ir::{Expr, Leaf, Member, Model, VarId};
use crate::tape::{self, Builder, Dtype, Program, Shape, Tensor, Type, Value, jvp, passes};

/// Products: by trial, the ends of the spectra of networks with hundreds of parameters stand to three digits.
const STEPS: usize = 40;

/// Numbers that a product may make on its way, so that all of them take a fraction of a second.
const MOST_NUMBERS: usize = 2_000_000;

/// What is found.
pub(super) struct Curves {
    pub least: f64,
    pub largest: f64,
}

/// The curvatures; None of a sum that draws, over a family, too large, or not finite there.
pub(super) fn extremes(
    model: &Model,
    exprs: &[&Expr],
    vars: &[VarId],
    value: &dyn Fn(Leaf) -> Option<Vec<f64>>,
) -> Option<Curves> {
    if exprs.is_empty() || vars.iter().any(|var| model.vars[var.index()].family.is_some()) {
        return None;
    }
    let (program, leaves) = product(model, exprs, vars);
    let numbers: usize = program.insts.iter().map(|inst| inst.ty.shape.numel()).sum();
    if numbers > MOST_NUMBERS {
        return None;
    }
    let mut cpu = Cpu::new(1);
    let mut inputs: Vec<Buffer> = Vec::new();
    for (leaf, input) in leaves.iter().zip(&program.inputs) {
        let ty = program.ty(input.value);
        let buffer = cpu.buffer(ty);
        cpu.write(buffer, &Tensor::f64(ty.shape.clone(), value(*leaf)?).cast(ty.dtype));
        inputs.push(buffer);
    }
    let n = program.ty(program.outputs[0].value).shape.numel();
    let [v, image] = [(); 2].map(|()| cpu.buffer(&Type { dtype: Dtype::F64, shape: Shape::vector(n) }));
    inputs.push(v);
    let slots: Vec<_> = inputs.iter().map(|&buffer| buffer.into()).collect();
    let call = cpu.bind(&program, &slots, &[image.into()]);
    let apply = |x: &[f64]| {
        cpu.write(v, &Tensor::f64([n], x.to_vec()));
        cpu.run(call, 0);
        cpu.read(image).to_f64().into_vec()
    };
    let ends = lanczos::ends(n, apply, STEPS, 0.0)?;
    Some(Curves { least: ends.least, largest: ends.largest })
}

/// `∇²h(point)·v` of the sum of the expressions, v the last input behind the leaves.
fn product(model: &Model, exprs: &[&Expr], vars: &[VarId]) -> (Program, Vec<Leaf>) {
    let mut lower = Lower::new(model, "terms", Dtype::F64);
    // Every variable is an input, in order, whether a term reads it or not.
    vars.iter().for_each(|&var| {
        lower.leaf(Leaf::Var(var, Member::None));
    });
    let values: Vec<Value> = exprs.iter().map(|expr| lower.expr(expr)).collect();
    let sum = values.into_iter().reduce(|sum, value| lower.b.add(sum, value)).expect("there is a term");
    lower.b.output("value", sum);
    let (program, leaves) = lower.finish();
    let program = passes::stabilise(&program).0;
    let mut b = Builder::new("product");
    let inputs: Vec<Value> =
        program.inputs.iter().map(|input| b.input(input.name.clone(), program.ty(input.value).clone())).collect();
    let own = &inputs[..vars.len()];
    let shapes: Vec<Shape> = own.iter().map(|&value| b.shape(value).clone()).collect();
    let n = shapes.iter().map(Shape::numel).sum();
    let v = b.input(" v", Type { dtype: Dtype::F64, shape: Shape::vector(n) });
    let value = b.inline(&program, &inputs)[0];
    let gradients = tape::gradient(&mut b, value, own);
    let mut start = 0;
    let mut tangents = Vec::new();
    for shape in &shapes {
        let range = tape::ops::Range { start, len: shape.numel(), step: 1 };
        let part = b.slice(v, vec![range]);
        tangents.push(b.reshape(part, shape.clone()));
        start += shape.numel();
    }
    let flat: Vec<Value> = gradients.into_iter().map(|g| flat(&mut b, g)).collect();
    let gradient = if let [one] = flat[..] { one } else { b.concat(flat, 0) };
    let image = jvp(&mut b, gradient, own, &tangents);
    b.output("image", image);
    (passes::optimise(&b.finish()), leaves)
}

fn flat(b: &mut Builder, value: Value) -> Value {
    let n = b.shape(value).numel();
    b.reshape(value, [n])
}
