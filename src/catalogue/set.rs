//! What a set is besides its projection, for one without what a problem has in its place; and the rules that
//! values of arguments keep.

use crate::tape::ops::{Binary, Reducer, Unary};
use crate::tape::{Builder, Shape, Value};

use super::Function;

/// A set's own facts.
#[derive(Clone, Copy)]
pub(super) struct Set {
    /// Arguments, by position without the element, that shape the programs: in a family they are the same
    /// for every member.
    pub structural: &'static [usize],
    /// What a problem makes of it.
    pub reading: Reading,
}

/// What a problem makes of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// One set, with its projection.
    Projected,
    /// Membership in each of these, whose intersection it is.
    Intersection(&'static [Piece]),
    /// Equations: the first argument times the element is the second.
    Equations,
}

/// Shape of the first argument or the element, values of the arguments by position in the signature → whether
/// there is such a function or set. Of an argument that is not known there are none.
pub(super) type ValueRule = fn(&Shape, &[&[f64]]) -> Result<(), WrongValue>;

/// An argument whose value names no function or set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongValue {
    /// Which, by position without the element.
    pub at: usize,
    /// What it must be: `at least 0`.
    pub must: String,
}

/// One of the sets that another is the intersection of, without arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// The set.
    pub set: Function,
    /// Whether it is the transpose that lies in it.
    pub transposed: bool,
}

impl Set {
    /// Of any arguments.
    pub const PLAIN: Set = Set { structural: &[], reading: Reading::Projected };
}

/// The argument's elements are all at least that.
pub(super) fn at_least(args: &[&[f64]], at: usize, least: f64) -> Result<(), WrongValue> {
    ensure(args[at].iter().all(|&x| x >= least), at, || format!("at least {least}"))
}

/// The argument's elements are all above that.
pub(super) fn above(args: &[&[f64]], at: usize, bound: f64) -> Result<(), WrongValue> {
    ensure(args[at].iter().all(|&x| x > bound), at, || format!("above {bound}"))
}

/// The argument's elements all lie between these.
pub(super) fn within(args: &[&[f64]], at: usize, low: f64, high: f64) -> Result<(), WrongValue> {
    ensure(args[at].iter().all(|&x| (low..=high).contains(&x)), at, || format!("from {low} to {high}"))
}

/// The argument's elements are all finite and at least that.
pub(super) fn finite_at_least(args: &[&[f64]], at: usize, least: f64) -> Result<(), WrongValue> {
    at_least(args, at, least)?;
    ensure(args[at].iter().all(|x| x.is_finite()), at, || "finite".to_owned())
}

/// The argument is a whole number, at least that.
pub(super) fn whole(args: &[&[f64]], at: usize, least: usize) -> Result<(), WrongValue> {
    let holds = args[at].iter().all(|&x| x.fract() == 0.0 && x >= least as f64);
    ensure(holds, at, || format!("a whole number, at least {least}"))
}

/// The argument is not zero throughout, and finite.
pub(super) fn not_zero(args: &[&[f64]], at: usize) -> Result<(), WrongValue> {
    ensure(args[at].iter().all(|x| x.is_finite()), at, || "finite".to_owned())?;
    ensure(args[at].iter().any(|&x| x != 0.0), at, || "other than 0: it is a direction".to_owned())
}

/// Fails with what the argument must be.
pub(super) fn ensure(holds: bool, at: usize, must: impl FnOnce() -> String) -> Result<(), WrongValue> {
    if holds { Ok(()) } else { Err(WrongValue { at, must: must() }) }
}

/// `value`, and NaN where `v` is: comparisons would hide it.
pub(super) fn keep_nan(b: &mut Builder, v: Value, value: Value) -> Value {
    let is_number = b.binary(Binary::Equal, v, v);
    b.select(is_number, value, v)
}

/// How far an element is outside the set that it is farthest from.
pub(super) fn farthest(b: &mut Builder, pieces: &[Piece], x: Value) -> Value {
    let distances = pieces.iter().map(|piece| {
        let x = if piece.transposed { b.transpose(x) } else { x };
        piece.set.lower(b, &[x], &Shape::scalar())
    });
    let distances: Vec<Value> = distances.collect();
    let farthest = distances.into_iter().reduce(|a, c| b.binary(Binary::Max, a, c));
    farthest.expect("an intersection has pieces")
}

/// `‖A x − b‖∞`
pub(super) fn off_equations(b: &mut Builder, args: &[Value]) -> Value {
    let product = b.matvec(args[1], args[0], false);
    let off = b.sub(product, args[2]);
    largest(b, off)
}

/// `‖v‖∞`
pub(super) fn largest(b: &mut Builder, v: Value) -> Value {
    let v = b.unary(Unary::Abs, v);
    let axes = (0..b.shape(v).rank()).collect();
    b.reduce(Reducer::Max, v, axes)
}

/// All elements one behind another.
pub(super) fn flat(b: &mut Builder, v: Value) -> Value {
    let n = b.shape(v).numel();
    b.reshape(v, [n])
}

/// A step of vectors, on all elements one behind another.
pub(super) fn on_vector(b: &mut Builder, v: Value, step: impl FnOnce(&mut Builder, Value) -> Value) -> Value {
    let shape = b.shape(v).clone();
    let x = flat(b, v);
    let x = step(b, x);
    b.reshape(x, shape)
}

/// A vector as a matrix of one row; a matrix as it is.
pub(super) fn as_rows(b: &mut Builder, v: Value) -> Value {
    match b.shape(v).rank() {
        2 => v,
        _ => {
            let n = b.shape(v).numel();
            b.reshape(v, [1, n])
        }
    }
}

/// A number a row, repeated along the row.
pub(super) fn along_rows(b: &mut Builder, row: Value, shape: &Shape) -> Value {
    let axes = (0..b.shape(row).rank()).collect();
    b.broadcast(row, axes, shape.clone())
}
