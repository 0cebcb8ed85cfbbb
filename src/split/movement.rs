//! Ops that move elements about or sum them, as operators between row-major vectors.

use crate::linalg::{Matrix, Operator};
use crate::tape::ops::{Range, Reducer};
use crate::tape::{Op, Shape, Type};

/// Length of running sums up to which their matrix is written out, at 32 MB.
const LONGEST_SUM: usize = 2048;

/// The operator of an op that only moves or sums the elements of one operand; none where it does something else.
pub(super) fn of(op: &Op, ty: &Type, from: &Shape) -> Option<Operator> {
    let n = from.numel();
    Some(match op {
        Op::Reshape | Op::Cast => Operator::Identity(n),
        Op::Broadcast { axes } => Operator::selection(&broadcast(axes, from, &ty.shape), n),
        Op::Transpose { perm } => Operator::selection(&transpose(perm, from), n),
        Op::Slice(ranges) => Operator::selection(&slice(ranges, from), n),
        Op::Unslice(ranges) => Operator::selection(&slice(ranges, &ty.shape), ty.shape.numel()).adjoint(),
        Op::Reduce { reducer: Reducer::Sum, axes } if axes.len() == from.rank() => Operator::ones(n),
        Op::Reduce { reducer: Reducer::Sum, axes } => {
            let kept: Vec<usize> = (0..from.rank()).filter(|axis| !axes.contains(axis)).collect();
            Operator::selection(&broadcast(&kept, &ty.shape, from), ty.shape.numel()).adjoint()
        }
        Op::CumSum { reverse } => {
            let m = from.0.last().map_or(1, |&m| m.max(1));
            if m > LONGEST_SUM {
                return None;
            }
            Operator::kronecker(Operator::Identity(n / m), Matrix::running_sums(m, *reverse).into())
        }
        _ => return None,
    })
}

/// Position in the operand of every element of the result.
fn sources(extents: &[usize], strides: &[usize], start: usize) -> Vec<usize> {
    let mut all = vec![start];
    for (&extent, &stride) in extents.iter().zip(strides) {
        all = all.iter().flat_map(|&offset| (0..extent).map(move |i| offset + i * stride)).collect();
    }
    all
}

/// The element of the operand that each element of a broadcast is.
fn broadcast(axes: &[usize], from: &Shape, to: &Shape) -> Vec<usize> {
    let mut strides = vec![0; to.rank()];
    for (&axis, stride) in axes.iter().zip(from.strides()) {
        strides[axis] = stride;
    }
    sources(&to.0, &strides, 0)
}

/// The element of the operand that each element of a transpose is.
pub(super) fn transpose(perm: &[usize], from: &Shape) -> Vec<usize> {
    let strides = from.strides();
    let extents: Vec<usize> = perm.iter().map(|&axis| from.0[axis]).collect();
    let strides: Vec<usize> = perm.iter().map(|&axis| strides[axis]).collect();
    sources(&extents, &strides, 0)
}

/// The element of the operand that each element of a slice is.
pub(super) fn slice(ranges: &[Range], from: &Shape) -> Vec<usize> {
    let strides = from.strides();
    let start = ranges.iter().zip(&strides).map(|(range, stride)| range.start * stride).sum();
    let extents: Vec<usize> = ranges.iter().map(|range| range.len).collect();
    let strides: Vec<usize> = ranges.iter().zip(&strides).map(|(range, stride)| range.step * stride).collect();
    sources(&extents, &strides, start)
}
