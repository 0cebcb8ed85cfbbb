//! cuSOLVER's dense calls: Cholesky factors, symmetric eigenvalues, singular values.
//!
//! The same rules as for cuBLAS. `info` on the device is 0, the 1-based order of the minor that is not positive
//! definite (or the count of what did not converge), or −i where parameter i, not counting the handle, is wrong;
//! then the call returns an error as well. Workspaces are overwritten with NaN. Source: cuSOLVER documentation.

mod cholesky;
mod eigen;
mod jacobi;
mod singular;
mod tridiagonal;

#[cfg(test)]
pub(crate) use {cholesky::*, eigen::*, singular::*};

use crate::blas::operand::Operand;
use crate::blas::real::Real;
use crate::blas::{Library, LibraryHandle, Status, create, destroy, enqueue, get_stream, set_stream};
use crate::driver::queue::out_of_bounds;
use crate::driver::{Handle, State};
use crate::machine::fault::Fault;
use crate::machine::memory::Memory;
use std::ffi::c_int;

#[unsafe(no_mangle)]
pub extern "C" fn cusolverDnCreate(out: *mut Handle) -> Status {
    create("cusolverDnCreate", Library::Solver, out)
}

#[unsafe(no_mangle)]
pub extern "C" fn cusolverDnDestroy(handle: Handle) -> Status {
    destroy("cusolverDnDestroy", Library::Solver, handle)
}

#[unsafe(no_mangle)]
pub extern "C" fn cusolverDnSetStream(handle: Handle, stream: Handle) -> Status {
    set_stream("cusolverDnSetStream", Library::Solver, handle, stream)
}

#[unsafe(no_mangle)]
pub extern "C" fn cusolverDnGetStream(handle: Handle, out: *mut Handle) -> Status {
    get_stream("cusolverDnGetStream", Library::Solver, handle, out)
}

/// Refuses a parameter: `info` tells which, and the call fails.
fn refuse(s: &mut State, h: LibraryHandle, name: &'static str, info: u64, parameter: i32) -> Result<(), Status> {
    if s.memory.is_promised(info, 4) {
        enqueue(s, h, name, move |m| write_info(m, info, -parameter))?;
    }
    Err(h.library.invalid())
}

fn write_info(memory: &mut Memory, at: u64, value: i32) -> Result<(), Fault> {
    memory.write(at, &value.to_le_bytes()).map_err(|why| out_of_bounds("devInfo", at, 4, why))
}

/// The workspace must be there in full, and afterwards holds nothing of use.
fn spoil_workspace<T: Real>(memory: &mut Memory, name: &'static str, at: u64, elements: usize) -> Result<(), Fault> {
    if elements == 0 {
        return Ok(());
    }
    Operand::vector(name, "the workspace", at, elements, 1).write(memory, &vec![T::from_f64(f64::NAN); elements])
}

/// The flag of eigenvectors: 0 without, 1 with.
fn wants_vectors(mode: c_int) -> Option<bool> {
    match mode {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}
