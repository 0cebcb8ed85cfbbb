//! The executor's contract on the reference device.

use super::{Comparison, Reference, Rounding, evaluate, gradcheck};
use crate::exec::{Buffer, Executor, NonFinite, Slot};
use crate::source::{FileId, Span};
use crate::tape::{Binary, Builder, Dtype, Program, Tensor, Type, Unary};

fn scale(n: usize) -> Program {
    let mut b = Builder::new("scale");
    let x = b.input("x", Type::new(Dtype::F64, [n]));
    let s = b.input("s", Type::new(Dtype::F64, []));
    let y = b.mul(s, x);
    b.output("y", y);
    b.output("x", x);
    b.finish()
}

fn filled(device: &mut Reference, tensor: Tensor) -> Buffer {
    let buffer = device.buffer(&tensor.ty());
    device.write(buffer, &tensor);
    buffer
}

#[test]
fn outputs_may_overwrite_inputs() {
    let mut device = Reference::new();
    let x = filled(&mut device, Tensor::f64([2], vec![1.0, 2.0]));
    let s = filled(&mut device, Tensor::scalar(10.0));
    let before = device.buffer(&Type::new(Dtype::F64, [2]));
    let call = device.bind(&scale(2), &[x.into(), s.into()], &[x.into(), before.into()]);
    device.run(call, 0);
    device.run(call, 0);
    assert_eq!(device.read(x), Tensor::f64([2], vec![100.0, 200.0]));
    assert_eq!(device.read(before), Tensor::f64([2], vec![10.0, 20.0]));
    assert_eq!(device.item(s), 10.0);
}

#[test]
fn a_member_is_a_slice_of_its_family() {
    let mut device = Reference::new();
    let family = filled(&mut device, Tensor::f64([3, 2], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
    let s = filled(&mut device, Tensor::f64([3], vec![1.0, 10.0, 100.0]));
    let copy = device.buffer(&Type::new(Dtype::F64, [3, 2]));
    device.copy(family, copy);
    let member = |buffer| Slot { buffer, member: true };
    let call = device.bind(&scale(2), &[member(family), member(s)], &[member(family), member(copy)]);
    device.run(call, 1);
    assert_eq!(device.read(family), Tensor::f64([3, 2], vec![1.0, 2.0, 30.0, 40.0, 5.0, 6.0]));
}

#[test]
fn singles_round_at_the_outputs_only() {
    let mut b = Builder::new("cancel");
    let x = b.input("x", Type::new(Dtype::F32, []));
    let large = b.offset(x, 1e9);
    let y = b.offset(large, -1e9);
    b.output("y", y);
    let program = b.finish();
    let inputs = [Tensor::f32([], vec![0.125])];
    assert_eq!(evaluate(&program, &inputs, Rounding::Outputs), [Tensor::f32([], vec![0.125])]);
    assert_eq!(evaluate(&program, &inputs, Rounding::Instructions), [Tensor::f32([], vec![0.0])]);
}

#[test]
fn the_first_number_that_is_not_finite_is_found() {
    let mut b = Builder::new("loss");
    let x = b.input("x", Type::new(Dtype::F64, [3]));
    // An open bound is infinite and not to blame.
    let bound = b.constant_like(f64::INFINITY, x);
    let x = b.binary(Binary::Min, x, bound);
    let origin = Span::new(FileId(0), 10, 16);
    b.set_origin(Some(origin));
    let log = b.unary(Unary::Log, x);
    let y = b.sum(log);
    b.output("y", y);
    let program = b.finish();
    let mut device = Reference::new();
    let x = filled(&mut device, Tensor::f64([3], vec![1.0, 0.0, -2.0]));
    let y = device.buffer(&Type::new(Dtype::F64, []));
    let call = device.bind(&program, &[x.into()], &[y.into()]);
    let expected = NonFinite {
        program: "loss".into(),
        inst: "%4: f64[3] = log %3".into(),
        origin: Some(origin),
        value: f64::NEG_INFINITY,
        operands: vec![0.0],
    };
    assert_eq!(device.trace(call, 0), Some(expected));
    device.write(x, &Tensor::f64([3], vec![1.0, 2.0, 3.0]));
    assert_eq!(device.trace(call, 0), None);
}

/// At a kink any slope between its sides is right, and nothing outside them.
#[test]
fn a_kink_leaves_the_slope_open() {
    let compared = |f: Unary, x: f64| {
        let mut b = Builder::new("kink");
        let input = b.input("x", Type::new(Dtype::F64, []));
        let y = b.unary(f, input);
        b.output("y", y);
        gradcheck(&b.finish(), 0, &[vec![x]], 1).swap_remove(0)
    };
    let kink = compared(Unary::Relu, 0.0);
    assert!(kink.agrees(), "{kink:?}");
    // The one-sided derivatives are 0 and twice the difference.
    for (slope, right) in [(0.0, true), (2.0, true), (-0.1, false), (2.1, false), (f64::NAN, false)] {
        let stated = Comparison { reverse: slope * kink.difference, ..kink.clone() };
        assert_eq!(stated.agrees(), right, "{slope}");
    }
    // Nothing is given away where the function is smooth.
    let smooth = compared(Unary::Exp, 1.0);
    assert!(smooth.agrees() && smooth.tolerance < 1e-8 * smooth.difference.abs(), "{smooth:?}");
}
