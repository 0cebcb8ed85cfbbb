//! Rows matched with columns.

use super::memory::Element;
use crate::tape::ops::assignment::assign;

/// The permutation matrix that picks elements adding up to most; NaN throughout where one is not finite.
pub(super) fn assignment<T: Element>(y: &mut [T], a: &[T], n: usize, work: &mut [f64]) {
    if a.iter().any(|a| !a.wide().is_finite()) {
        y.fill(T::of(f64::NAN));
        return;
    }
    y.fill(T::of(0.0));
    for (row, &column) in y.chunks_exact_mut(n).zip(assign(n, |i, j| -a[i * n + j].wide(), work)) {
        row[column as usize] = T::of(1.0);
    }
}
