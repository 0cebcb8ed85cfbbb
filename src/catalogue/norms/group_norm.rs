//! `group_norm(x, starts) = Σ_g ‖x_g‖₂` over groups of neighbouring elements of a vector: group `g` begins
//! at the position `starts_g`, counted from 1 as everywhere, and ends where the next begins. A start past
//! the end begins no group, equal starts an empty one, and elements before the first start belong to none.
//! No derivative where a group is 0. Its step shrinks every group:
//!
//! ```text
//! prox_{tφ}(v)_g = max(1 − t/‖v_g‖₂, 0) v_g
//! ```
//!
//! Yuan & Lin, Model selection and estimation in regression with grouped variables (2006). A start below 1 is
//! refused, or where it is not known makes all of it NaN.

use crate::catalogue::member::{Form, Member, WrongArguments};
use crate::catalogue::prox::Prox;
use crate::catalogue::set::whole;
use crate::catalogue::{shapes, shrink};
use crate::tape::ops::{Binary, Reducer, Unary};
use crate::tape::{Builder, Dtype, Op, Shape, Type, Value};

pub const MEMBER: Member = Member::total(
    "group_norm(x, starts)",
    "sum of the Euclidean lengths of groups of neighbours, which begin at these positions",
    |b, args| {
        let groups = Groups::new(b, args[0], args[1]);
        let lengths = groups.lengths(b, args[0]);
        let counted = b.segment(lengths, 1, groups.count);
        b.sum(counted)
    },
)
.shape(shape)
.form(Form::Template("Σ_g ‖({0})_g‖₂"))
.aliases(&["norm_12"])
.kinked()
.prox(Prox::convex(|b, v, t, args| {
    let groups = Groups::new(b, v, args[1]);
    groups.step(b, v, t)
}))
.values(|_, args| whole(args, 1, 1));

pub fn shape(args: &[Shape]) -> Result<Shape, WrongArguments> {
    shapes::rank(args, 0, 1..=1, "a vector")?;
    shapes::rank(args, 1, 1..=1, "a vector of first positions")?;
    Ok(Shape::scalar())
}

/// Which group each element of a vector belongs to.
pub struct Groups {
    /// By element, from 1; 0 is no group.
    of: Value,
    /// How many there are.
    pub count: usize,
}

impl Groups {
    /// The groups of a vector like `x` that begin at these positions.
    pub fn new(b: &mut Builder, x: Value, starts: Value) -> Groups {
        let (n, count, dtype) = (b.shape(x).numel(), b.shape(starts).numel(), b.dtype(x));
        let starts = b.cast(starts, dtype);
        let first = b.offset(starts, -1.0);
        // Positions past the end mark nothing; one below 0 would mark the first.
        let place = b.cast(first, Dtype::Index);
        let ones = b.constant_like(1.0, starts);
        let zero = b.constant_like(0.0, starts);
        let regular = b.binary(Binary::LessEqual, zero, first);
        let nan = b.constant_like(f64::NAN, starts);
        let marks = b.select(regular, ones, nan);
        let begun = b.push(Op::ScatterAdd, vec![place, marks], Type::new(dtype, [n]));
        let of = b.cumsum(begun);
        Groups { of, count }
    }

    /// The length of each, that of no group first.
    pub fn lengths(&self, b: &mut Builder, x: Value) -> Value {
        let square = b.unary(Unary::Square, x);
        let index = b.cast(self.of, Dtype::Index);
        let ty = Type::new(b.dtype(x), [self.count + 1]);
        let sums = b.push(Op::ScatterAdd, vec![index, square], ty);
        // The slope of a length of 0 is 0, not ∞ · 0.
        let one = b.constant_like(1.0, sums);
        let positive = b.select(sums, sums, one);
        let root = b.unary(Unary::Sqrt, positive);
        let lengths = b.select(sums, root, sums);
        // An irregular start is a NaN in the sum of all marks.
        let all = b.reduce(Reducer::Max, self.of, vec![0]);
        let zero = b.constant_like(0.0, all);
        let spoilt = b.mul(all, zero);
        b.add(lengths, spoilt)
    }

    /// `max(1 − t/‖v_g‖, 0) v_g`
    pub fn step(&self, b: &mut Builder, v: Value, t: Value) -> Value {
        let lengths = self.lengths(b, v);
        let factors = shrink::factor(b, lengths, t);
        let counted = b.segment(factors, 1, self.count);
        let one = b.constant(1.0, b.dtype(v));
        let one = b.reshape(one, [1]);
        let factors = b.concat(vec![one, counted], 0);
        let index = b.cast(self.of, Dtype::Index);
        let factor = b.gather(factors, index);
        b.mul(factor, v)
    }
}
