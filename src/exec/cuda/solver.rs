//! Factors and spectra by cuSOLVER.
#![allow(unsafe_code)]

use std::ffi::c_int;
use std::ptr::null_mut;
use std::sync::Arc;

use cudarc::cusolver::{result, sys};
use cudarc::driver::{CudaSlice, CudaStream};

use super::source::Routine;
use super::{Device, Refusal};
use crate::exec::plan::Array;
use crate::tape::Dtype;

/// The triangle that is the lower one of a matrix by rows.
const TRIANGLE: sys::cublasFillMode_t = sys::cublasFillMode_t::CUBLAS_FILL_MODE_UPPER;

/// All left vectors that there are values for: `S` of LAPACK.
const THIN: i8 = b'S' as i8;

/// A handle on a stream, with the memory that its routines work in.
#[derive(Debug)]
pub(super) struct Solver {
    handle: sys::cusolverDnHandle_t,
    /// What the handle works with until it is dropped.
    _stream: Arc<CudaStream>,
    /// Shared by all routines: the stream runs one at a time.
    workspace: CudaSlice<u8>,
    bytes: usize,
}

/// A routine of cuSOLVER by the type of its numbers.
macro_rules! by_type {
    ($dtype:expr, $single:ident, $double:ident, ($($argument:expr),* $(,)?)) => {
        match $dtype {
            Dtype::F32 => sys::$single($($argument as _),*),
            _ => sys::$double($($argument as _),*),
        }
    };
}

impl Solver {
    /// A handle on a device's stream; cuSOLVER must be there.
    pub fn new(device: &Device) -> Result<Solver, Refusal> {
        let workspace = device.memory(0)?;
        let handle = result::dn_create().map_err(|error| failed("cusolverDnCreate", error))?;
        let stream = Arc::clone(device.stream());
        let solver = Solver { handle, _stream: stream, workspace, bytes: 0 };
        // SAFETY: handle and stream are alive; cudarc's stream and cuSOLVER's are one type under two names.
        let set = unsafe { result::dn_set_stream(handle, device.stream().cu_stream().cast()) };
        set.map_err(|error| failed("cusolverDnSetStream", error))?;
        Ok(solver)
    }

    /// Takes the memory that a routine works in; `address` says where its arrays lie.
    pub fn prepare(
        &mut self,
        device: &Device,
        routine: &Routine,
        address: impl Fn(&Array) -> u64,
    ) -> Result<(), Refusal> {
        let (asked, dtype) = self.ask(routine, address)?;
        let needed = usize::try_from(asked).unwrap_or(0) * dtype.bytes();
        if needed > self.bytes {
            (self.workspace, self.bytes) = (device.memory(needed)?, needed);
        }
        Ok(())
    }

    /// How many numbers a routine works in, and of which type.
    fn ask(&self, routine: &Routine, address: impl Fn(&Array) -> u64) -> Result<(c_int, Dtype), Refusal> {
        let mut elements: c_int = 0;
        // SAFETY: the matrix and its values are not looked at for this; the number is written.
        let (call, status, dtype) = unsafe {
            match *routine {
                Routine::Factor { n, matrix, .. } => {
                    let at = address(&matrix);
                    let status = by_type!(
                        matrix.dtype,
                        cusolverDnSpotrf_bufferSize,
                        cusolverDnDpotrf_bufferSize,
                        (self.handle, TRIANGLE, n, at, n, &mut elements)
                    );
                    ("cusolverDnPotrf_bufferSize", status, matrix.dtype)
                }
                Routine::Eigen { n, vectors, matrix, values, .. } => {
                    let (at, values) = (address(&matrix), address(&values));
                    let status = by_type!(
                        matrix.dtype,
                        cusolverDnSsyevd_bufferSize,
                        cusolverDnDsyevd_bufferSize,
                        (self.handle, mode(vectors), TRIANGLE, n, at, n, values, &mut elements)
                    );
                    ("cusolverDnSyevd_bufferSize", status, matrix.dtype)
                }
                Routine::Svd { many, few, matrix, .. } => {
                    let status = by_type!(
                        matrix.dtype,
                        cusolverDnSgesvd_bufferSize,
                        cusolverDnDgesvd_bufferSize,
                        (self.handle, many, few, &mut elements)
                    );
                    ("cusolverDnGesvd_bufferSize", status, matrix.dtype)
                }
                Routine::Product(_) | Routine::Solve { .. } => unreachable!("cuBLAS does these"),
            }
        };
        status.result().map_err(|error| failed(call, error))?;
        Ok((elements, dtype))
    }

    /// Enqueues a routine that it was prepared for.
    ///
    /// # Safety
    /// `address` gives where the routine's arrays lie in device memory.
    pub unsafe fn run(
        &self,
        device: &Device,
        routine: &Routine,
        address: impl Fn(&Array) -> u64,
    ) -> Result<(), Refusal> {
        let work = device.address(&self.workspace);
        let len = |dtype: Dtype| self.bytes / dtype.bytes();
        // SAFETY: the caller's; the workspace has what was asked for.
        let (call, status) = unsafe {
            match *routine {
                Routine::Factor { n, matrix, info } => {
                    let (at, said) = (address(&matrix), address(&info));
                    let status = by_type!(
                        matrix.dtype,
                        cusolverDnSpotrf,
                        cusolverDnDpotrf,
                        (self.handle, TRIANGLE, n, at, n, work, len(matrix.dtype), said)
                    );
                    ("cusolverDnPotrf", status)
                }
                Routine::Eigen { n, vectors, matrix, values, info } => {
                    let (at, values, said) = (address(&matrix), address(&values), address(&info));
                    let status = by_type!(
                        matrix.dtype,
                        cusolverDnSsyevd,
                        cusolverDnDsyevd,
                        (self.handle, mode(vectors), TRIANGLE, n, at, n, values, work, len(matrix.dtype), said)
                    );
                    ("cusolverDnSyevd", status)
                }
                Routine::Svd { many, few, matrix, values, left, right, info } => {
                    let [at, values, left, right, said] = [matrix, values, left, right, info].map(|it| address(&it));
                    let none = null_mut::<f64>();
                    let len = len(matrix.dtype);
                    let status = by_type!(
                        matrix.dtype,
                        cusolverDnSgesvd,
                        cusolverDnDgesvd,
                        (
                            self.handle,
                            THIN,
                            THIN,
                            many,
                            few,
                            at,
                            many,
                            values,
                            left,
                            many,
                            right,
                            few,
                            work,
                            len,
                            none,
                            said
                        )
                    );
                    ("cusolverDnGesvd", status)
                }
                Routine::Product(_) | Routine::Solve { .. } => unreachable!("cuBLAS does these"),
            }
        };
        status.result().map_err(|error| failed(call, error))
    }
}

impl Drop for Solver {
    fn drop(&mut self) {
        // SAFETY: the handle is this value's alone. A failure leaves nothing to be done.
        let _ = unsafe { result::dn_destroy(self.handle) };
    }
}

fn mode(vectors: bool) -> sys::cusolverEigMode_t {
    if vectors {
        sys::cusolverEigMode_t::CUSOLVER_EIG_MODE_VECTOR
    } else {
        sys::cusolverEigMode_t::CUSOLVER_EIG_MODE_NOVECTOR
    }
}

fn failed(call: &'static str, error: result::CusolverError) -> Refusal {
    Refusal::library(call, format!("{:?}", error.0))
}
