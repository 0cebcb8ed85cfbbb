//! Factors whose workspace is the plan's, so that a run allocates nothing: sparse ones, by faer in one
//! thread, and the dense Cholesky factor of [`dense`].
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

use faer::dyn_stack::{MemStack, StackReq};
use faer::traits::RealField;

use super::dense;
use super::math::Real;
use crate::linalg::Symbolic;
use crate::tape::Dtype;

/// Doubles that a dense Cholesky factor takes beside its result.
pub(super) fn dense_workspace(n: usize, dtype: Dtype) -> usize {
    doubles(match dtype {
        Dtype::F32 => dense::cholesky_request::<f32>(n),
        _ => dense::cholesky_request::<f64>(n),
    })
}

/// Doubles that a sparse factorisation and a solve of so many columns take beside their result.
pub(super) fn workspace(symbolic: &Symbolic, columns: usize, dtype: Dtype) -> usize {
    doubles(match dtype {
        Dtype::F32 => symbolic.request::<f32>(columns),
        _ => symbolic.request::<f64>(columns),
    })
}

fn doubles(request: StackReq) -> usize {
    request.unaligned_bytes_required().div_ceil(Dtype::F64.bytes())
}

/// The factor's numbers; NaN throughout where there is none.
pub(super) fn factor<T: Real + RealField>(symbolic: &Symbolic, y: &mut [T], values: &[T], work: &mut [f64]) {
    if !symbolic.factor(values, y, stack(work)) {
        y.fill(T::of(f64::NAN));
    }
}

/// Solves for the columns of `b`.
pub(super) fn solve<T: Real + RealField>(symbolic: &Symbolic, x: &mut [T], factor: &[T], b: &[T], work: &mut [f64]) {
    x.copy_from_slice(b);
    symbolic.solve(factor, x, x.len() / symbolic.n.max(1), stack(work));
}

/// A workspace as faer takes it.
pub(super) fn stack(work: &mut [f64]) -> &mut MemStack {
    let (start, bytes) = (work.as_mut_ptr().cast::<MaybeUninit<u8>>(), size_of_val(work));
    // SAFETY: the same memory, borrowed for as long. What is written there is read as doubles by nobody: a
    // workspace holds nothing between steps, and any bytes are doubles.
    MemStack::new(unsafe { std::slice::from_raw_parts_mut(start, bytes) })
}
