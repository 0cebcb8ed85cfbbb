//! Reverse mode, tape to tape: the instructions of a gradient are appended to the program that is
//! being built, so a gradient can be differentiated again, and is optimised like anything else.
//!
//! Every op names its own reverse derivative (`Rule::vjp`); here cotangents
//! are carried from `y` back to `wrt`. Nothing is computed for values that no `wrt` reaches. The
//! weights of a network are slices of one flat vector: the cotangents of slices are therefore kept as
//! boxes and joined at the end, so that the gradient of the vector is one `concat`.

use super::builder::Builder;
use super::ir::{Op, Program, Value};
use super::ops::{Range, Site};

/// `∂y/∂w` of a scalar `y` for each `w` of `wrt`. A `w` that `y` does not depend on gets zeros. A `w`
/// may be any value; where one depends on another, the derivative by the other is total.
///
/// At a kink the slope is the one that the op's file states. An op without a derivative
/// ([`undifferentiable`]) gives NaN.
pub fn gradient(b: &mut Builder, y: Value, wrt: &[Value]) -> Vec<Value> {
    debug_assert!(b.shape(y).is_scalar(), "a gradient is of a scalar");
    let one = b.constant_like(1.0, y);
    vjp(b, y, one, wrt)
}

/// `(∂y/∂w)ᵀ · cotangent` for each `w` of `wrt`; the cotangent has the type of `y`.
pub fn vjp(b: &mut Builder, y: Value, cotangent: Value, wrt: &[Value]) -> Vec<Value> {
    debug_assert_eq!(b.ty(y), b.ty(cotangent), "a cotangent has the type of its value");
    let reached = reached(b.program(), y, wrt);
    let mut parts: Vec<Parts> = vec![Parts::default(); y.index() + 1];
    let mut total: Vec<Option<Value>> = vec![None; y.index() + 1];
    parts[y.index()].whole.push(cotangent);
    let origin = b.set_origin(None);
    for index in (0..=y.index()).rev().filter(|&index| reached[index]) {
        let inst = b.program().insts[index].clone();
        b.set_origin(inst.origin);
        let value = Value(index as u32);
        let Some(cotangent) = std::mem::take(&mut parts[index]).join(b, value) else { continue };
        total[index] = Some(cotangent);
        let rule = inst.op.rule();
        for (k, arg) in inst.args.iter().enumerate().filter(|(_, arg)| reached[arg.index()]) {
            match &inst.op {
                Op::Slice(ranges) => parts[arg.index()].boxes.push((ranges.clone(), cotangent)),
                _ => {
                    let part = rule.vjp(b, Site { args: &inst.args, y: value }, k, cotangent);
                    parts[arg.index()].whole.extend(part);
                }
            }
        }
    }
    b.set_origin(origin);
    let zeros = |w: Value, b: &mut Builder| b.constant_like(0.0, w);
    wrt.iter().map(|&w| total.get(w.index()).copied().flatten().unwrap_or_else(|| zeros(w, b))).collect()
}

/// The first instruction on a way from `wrt` to `y` that has no derivative.
pub fn undifferentiable(program: &Program, y: Value, wrt: &[Value]) -> Option<Value> {
    let reached = reached(program, y, wrt);
    let needed = needed(program, y);
    let lacks = |index: &usize| {
        let inst = &program.insts[*index];
        let by = |(k, arg): (usize, &Value)| reached[arg.index()] && !inst.op.rule().differentiable(k);
        reached[*index] && needed[*index] && inst.args.iter().enumerate().any(by)
    };
    (0..=y.index()).find(lacks).map(|index| Value(index as u32))
}

/// Which values up to `y` depend on `wrt` through floats.
pub(super) fn reached(program: &Program, y: Value, wrt: &[Value]) -> Vec<bool> {
    let mut reached = vec![false; y.index() + 1];
    for (index, inst) in program.insts[..=y.index()].iter().enumerate() {
        let given = wrt.iter().any(|w| w.index() == index);
        reached[index] = inst.ty.dtype.is_float() && (given || inst.args.iter().any(|arg| reached[arg.index()]));
    }
    reached
}

