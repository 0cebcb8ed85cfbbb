//! Sorting along the last axis, and the permutation that does it. Ascending, −0 before 0 and NaN last;
//! equal elements keep their order.
//!
//! The derivatives of the sorted elements are those of the elements they are: `ẏ = ẋ[p]`, `x̄[p] = ȳ`
//! with the permutation `p`, which itself has none.

use std::cmp::Ordering;

use super::rule::{Operand, Rule, Site, ensure, ensure_float, ensure_type, operands};
use super::{Binary, Op};
use crate::tape::{Builder, Dtype, Shape, Type, Value};

pub(crate) struct Sort;

impl Rule for Sort {
    fn check(&self, args: &[&Type], ty: &Type) -> Result<(), String> {
        let [x] = operands(args)?;
        ensure_sortable(x)?;
        ensure_type(ty, x)
    }

    fn eval(&self, args: &[Operand], _: &Type) -> Vec<f64> {
        let rows = rows(args[0]);
        rows.flat_map(|row| permutation(row).into_iter().map(|at| row[at])).collect()
    }

    fn vjp(&self, b: &mut Builder, at: Site, _: usize, cotangent: Value) -> Option<Value> {
        let index = flat_permutation(b, at.args[0]);
        let flat = flattened(b, cotangent);
        let ty = b.ty(flat).clone();
        let placed = b.push(Op::ScatterAdd, vec![index, flat], ty);
        let shape = b.shape(cotangent).clone();
        Some(b.reshape(placed, shape))
    }

    fn jvp(&self, b: &mut Builder, at: Site, tangents: &[Option<Value>]) -> Option<Value> {
        let index = flat_permutation(b, at.args[0]);
        let flat = flattened(b, tangents[0]?);
        let picked = b.gather(flat, index);
        let shape = b.shape(at.y).clone();
        Some(b.reshape(picked, shape))
    }
}

pub(crate) struct ArgSort;

impl Rule for ArgSort {
    fn check(&self, args: &[&Type], ty: &Type) -> Result<(), String> {
        let [x] = operands(args)?;
        ensure_sortable(x)?;
        ensure_type(ty, &Type { dtype: Dtype::Index, shape: x.shape.clone() })
    }

    fn eval(&self, args: &[Operand], _: &Type) -> Vec<f64> {
        rows(args[0]).flat_map(permutation).map(|at| at as f64).collect()
    }

    fn vjp(&self, _: &mut Builder, _: Site, _: usize, _: Value) -> Option<Value> {
        None
    }

    fn jvp(&self, _: &mut Builder, _: Site, _: &[Option<Value>]) -> Option<Value> {
        None
    }
}

/// The order of two elements: ascending, −0 before 0, every NaN last and equal to another.
pub(crate) fn order(a: f64, b: f64) -> Ordering {
    match (a.is_nan(), b.is_nan()) {
        (false, false) => a.total_cmp(&b),
        (a, b) => a.cmp(&b),
    }
}

fn ensure_sortable(x: &Type) -> Result<(), String> {
    ensure_float(x)?;
    ensure(x.shape.rank() >= 1, || format!("{x} has no axis to sort along"))
}

fn rows<'a>(x: Operand<'a>) -> impl Iterator<Item = &'a [f64]> {
    let n = x.ty.shape.0.last().copied().unwrap_or(1);
    x.x.chunks_exact(n.max(1))
}

/// Where each sorted element stood.
fn permutation(row: &[f64]) -> Vec<usize> {
    let mut at: Vec<usize> = (0..row.len()).collect();
    at.sort_by(|&i, &j| order(row[i], row[j]));
    at
}

/// The permutation as positions in the flattened tensor.
fn flat_permutation(b: &mut Builder, x: Value) -> Value {
    let shape = b.shape(x).clone();
    let (rows, n) = (shape.0[..shape.rank() - 1].iter().product::<usize>(), shape.0[shape.rank() - 1]);
    let index = b.push(Op::ArgSort, vec![x], Type { dtype: Dtype::Index, shape });
    let index = b.reshape(index, [rows, n]);
    let row = b.iota([rows, n], 0);
    let start = b.scale(n as f64, row);
    let position = b.binary(Binary::Add, index, start);
    b.reshape(position, [rows * n])
}

fn flattened(b: &mut Builder, x: Value) -> Value {
    let shape = Shape::vector(b.shape(x).numel());
    b.reshape(x, shape)
}
