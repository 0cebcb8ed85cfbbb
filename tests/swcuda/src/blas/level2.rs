//! A matrix and a vector.

use super::operand::{Operand, is_transposed};
use super::real::{Real, add_scaled};
use super::{BLAS_INVALID_VALUE, BLAS_NOT_SUPPORTED, Library, Scalar, Status, enqueue, export, library_call, size};
use crate::driver::Handle;
use std::ffi::c_int;

/// `y = alpha op(A) x + beta y`, where A is m×n.
#[allow(clippy::too_many_arguments)]
fn gemv<T: Real>(
    name: &'static str,
    handle: Handle,
    operation: c_int,
    m: c_int,
    n: c_int,
    alpha: u64,
    a: u64,
    lda: c_int,
    x: u64,
    step_x: c_int,
    beta: u64,
    y: u64,
    step_y: c_int,
) -> Status {
    library_call(name, Library::Blas, handle, |s, h| {
        let transposed = is_transposed(operation).ok_or(BLAS_INVALID_VALUE)?;
        let (m, n, lda) = (size(m, h.library)?, size(n, h.library)?, size(lda, h.library)?);
        if lda < m.max(1) || step_x == 0 || step_y == 0 {
            return Err(BLAS_INVALID_VALUE);
        }
        let (Ok(step_x), Ok(step_y)) = (usize::try_from(step_x), usize::try_from(step_y)) else {
            return Err(BLAS_NOT_SUPPORTED);
        };
        let (alpha, beta) = (Scalar::<T>::given(h, alpha)?, Scalar::<T>::given(h, beta)?);
        let (length_x, length_y) = if transposed { (m, n) } else { (n, m) };
        let a = Operand::matrix(name, "A", a, (m, n), lda);
        let x = Operand::vector(name, "x", x, length_x, step_x);
        let y = Operand::vector(name, "y", y, length_y, step_y);
        enqueue(s, h, name, move |memory| {
            let (alpha, beta) = (alpha.value(memory, name)?, beta.value(memory, name)?);
            let zero = T::default();
            let mut sum = vec![zero; length_y];
            if alpha != zero {
                let (a, x): (Vec<T>, Vec<T>) = (a.read(memory)?, x.read(memory)?);
                for j in 0..n {
                    let column = &a[j * m..(j + 1) * m];
                    if transposed {
                        sum[j] = column.iter().zip(&x).fold(zero, |sum, (a, x)| a.fma(*x, sum));
                    } else {
                        add_scaled(&mut sum, x[j], column);
                    }
                }
            }
            let before: Vec<T> = if beta == zero { vec![zero; length_y] } else { y.read(memory)? };
            let out: Vec<T> = sum.iter().zip(&before).map(|(s, b)| alpha.fma(*s, beta * *b)).collect();
            y.write(memory, &out)
        })
    })
}

export!(gemv: cublasSgemv_v2, cublasDgemv_v2(
    handle: Handle, operation: c_int, m: c_int, n: c_int, alpha: u64, a: u64, lda: c_int, x: u64, step_x: c_int,
    beta: u64, y: u64, step_y: c_int
));