/// Which values up to `y` it depends on.
pub(super) fn needed(program: &Program, y: Value) -> Vec<bool> {
    let mut needed = vec![false; y.index() + 1];
    needed[y.index()] = true;
    for index in (0..=y.index()).rev() {
        if needed[index] {
            program.insts[index].args.iter().for_each(|arg| needed[arg.index()] = true);
        }
    }
    needed
}

/// The parts of one value's cotangent: of the whole value, and of boxes cut out of it.
#[derive(Debug, Clone, Default)]
struct Parts {
    whole: Vec<Value>,
    boxes: Vec<Part>,
}

impl Parts {
    /// Their sum, in order of arrival; `None` if there is none.
    fn join(self, b: &mut Builder, value: Value) -> Option<Value> {
        let ty = b.ty(value).clone();
        let mut boxes: Vec<Part> = Vec::new();
        for (ranges, part) in self.boxes {
            match boxes.iter_mut().find(|(other, _)| *other == ranges) {
                Some((_, sum)) => *sum = b.add(*sum, part),
                None => boxes.push((ranges, part)),
            }
        }
        let mut whole = self.whole;
        for (axis, layer) in layers(boxes, &ty.shape.0) {
            whole.push(match (axis, &layer[..]) {
                (Some(axis), [_, _, ..]) => fill(b, value, axis, layer),
                _ => {
                    let (ranges, part) = layer.into_iter().next().expect("a layer has a box");
                    b.push(Op::Unslice(ranges), vec![part], ty.clone())
                }
            });
        }
        whole.into_iter().reduce(|sum, part| b.add(sum, part))
    }
}

/// A box, and the cotangent of what was cut out.
type Part = (Vec<Range>, Value);

/// Boxes that are slabs across one axis, sorted into layers without overlap along it; any other box
/// is a layer of its own.
fn layers(boxes: Vec<Part>, extents: &[usize]) -> Vec<(Option<usize>, Vec<Part>)> {
    let mut layers: Vec<(Option<usize>, Vec<Part>)> = Vec::new();
    let mut boxes: Vec<(Option<usize>, Part)> = boxes.into_iter().map(|part| (slab(&part.0, extents), part)).collect();
    boxes.sort_by_key(|(axis, (ranges, _))| axis.map(|axis| ranges[axis].start));
    for (axis, part) in boxes {
        let layer = layers.iter_mut().find(|(along, layer)| {
            axis.is_some() && *along == axis && layer.last().is_some_and(|last| after(&part.0, &last.0, axis))
        });
        match layer {
            Some((_, layer)) => layer.push(part),
            None => layers.push((axis, vec![part])),
        }
    }
    layers
}

/// Whether a slab starts where the one before it along the axis has stopped.
fn after(next: &[Range], last: &[Range], axis: Option<usize>) -> bool {
    axis.is_some_and(|axis| next[axis].start >= last[axis].stop())
}

/// The axis across which a box of unit steps is a slab: the only one that it does not cover.
fn slab(ranges: &[Range], extents: &[usize]) -> Option<usize> {
    let mut cut = ranges.iter().zip(extents).enumerate().filter(|(_, (range, extent))| range.len != **extent);
    let axis = cut.next().map(|(axis, _)| axis);
    axis.filter(|_| cut.next().is_none() && ranges.iter().all(|range| range.step == 1))
}

/// The slabs of a layer joined along the axis, with zeros between.
fn fill(b: &mut Builder, value: Value, axis: usize, layer: Vec<Part>) -> Value {
    let ty = b.ty(value).clone();
    let zeros = |b: &mut Builder, len: usize| {
        let mut shape = ty.shape.clone();
        shape.0[axis] = len;
        let zero = b.constant(0.0, ty.dtype);
        b.broadcast_scalar(zero, &shape)
    };
    let (mut joined, mut covered) = (Vec::new(), 0);
    for (ranges, part) in layer {
        if ranges[axis].start > covered {
            joined.push(zeros(b, ranges[axis].start - covered));
        }
        covered = ranges[axis].stop();
        joined.push(part);
    }
    if covered < ty.shape.0[axis] {
        joined.push(zeros(b, ty.shape.0[axis] - covered));
    }
    b.concat(joined, axis)
}
