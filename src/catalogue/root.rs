//! The root of a function of one number that is below 0 on its left and above 0 on its right, in every
//! element: Newton's method kept in a bracket.
//!
//! A Newton step is taken where it stays in the bracket and `│F│` has fallen to a quarter; else the bracket
//! is halved. Of an exponential far from its root, `│F│` falls by `1/e` a step, however far that is (Press
//! et al., Numerical Recipes, §9.4, has the plain variant).

use crate::tape::ops::{Binary, Unary};
use crate::tape::{Builder, Value};

/// Turns after which a lane stops. A bracket from 0 to `4/EPS`, the widest that is asked for, is halved to
/// EPS in 106; a turn that does not halve it has `│F│` fall to a quarter.
const TURNS: usize = 128;

/// The root between `lower` and `upper`, as good as the argument of an exponential has to be: to EPS where it
/// is below 1. `function` adds the instructions of `F` and `F′` at a number,
/// given the constants' numbers there. Where the ends are equal that is the root.
pub(super) fn root(
    b: &mut Builder,
    [lower, start, upper]: [Value; 3],
    constants: &[Value],
    function: impl FnOnce(&mut Builder, Value, &[Value]) -> (Value, Value),
) -> Value {
    let before = b.constant_like(f64::INFINITY, start);
    let (dtype, eps) = (b.dtype(start), b.dtype(start).eps());
    b.iterate_lanes("root", &[start, lower, upper, before], constants, TURNS, |b, state, constants| {
        let &[x, lower, upper, before] = state else { unreachable!("four values are carried") };
        let (f, slope) = function(b, x, constants);
        let size = b.unary(Unary::Abs, f);
        let zero = b.constant(0.0, dtype);
        let right = b.binary(Binary::Less, zero, f);
        let (lower, upper) = (b.select(right, lower, x), b.select(right, x, upper));

        let step = b.div(f, slope);
        let newton = b.sub(x, step);
        let (from, to) = (b.binary(Binary::LessEqual, lower, newton), b.binary(Binary::LessEqual, newton, upper));
        let quarter = b.scale(0.25, before);
        let fast = b.binary(Binary::LessEqual, size, quarter);
        let inside = b.mul(from, to);
        let taken = b.mul(inside, fast);
        let width = b.sub(upper, lower);
        let half = b.scale(0.5, width);
        let middle = b.add(lower, half);
        let next = b.select(taken, newton, middle);

        let scale = b.unary(Unary::Abs, x);
        let one = b.constant(1.0, dtype);
        let scale = b.binary(Binary::Max, scale, one);
        let unit = b.scale(2.0 * eps, scale);
        let closed = b.binary(Binary::LessEqual, width, unit);
        let moved = b.unary(Unary::Abs, step);
        let settled = b.binary(Binary::LessEqual, moved, unit);
        let settled = b.mul(settled, inside);
        // A step that is settled is taken.
        let next = b.select(settled, newton, next);
        let done = b.binary(Binary::Max, closed, settled);
        (vec![next, lower, upper, size], done)
    })
}
