//! Matrix products, by the `gemm` crate.
//!
//! A large product is cut into panels of rows, or of columns where those are more; the cut depends on
//! the extents alone, so the bits do not depend on the number of threads. The crate packs panels of
//! its operands, and allocates for that. Of a large `XᵀX` the panels stop at the diagonal, and what is
//! above is copied from below.
#![allow(unsafe_code)]

use super::math::Real;
use super::memory::Memory;
use super::pool::Pool;
use crate::exec::plan::{MatMul, Place};

/// Multiplications below which one thread takes it all: about 40 µs.
const SHARED: usize = 1 << 21;

/// Rows or columns of a panel. The other operand is packed again for each: at 1000 doubles that costs
/// 4 % (128 would cost 10 %).
const PANEL: usize = 256;

/// Runs a product.
///
/// SAFETY (of the callers): the product is a step of the plan that the memory was made for.
pub(super) unsafe fn run<T: Real>(product: &MatMul, memory: Memory, pool: &Pool) {
    let MatMul { rows, inner, columns, .. } = *product;
    let shared = shared_size(product);
    let by_rows = rows >= columns;
    let half = product.is_square_of_one() && shared_size(product);
    let panel = if shared { PANEL } else { usize::MAX };
    let extent = if by_rows { rows } else { columns };
    pool.each(extent.div_ceil(panel), shared, |k, _| {
        let start = k * panel;
        let len = panel.min(extent - start);
        let (row, column) = if by_rows { (start, 0) } else { (0, start) };
        let (m, n) = match (half, by_rows) {
            (true, _) => (len, start + len),
            (_, true) => (len, columns),
            (_, false) => (rows, len),
        };
        let at = |place: Place, offset: usize| Place { at: place.at + offset, ..place };
        // SAFETY: the panels are disjoint parts of the result, which overlaps no operand; extents and
        // strides are those of the operands' arrays (`MatMul` is made from their types).
        unsafe {
            gemm::gemm(
                m,
                n,
                inner,
                memory.pointer::<T>(at(product.to, row * columns + column)),
                1,
                columns as isize,
                false,
                memory.pointer::<T>(at(product.a, row * product.a_strides.0)),
                product.a_strides.1 as isize,
                product.a_strides.0 as isize,
                memory.pointer::<T>(at(product.b, column * product.b_strides.1)),
                product.b_strides.1 as isize,
                product.b_strides.0 as isize,
                T::ZERO,
                T::ONE,
                false,
                false,
                false,
                gemm::Parallelism::None,
            );
        }
    });
    if half {
        // SAFETY: the panels are through, and the result overlaps no operand.
        let to = unsafe { memory.write::<T>(product.to, rows * columns) };
        mirror(to, rows);
    }
}

fn shared_size(product: &MatMul) -> bool {
    product.rows * product.inner * product.columns >= SHARED
}

/// Copies the lower triangle to the upper, by blocks that a cache holds.
fn mirror<T: Real>(x: &mut [T], n: usize) {
    const BLOCK: usize = 32;
    for top in (0..n).step_by(BLOCK) {
        for left in (0..=top).step_by(BLOCK) {
            for i in top..n.min(top + BLOCK) {
                (left..i.min(left + BLOCK)).for_each(|j| x[j * n + i] = x[i * n + j]);
            }
        }
    }
}

impl MatMul {
    /// Whether it is `XᵀX` or `XXᵀ`, which is symmetric; a slice of `X` by the whole is neither.
    fn is_square_of_one(&self) -> bool {
        let (row, column) = self.b_strides;
        self.rows == self.columns && self.a == self.b && self.a_strides == (column, row)
    }
}
