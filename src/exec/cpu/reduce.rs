//! Reductions: sums by the tape's fixed [tree](crate::tape::tree), over rows (elements that lie
//! together) and over columns (a strip of them at a time), both vectorised.

use std::ops::Add;

use super::isa::versions;
use super::math::{self, Real};
use crate::tape::ops::Reducer;
use crate::tape::tree::{self, BLOCK, Carry, LANES};

/// Columns that are reduced together.
const STRIP: usize = 64;

versions! {
    /// Combines elements that lie together.
    row<T: Real>(reducer: Reducer, x: &[T]) -> T, row_body
}

versions! {
    /// `y[i]` combines `x[r·inner + first + i]` over the rows `r` of `x`.
    columns<T: Real>(reducer: Reducer, y: &mut [T], x: &[T], inner: usize, first: usize), columns_body
}

/// The parts of a fold, each a node of equally many blocks but for the last.
pub(super) fn finish<T: Real>(reducer: Reducer, parts: &[T]) -> T {
    match reducer {
        Reducer::Sum => {
            let mut carry = Carry::default();
            parts.iter().for_each(|&part| carry.push(part));
            carry.finish()
        }
        reducer => row_body(reducer, parts),
    }
}

/// Element `r` of the reduction is `x(r)`, `r < n`.
pub(super) fn scattered<T: Real>(reducer: Reducer, n: usize, x: impl Fn(usize) -> T) -> T {
    let most = extreme(reducer, n, &x);
    match reducer {
        Reducer::Max | Reducer::Min => most,
        _ if !needs_terms(reducer, most) => most,
        reducer => close(reducer, most, tree::sum(n, |r| term(reducer, x(r), most))),
    }
}

/// Elements of a row that is too short for lanes: what the tree adds beside them is +0.
const FEW: usize = 8;

#[inline(always)]
fn few<T: Real>(reducer: Reducer, x: &[T]) -> T {
    let most = extreme(reducer, x.len(), &|r| x[r]);
    if !needs_terms(reducer, most) {
        return most;
    }
    let mut lanes = [T::ZERO; FEW];
    for (lane, &x) in lanes.iter_mut().zip(x) {
        *lane = *lane + term(reducer, x, most);
    }
    let mut half = FEW / 2;
    while half > 0 {
        for l in 0..half {
            lanes[l] = lanes[l] + lanes[l + half];
        }
        half /= 2;
    }
    close(reducer, most, lanes[0])
}

#[inline(always)]
fn row_body<T: Real>(reducer: Reducer, x: &[T]) -> T {
    if x.len() <= FEW {
        return few(reducer, x);
    }
    let most = match reducer {
        Reducer::Sum => T::ZERO,
        Reducer::Max | Reducer::LogSumExp => lanes_extreme::<T, true, false>(x),
        Reducer::Min => lanes_extreme::<T, false, false>(x),
        Reducer::Norm2 => lanes_extreme::<T, true, true>(x),
    };
    if !needs_terms(reducer, most) {
        return most;
    }
    let mut buffer = [T::ZERO; BLOCK];
    let mut block = |x: &[T]| match reducer {
        Reducer::Sum => block_sum(x),
        reducer => {
            let terms = &mut buffer[..x.len()];
            terms_of(reducer, terms, x, most);
            block_sum(terms)
        }
    };
    let sum = if x.len() <= BLOCK {
        block(x)
    } else {
        let mut carry = Carry::default();
        x.chunks(BLOCK).for_each(|x| carry.push(block(x)));
        carry.finish()
    };
    close(reducer, most, sum)
}

#[inline(always)]
fn terms_of<T: Real>(reducer: Reducer, terms: &mut [T], x: &[T], most: T) {
    if reducer == Reducer::LogSumExp {
        for (term, &x) in terms.iter_mut().zip(x) {
            *term = math::exp(x - most);
        }
    } else {
        for (term, &x) in terms.iter_mut().zip(x) {
            *term = (x / most) * (x / most);
        }
    }
}

#[inline(always)]
fn block_sum<T: Real>(x: &[T]) -> T {
    let mut lanes = [T::ZERO; LANES];
    let (rows, rest) = x.as_chunks::<LANES>();
    for row in rows {
        for (lane, &x) in lanes.iter_mut().zip(row) {
            *lane = *lane + x;
        }
    }
    for (lane, &x) in lanes.iter_mut().zip(rest) {
        *lane = *lane + x;
    }
    tree::fold(lanes)
}

