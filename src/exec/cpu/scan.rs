//! What goes along the rows one element after the other: sorting and running sums.

use super::memory::Element;
use crate::tape::ops::{Running, order};

/// The elements of each row, ascending.
pub(super) fn sort<T: Element>(y: &mut [T], x: &[T], row: usize) {
    y.copy_from_slice(x);
    // What the order calls equal is the same bits, but for NaNs, of which one is like another.
    y.chunks_exact_mut(row.max(1)).for_each(|y| y.sort_unstable_by(|a, b| order(a.wide(), b.wide())));
}

/// Where each sorted element of a row stood.
pub(super) fn argsort<T: Element>(y: &mut [u32], x: &[T], row: usize) {
    for (y, x) in y.chunks_exact_mut(row.max(1)).zip(x.chunks_exact(row.max(1))) {
        (0..).zip(&mut *y).for_each(|(i, y)| *y = i);
        let element = |i: u32| x[i as usize].wide();
        y.sort_unstable_by(|&i, &j| order(element(i), element(j)).then(i.cmp(&j)));
    }
}

/// Running sums of each row.
pub(super) fn cumsum<T: Element>(y: &mut [T], x: &[T], row: usize, reverse: bool) {
    for (y, x) in y.chunks_exact_mut(row.max(1)).zip(x.chunks_exact(row.max(1))) {
        let mut sum = Running::default();
        let pairs = y.iter_mut().zip(x);
        if reverse {
            pairs.rev().for_each(|(y, x)| *y = T::of(sum.add(x.wide())));
        } else {
            pairs.for_each(|(y, x)| *y = T::of(sum.add(x.wide())));
        }
    }
}
