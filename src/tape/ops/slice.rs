//! A strided box of a tensor, and its transpose: a box placed among zeros.

use super::rule::{Operand, Rule, Site, ensure, linear, offsets, operands};
use super::{Op, Range};
use crate::tape::{Builder, Shape, Type, Value};

pub(crate) struct Slice<'a> {
    pub ranges: &'a [Range],
}

impl Rule for Slice<'_> {
    fn check(&self, args: &[&Type], ty: &Type) -> Result<(), String> {
        let [x] = operands(args)?;
        check(self.ranges, x, ty)
    }

    fn eval(&self, args: &[Operand], _: &Type) -> Vec<f64> {
        inside(self.ranges, &args[0].ty.shape).into_iter().map(|at| args[0].x[at]).collect()
    }

    fn vjp(&self, b: &mut Builder, at: Site, _: usize, cotangent: Value) -> Option<Value> {
        let ty = b.ty(at.args[0]).clone();
        Some(b.push(Op::Unslice(self.ranges.to_vec()), vec![cotangent], ty))
    }

    fn jvp(&self, b: &mut Builder, at: Site, tangents: &[Option<Value>]) -> Option<Value> {
        tangents[0].map(|tangent| linear(b, at, 0, tangent))
    }
}

pub(crate) struct Unslice<'a> {
    pub ranges: &'a [Range],
}

impl Rule for Unslice<'_> {
    fn check(&self, args: &[&Type], ty: &Type) -> Result<(), String> {
        let [x] = operands(args)?;
        check(self.ranges, ty, x)
    }

    fn eval(&self, args: &[Operand], ty: &Type) -> Vec<f64> {
        let mut y = vec![0.0; ty.shape.numel()];
        for (at, &x) in inside(self.ranges, &ty.shape).into_iter().zip(args[0].x) {
            y[at] = x;
        }
        y
    }

    fn vjp(&self, b: &mut Builder, _: Site, _: usize, cotangent: Value) -> Option<Value> {
        Some(b.slice(cotangent, self.ranges.to_vec()))
    }

    fn jvp(&self, b: &mut Builder, at: Site, tangents: &[Option<Value>]) -> Option<Value> {
        tangents[0].map(|tangent| linear(b, at, 0, tangent))
    }
}

fn check(ranges: &[Range], whole: &Type, part: &Type) -> Result<(), String> {
    ensure(whole.dtype == part.dtype, || format!("{part} is no part of {whole}"))?;
    let fits = |range: &Range, extent: &usize| range.step >= 1 && range.stop() <= *extent;
    let inside = ranges.len() == whole.shape.rank() && ranges.iter().zip(&whole.shape.0).all(|(r, n)| fits(r, n));
    ensure(inside, || format!("the ranges leave {whole}"))?;
    let lengths = part.shape.0.iter().eq(ranges.iter().map(|range| &range.len));
    ensure(lengths, || format!("the ranges don't have the extents of {part}"))
}

/// Offsets in the whole of the elements of the part.
fn inside(ranges: &[Range], whole: &Shape) -> Vec<usize> {
    let strides = whole.strides();
    let start = ranges.iter().zip(&strides).map(|(range, stride)| range.start * stride).sum();
    let (extents, strides): (Vec<_>, Vec<_>) =
        ranges.iter().zip(&strides).map(|(range, stride)| (range.len, range.step * stride)).unzip();
    offsets(&extents, &strides, start)
}