/// The greater (or lesser) of two, NaN if either is; `b`'s magnitude where `MAGNITUDE`.
#[inline(always)]
#[allow(clippy::eq_op)] // a NaN is not equal to itself
fn pick<T: Real, const MAX: bool, const MAGNITUDE: bool>(a: T, b: T) -> T {
    let b = if MAGNITUDE { b.abs() } else { b };
    let keep = if MAX { a >= b } else { a <= b };
    if keep | (a != a) { a } else { b }
}

fn start<T: Real>(reducer: Reducer) -> T {
    match reducer {
        Reducer::Sum | Reducer::Norm2 => T::ZERO,
        Reducer::Max | Reducer::LogSumExp => T::of(f64::NEG_INFINITY),
        Reducer::Min => T::of(f64::INFINITY),
    }
}

#[inline(always)]
fn lanes_extreme<T: Real, const MAX: bool, const MAGNITUDE: bool>(x: &[T]) -> T {
    let start = if MAGNITUDE { T::ZERO } else { T::of(if MAX { f64::NEG_INFINITY } else { f64::INFINITY }) };
    let mut lanes = [start; LANES];
    let (rows, rest) = x.as_chunks::<LANES>();
    for row in rows {
        for (lane, &x) in lanes.iter_mut().zip(row) {
            *lane = pick::<T, MAX, MAGNITUDE>(*lane, x);
        }
    }
    for (lane, &x) in lanes.iter_mut().zip(rest) {
        *lane = pick::<T, MAX, MAGNITUDE>(*lane, x);
    }
    lanes.into_iter().fold(start, pick::<T, MAX, MAGNITUDE>)
}

fn extreme<T: Real>(reducer: Reducer, n: usize, x: &impl Fn(usize) -> T) -> T {
    let start = start::<T>(reducer);
    match reducer {
        Reducer::Sum => start,
        Reducer::Max | Reducer::LogSumExp => (0..n).fold(start, |most, r| pick::<T, true, false>(most, x(r))),
        Reducer::Min => (0..n).fold(start, |most, r| pick::<T, false, false>(most, x(r))),
        Reducer::Norm2 => (0..n).fold(start, |most, r| pick::<T, true, true>(most, x(r))),
    }
}

/// Whether the result is more than the extreme.
#[inline(always)]
fn needs_terms<T: Real>(reducer: Reducer, most: T) -> bool {
    match reducer {
        Reducer::Sum => true,
        Reducer::Max | Reducer::Min => false,
        Reducer::LogSumExp => most.is_finite(),
        Reducer::Norm2 => most.is_finite() && most > T::ZERO,
    }
}

#[inline(always)]
fn term<T: Real>(reducer: Reducer, x: T, most: T) -> T {
    match reducer {
        Reducer::LogSumExp => math::exp(x - most),
        Reducer::Norm2 => (x / most) * (x / most),
        _ => x,
    }
}

#[inline(always)]
fn close<T: Real>(reducer: Reducer, most: T, sum: T) -> T {
    match reducer {
        Reducer::LogSumExp => most + math::log(sum),
        Reducer::Norm2 => most * sum.sqrt(),
        _ => sum,
    }
}

/// A number for each column of a strip.
#[derive(Clone, Copy)]
struct Strip<T>([T; STRIP]);

impl<T: Real> Default for Strip<T> {
    fn default() -> Strip<T> {
        Strip([T::ZERO; STRIP])
    }
}

impl<T: Real> Add for Strip<T> {
    type Output = Strip<T>;

    #[inline(always)]
    fn add(mut self, other: Strip<T>) -> Strip<T> {
        for (a, b) in self.0.iter_mut().zip(other.0) {
            *a = *a + b;
        }
        self
    }
}

#[inline(always)]
fn columns_body<T: Real>(reducer: Reducer, y: &mut [T], x: &[T], inner: usize, first: usize) {
    for (k, y) in y.chunks_mut(STRIP).enumerate() {
        let first = first + k * STRIP;
        if y.len() == STRIP {
            strip_body(reducer, y, x, inner, |row| {
                Strip(row[first..first + STRIP].try_into().expect("a strip of a row is a strip"))
            });
        } else {
            let width = y.len();
            strip_body(reducer, y, x, inner, |row| {
                let mut strip = Strip::default();
                strip.0[..width].copy_from_slice(&row[first..first + width]);
                strip
            });
        }
    }
}

