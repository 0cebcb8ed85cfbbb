//! Products of a sparse matrix by compressed rows with a vector, or with the columns of a matrix.
//!
//! Rows of the product are shared among threads; the transposed product scatters and takes one.

use super::math::Real;
use super::pool::Pool;

/// Multiplications from which threads pay.
const SHARED: usize = 1 << 18;

/// Rows that a thread takes at a time.
const ROWS: usize = 256;

/// A matrix by compressed rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Csr<'a, T> {
    pub starts: &'a [u32],
    pub columns: &'a [u32],
    pub values: &'a [T],
}

impl<T: Real> Csr<'_, T> {
    /// Entries `(column, value)` of a row.
    fn row(&self, row: usize) -> impl Iterator<Item = (usize, T)> {
        let range = self.starts[row] as usize..self.starts[row + 1] as usize;
        self.columns[range.clone()].iter().map(|&column| column as usize).zip(self.values[range].iter().copied())
    }

    /// `y = M x`
    pub fn multiply(&self, y: &mut [T], x: &[T], pool: &Pool) {
        let rows = self.starts.len() - 1;
        let width = y.len() / rows.max(1);
        if width == 0 {
            return;
        }
        let shared = self.values.len() * width >= SHARED;
        pool.each_chunk(y, ROWS * width, shared, |start, y| {
            for (row, y) in (start / width..).zip(y.chunks_exact_mut(width)) {
                if width == 1 {
                    y[0] = self.row(row).fold(T::ZERO, |sum, (column, value)| sum + value * x[column]);
                    continue;
                }
                y.fill(T::ZERO);
                for (column, value) in self.row(row) {
                    y.iter_mut().zip(&x[column * width..]).for_each(|(y, &x)| *y = *y + value * x);
                }
            }
        });
    }

    /// `y = Mᵀ x`
    pub fn multiply_transposed(&self, y: &mut [T], x: &[T]) {
        let rows = self.starts.len() - 1;
        let width = x.len() / rows.max(1);
        y.fill(T::ZERO);
        for row in 0..rows {
            let x = &x[row * width..][..width];
            for (column, value) in self.row(row) {
                y[column * width..].iter_mut().zip(x).for_each(|(y, &x)| *y = *y + value * x);
            }
        }
    }
}
