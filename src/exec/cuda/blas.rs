//! Products and triangular systems by cuBLAS. Its matrices lie by columns and the tape's by rows: a matrix by rows is its
//! transpose by columns, so `C = A·B` is asked for as `Cᵀ = Bᵀ·Aᵀ`.
//!
//! The epilogues of cuBLASLt are not used. They add a bias, take ReLU or GELU, and keep of these what their own
//! derivatives need; a network's tanh, sigmoid or leaky ReLU, with what the tape's derivatives need of it, takes the
//! sweep behind the product all the same, and that adds the bias on its one way over it. No launch would be saved.
#![allow(unsafe_code)]

use std::sync::Arc;

use cudarc::cublas::{result, sys};
use cudarc::driver::{CudaSlice, CudaStream};

use super::{Device, Refusal};
use crate::exec::plan::MatMul;
use crate::tape::Dtype;

/// A handle on a stream.
#[derive(Debug)]
pub(super) struct Blas {
    handle: sys::cublasHandle_t,
    /// What the handle works with until it is dropped.
    _stream: Arc<CudaStream>,
    _workspace: CudaSlice<u8>,
}

/// Bytes of cuBLAS's workspace, one a handle. It is ours so that products are captured in graphs, and repeat bit for bit.
const WORKSPACE: usize = 4 << 20;

/// Addresses of a product: of its operands and its result, and the bytes from a member to the next.
#[derive(Debug, Clone, Copy)]
pub(super) struct Addresses {
    pub a: (u64, usize),
    pub b: (u64, usize),
    pub to: (u64, usize),
}

impl Blas {
    /// A handle on one of a device's streams; cuBLAS must be there.
    pub fn new(device: &Device, stream: &Arc<CudaStream>) -> Result<Blas, Refusal> {
        let workspace = device.memory(WORKSPACE)?;
        let address = device.address(&workspace);
        let handle = result::create_handle().map_err(|error| failed("cublasCreate", error))?;
        let blas = Blas { handle, _stream: Arc::clone(stream), _workspace: workspace };
        // SAFETY: handle, stream and workspace are alive; cudarc's stream and cuBLAS's are one type under two
        // names.
        unsafe {
            let set = result::set_stream(handle, stream.cu_stream().cast());
            set.map_err(|error| failed("cublasSetStream", error))?;
            let set = sys::cublasSetWorkspace_v2(handle, address as *mut _, WORKSPACE).result();
            set.map_err(|error| failed("cublasSetWorkspace", error))?;
        }
        Ok(blas)
    }

    /// Enqueues a product of so many members.
    ///
    /// # Safety
    /// The addresses are of device memory that holds the product's operands and has room for its result,
    /// which overlaps neither, for every member.
    pub unsafe fn product(&self, it: &MatMul, at: Addresses, members: usize) -> Result<(), Refusal> {
        let (a_op, a_ld) = stored(it.a_strides, it.inner);
        let (b_op, b_ld) = stored(it.b_strides, it.columns);
        let [m, n, k] = [it.columns, it.rows, it.inner].map(|extent| extent as i32);
        let element = it.dtype.bytes();
        let stride = |(_, bytes): (u64, usize)| (bytes / element) as i64;
        let count = members as i32;
        macro_rules! gemm {
            ($gemm:ident, $type:ty) => {
                result::$gemm(
                    self.handle,
                    b_op,
                    a_op,
                    m,
                    n,
                    k,
                    &1.0,
                    at.b.0 as *const $type,
                    b_ld,
                    stride(at.b),
                    at.a.0 as *const $type,
                    a_ld,
                    stride(at.a),
                    &0.0,
                    at.to.0 as *mut $type,
                    m,
                    stride(at.to),
                    count,
                )
            };
        }
        // SAFETY: the caller's; factors lie on the host, which is the handle's mode from the start.
        let done = unsafe {
            match it.dtype {
                Dtype::F32 => gemm!(sgemm_strided_batched, f32),
                _ => gemm!(dgemm_strided_batched, f64),
            }
        };
        done.map_err(|error| failed("cublasGemmStridedBatched", error))
    }

    /// Enqueues that `x`, `n × columns` by rows, becomes the solution of `L Lᵀ x = x`; `L` lies by rows.
    ///
    /// # Safety
    /// The addresses are of device memory that holds both.
    pub unsafe fn solve(&self, dtype: Dtype, n: usize, columns: usize, factor: u64, x: u64) -> Result<(), Refusal> {
        use sys::{cublasDiagType_t as Diagonal, cublasFillMode_t as Fill, cublasSideMode_t as Side};
        // By columns the factor is U = Lᵀ. A vector stands to its right; a matrix is transposed by columns, and
        // stands to its left: xᵀ UᵀU = bᵀ.
        let (n, columns) = (n as i32, columns as i32);
        let transposed = [sys::cublasOperation_t::CUBLAS_OP_T, sys::cublasOperation_t::CUBLAS_OP_N];
        let (side, rows, of, stride, order) = if columns == 1 {
            (Side::CUBLAS_SIDE_LEFT, n, 1, n, transposed)
        } else {
            (Side::CUBLAS_SIDE_RIGHT, columns, n, columns, [transposed[1], transposed[0]])
        };
        macro_rules! trsm {
            ($trsm:ident, $type:ty, $operation:expr) => {
                sys::$trsm(
                    self.handle,
                    side,
                    Fill::CUBLAS_FILL_MODE_UPPER,
                    $operation,
                    Diagonal::CUBLAS_DIAG_NON_UNIT,
                    rows,
                    of,
                    &1.0,
                    factor as *const $type,
                    n,
                    x as *mut $type,
                    stride,
                )
            };
        }
        for operation in order {
            // SAFETY: the caller's; the factor 1 lies on the host, which is the handle's mode from the start.
            let done = unsafe {
                match dtype {
                    Dtype::F32 => trsm!(cublasStrsm_v2, f32, operation),
                    _ => trsm!(cublasDtrsm_v2, f64, operation),
                }
            };
            done.result().map_err(|error| failed("cublasTrsm", error))?;
        }
        Ok(())
    }
}

impl Drop for Blas {
    fn drop(&mut self) {
        // SAFETY: the handle is this value's alone. A failure leaves nothing to be done.
        let _ = unsafe { result::destroy_handle(self.handle) };
    }
}

/// How an operand is told to cuBLAS: whether it is transposed, and its leading dimension. Its strides are
/// of a row and of a column; `columns` is how many it has.
fn stored((row, column): (usize, usize), columns: usize) -> (sys::cublasOperation_t, i32) {
    if column == 1 && row >= columns {
        (sys::cublasOperation_t::CUBLAS_OP_N, row.max(1) as i32)
    } else {
        (sys::cublasOperation_t::CUBLAS_OP_T, column.max(1) as i32)
    }
}

fn failed(call: &'static str, error: result::CublasError) -> Refusal {
    Refusal::library(call, format!("{:?}", error.0))
}
