//! Matrix products, by the `gemm` crate.
//!
//! A large product is cut into panels of rows, or of columns where those are more; the cut depends on
//! the extents alone, so the bits do not depend on the number of threads. The crate packs panels of
//! its operands, and allocates for that.
#![allow(unsafe_code)]

use super::math::Real;
use super::memory::Memory;
use super::plan::{MatMul, Place};
use super::pool::Pool;

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
    let shared = rows * inner * columns >= SHARED;
    let by_rows = rows >= columns;
    let panel = if shared { PANEL } else { usize::MAX };
    let extent = if by_rows { rows } else { columns };
    pool.each(extent.div_ceil(panel), shared, |k, _| {
        let start = k * panel;
        let len = panel.min(extent - start);
        let (row, column) = if by_rows { (start, 0) } else { (0, start) };
        let (m, n) = if by_rows { (len, columns) } else { (rows, len) };
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
}
