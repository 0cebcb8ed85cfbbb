//! The elementwise ops over a tile: loops that vectorise, compiled for each set of instructions.
//!
//! Loops are made by macros, not by closures: a closure may stay a call, and a loop around a call is
//! not vectorised.

use super::isa::versions;
use super::math::{self, Real};
use super::memory::Element;
use crate::tape::{Binary, Unary};

/// An operand of a tile.
#[derive(Clone, Copy)]
pub(super) enum Arg<'a, T> {
    Tile(&'a [T]),
    /// One number for all elements.
    Splat(T),
}

macro_rules! map {
    ($y:ident, $x:ident, $e:expr) => {
        for (y, &$x) in $y.iter_mut().zip($x) {
            *y = $e;
        }
    };
}

macro_rules! zip {
    ($y:ident, $a:ident, $b:ident, $e:expr) => {
        match ($a, $b) {
            (Arg::Tile(a), Arg::Tile(b)) => {
                for ((y, &$a), &$b) in $y.iter_mut().zip(a).zip(b) {
                    *y = $e;
                }
            }
            (Arg::Tile(a), Arg::Splat($b)) => {
                for (y, &$a) in $y.iter_mut().zip(a) {
                    *y = $e;
                }
            }
            (Arg::Splat($a), Arg::Tile(b)) => {
                for (y, &$b) in $y.iter_mut().zip(b) {
                    *y = $e;
                }
            }
            (Arg::Splat($a), Arg::Splat($b)) => $y.fill($e),
        }
    };
}

versions! {
    /// `y = f(x)`
    unary<T: Real>(f: Unary, y: &mut [T], x: &[T]), unary_body
}

versions! {
    /// `y = f(a, b)`
    binary<T: Real>(f: Binary, y: &mut [T], a: Arg<T>, b: Arg<T>), binary_body
}

versions! {
    /// `y = c ≠ 0 ? a : b`
    select<C: Element, T: Element>(y: &mut [T], c: &[C], a: Arg<T>, b: Arg<T>), select_body
}

versions! {
    /// Conversion.
    cast<A: Element, B: Element>(y: &mut [B], x: &[A]), cast_body
}

#[inline(always)]
fn unary_body<T: Real>(f: Unary, y: &mut [T], x: &[T]) {
    let (zero, one) = (T::ZERO, T::ONE);
    match f {
        Unary::Neg => map!(y, x, -x),
        Unary::Abs => map!(y, x, x.abs()),
        Unary::Sign => map!(y, x, {
            let sign = if x < zero { -one } else { x + zero };
            if x > zero { one } else { sign }
        }),
        Unary::Square => map!(y, x, x * x),
        Unary::Sqrt => map!(y, x, x.sqrt()),
        Unary::Recip => map!(y, x, one / x),
        Unary::Exp => map!(y, x, math::exp(x)),
        Unary::Expm1 => map!(y, x, math::expm1(x)),
        Unary::Log => map!(y, x, math::log(x)),
        Unary::Log1p => map!(y, x, math::log1p(x)),
        Unary::Tanh => map!(y, x, math::tanh(x)),
        Unary::Sigmoid => map!(y, x, math::sigmoid(x)),
        Unary::Softplus => map!(y, x, math::softplus(x)),
        Unary::Relu => map!(y, x, if x <= zero { zero } else { x }),
        Unary::Step => map!(y, x, if x > zero { one } else { zero }),
        Unary::Floor => map!(y, x, x.floor()),
        Unary::IsFinite => map!(y, x, if x.is_finite() { one } else { zero }),
        Unary::Hold => map!(y, x, x),
        Unary::Sin | Unary::Cos | Unary::Erf => {
            let f = f.function().eval;
            map!(y, x, T::of(f(x.wide())));
        }
    }
}

#[inline(always)]
fn binary_body<T: Real>(f: Binary, y: &mut [T], a: Arg<T>, b: Arg<T>) {
    let (zero, one) = (T::ZERO, T::ONE);
    match f {
        Binary::Add => zip!(y, a, b, a + b),
        Binary::Sub => zip!(y, a, b, a - b),
        Binary::Mul => zip!(y, a, b, a * b),
        Binary::Div => zip!(y, a, b, a / b),
        // A NaN is not equal to itself, so the first operand stays where it is one. Without a branch:
        // one here would keep the loop from being vectorised.
        #[allow(clippy::eq_op)]
        Binary::Max => zip!(y, a, b, if (a >= b) | (a != a) { a } else { b }),
        #[allow(clippy::eq_op)]
        Binary::Min => zip!(y, a, b, if (a <= b) | (a != a) { a } else { b }),
        Binary::Less => zip!(y, a, b, if a < b { one } else { zero }),
        Binary::LessEqual => zip!(y, a, b, if a <= b { one } else { zero }),
        Binary::Equal => zip!(y, a, b, if a == b { one } else { zero }),
        Binary::Pow => {
            let f = f.function().eval;
            zip!(y, a, b, T::of(f(a.wide(), b.wide())));
        }
    }
}

/// `y = f(a, b)` of indices.
pub(super) fn binary_index(f: Binary, y: &mut [u32], a: Arg<u32>, b: Arg<u32>) {
    let f = f.function().eval_index.expect("the verifier admits functions of indices only");
    zip!(y, a, b, f(a, b));
}

#[inline(always)]
fn select_body<C: Element, T: Element>(y: &mut [T], c: &[C], a: Arg<T>, b: Arg<T>) {
    let zero = C::default();
    match (a, b) {
        (Arg::Tile(a), Arg::Tile(b)) => {
            for (((y, &c), &a), &b) in y.iter_mut().zip(c).zip(a).zip(b) {
                *y = if c != zero { a } else { b };
            }
        }
        (Arg::Tile(a), Arg::Splat(b)) => {
            for ((y, &c), &a) in y.iter_mut().zip(c).zip(a) {
                *y = if c != zero { a } else { b };
            }
        }
        (Arg::Splat(a), Arg::Tile(b)) => {
            for ((y, &c), &b) in y.iter_mut().zip(c).zip(b) {
                *y = if c != zero { a } else { b };
            }
        }
        (Arg::Splat(a), Arg::Splat(b)) => {
            for (y, &c) in y.iter_mut().zip(c) {
                *y = if c != zero { a } else { b };
            }
        }
    }
}

#[inline(always)]
fn cast_body<A: Element, B: Element>(y: &mut [B], x: &[A]) {
    // Through a double, which holds every element of every dtype: one rounding.
    map!(y, x, B::of(x.wide()));
}