/// A strip's columns; `strip` takes its part of a row.
#[inline(always)]
fn strip_body<T: Real>(reducer: Reducer, y: &mut [T], x: &[T], inner: usize, strip: impl Fn(&[T]) -> Strip<T>) {
    let mut most = Strip([start::<T>(reducer); STRIP]);
    if reducer != Reducer::Sum {
        for x in x.chunks_exact(inner) {
            widen(reducer, &mut most, strip(x));
        }
    }
    let mut sum = Strip::default();
    if !matches!(reducer, Reducer::Max | Reducer::Min) {
        let block = |x: &[T]| {
            let mut lanes = [Strip::default(); LANES];
            for rows in x.chunks(LANES * inner) {
                for (lane, x) in lanes.iter_mut().zip(rows.chunks_exact(inner)) {
                    let mut terms = strip(x);
                    if reducer != Reducer::Sum {
                        for (x, most) in terms.0.iter_mut().zip(most.0) {
                            *x = term(reducer, *x, most);
                        }
                    }
                    *lane = *lane + terms;
                }
            }
            tree::fold(lanes)
        };
        sum = if x.len() <= BLOCK * inner {
            block(x)
        } else {
            let mut carry = Carry::default();
            x.chunks(BLOCK * inner).for_each(|x| carry.push(block(x)));
            carry.finish()
        };
    }
    for ((y, most), sum) in y.iter_mut().zip(most.0).zip(sum.0) {
        *y = if needs_terms(reducer, most) { close(reducer, most, sum) } else { most };
    }
}

#[inline(always)]
fn widen<T: Real>(reducer: Reducer, most: &mut Strip<T>, x: Strip<T>) {
    for (most, x) in most.0.iter_mut().zip(x.0) {
        *most = match reducer {
            Reducer::Min => pick::<T, false, false>(*most, x),
            Reducer::Norm2 => pick::<T, true, true>(*most, x),
            _ => pick::<T, true, false>(*most, x),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::super::isa::Isa;
    use super::*;

    const ALL: [Reducer; 5] = [Reducer::Sum, Reducer::Max, Reducer::Min, Reducer::LogSumExp, Reducer::Norm2];

    fn numbers(n: usize) -> Vec<f32> {
        (0..n).map(|i| ((i * 37 + 11) % 101) as f32 / 7.0 - 5.0).collect()
    }

    #[test]
    fn rows_columns_and_scattered_take_the_same_tree() {
        for isa in Isa::all() {
            for reducer in ALL {
                for (reduced, inner) in
                    [(1, 1), (2, 5), (7, 3), (8, 2), (9, 2), (64, 33), (256, 1), (300, 64), (1500, 5), (0, 4)]
                {
                    let x = numbers(reduced * inner);
                    let mut y = vec![0.0; inner];
                    columns(isa, reducer, &mut y, &x, inner, 0);
                    for i in 0..inner {
                        let column: Vec<f32> = (0..reduced).map(|r| x[r * inner + i]).collect();
                        let by_row = row(isa, reducer, &column);
                        let by_index = scattered(reducer, reduced, |r| column[r]);
                        assert_eq!(y[i].to_bits(), by_row.to_bits(), "{reducer:?} {reduced}×{inner} column {i}");
                        assert_eq!(y[i].to_bits(), by_index.to_bits(), "{reducer:?} {reduced}×{inner} column {i}");
                    }
                }
            }
        }
    }

    #[test]
    fn parts_are_nodes() {
        let x = numbers(5000);
        let parts: Vec<f32> = x.chunks(4 * BLOCK).map(|x| row(Isa::Base, Reducer::Sum, x)).collect();
        let whole = row(Isa::Base, Reducer::Sum, &x);
        assert_eq!(finish(Reducer::Sum, &parts).to_bits(), whole.to_bits());
        assert_eq!(whole, tree::sum(x.len(), |i| x[i]));
    }

    #[test]
    fn special_values() {
        for reducer in ALL {
            for n in [1, 40] {
                let mut x = vec![1.0f64; n];
                x[n - 1] = f64::NAN;
                assert!(row(Isa::detect(), reducer, &x).is_nan(), "{reducer:?}");
            }
        }
        let inf = f64::INFINITY;
        for (reducer, empty) in ALL.into_iter().zip([0.0, -inf, inf, -inf, 0.0]) {
            assert_eq!(row::<f64>(Isa::detect(), reducer, &[]), empty);
        }
        assert_eq!(row(Isa::detect(), Reducer::LogSumExp, &[-inf, -inf]), -inf);
        assert_eq!(row(Isa::detect(), Reducer::Norm2, &[1e200, 1e200]), 2f64.sqrt() * 1e200);
    }
}
