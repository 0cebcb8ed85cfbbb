//! Linear operators, made of slices, sums and products, so that what they are applied to stays affine.

pub mod col_sums;
pub mod conv;
pub mod conv_periodic;
pub mod cumsum;
pub mod diag;
pub mod diff;
pub mod grad2d;
pub mod grad2d_periodic;
pub mod kron;
pub mod row_sums;
pub mod trace;
pub mod vec;

use crate::tape::ops::Range;
use crate::tape::{Builder, Value};

/// Positions `start .. start + len` along an axis.
pub fn part(b: &mut Builder, x: Value, axis: usize, start: usize, len: usize) -> Value {
    let extents = b.shape(x).0.clone();
    let ranges = extents.iter().enumerate().map(|(at, &extent)| match at == axis {
        true => Range { start, len, step: 1 },
        false => Range { start: 0, len: extent, step: 1 },
    });
    let ranges = ranges.collect();
    b.slice(x, ranges)
}

/// `x` turned by so many positions along an axis: what stood at `by` stands first.
pub fn turned(b: &mut Builder, x: Value, axis: usize, by: usize) -> Value {
    let n = b.shape(x).0[axis];
    let by = by % n.max(1);
    if by == 0 {
        return x;
    }
    let (front, back) = (part(b, x, axis, by, n - by), part(b, x, axis, 0, by));
    b.concat(vec![front, back], axis)
}
