//! Numbers and tensors between host and device, by address.
#![allow(unsafe_code)]

use cudarc::driver::{CudaSlice, DevicePtr, DeviceRepr, PinnedHostSlice, ValidAsZeroBits, result};

use super::device::{Device, Number};
use super::refusal::Refusal;
use crate::tape::{Dtype, Elements, Tensor, Type};

impl Device {
    /// Where a memory starts.
    pub fn address(&self, memory: &CudaSlice<u8>) -> u64 {
        memory.device_ptr(self.stream()).0
    }

    /// Copies numbers to an address; returns when they may be dropped.
    ///
    /// # Safety
    /// There is device memory for all of them.
    pub(super) unsafe fn send<T: Number>(&self, to: u64, from: &[T]) -> Result<(), Refusal> {
        if from.is_empty() {
            return Ok(());
        }
        // SAFETY: the caller's. The numbers lie in pageable memory, from which the driver has copied them
        // when it returns.
        let copied = unsafe { result::memcpy_htod_async(to, from, self.stream().cu_stream()) };
        copied.map_err(|error| Refusal::driver("cuMemcpyHtoDAsync", error))
    }

    /// Host memory of so many numbers, all zero, that copies go to and from with nothing in between.
    pub(super) fn pinned<T: DeviceRepr + ValidAsZeroBits + Default + Clone>(
        &self,
        len: usize,
    ) -> Result<PinnedHostSlice<T>, Refusal> {
        let failed = |error| Refusal::driver("cuMemHostAlloc", error);
        // SAFETY: it is filled before anything is read.
        let mut memory = unsafe { self.stream().context().alloc_pinned_with_flags::<T>(len, 0) }.map_err(failed)?;
        memory.as_mut_slice().map_err(failed)?.fill(T::default());
        Ok(memory)
    }

    /// Waits, and reads as many numbers as `into` has from an address.
    ///
    /// # Safety
    /// There is device memory with all of them.
    pub(super) unsafe fn fetch<T: Number>(&self, from: u64, into: &mut [T]) -> Result<(), Refusal> {
        if into.is_empty() {
            return self.wait();
        }
        // SAFETY: the caller's; the numbers are borrowed until the copy is through. Any bits are numbers.
        let copied = unsafe { result::memcpy_dtoh_async(into, from, self.stream().cu_stream()) };
        copied.map_err(|error| Refusal::driver("cuMemcpyDtoHAsync", error))?;
        self.wait()
    }

    /// Enqueues that bytes become zero.
    ///
    /// # Safety
    /// There is device memory for them.
    pub(super) unsafe fn enqueue_zeros(&self, at: u64, bytes: usize) -> Result<(), Refusal> {
        // SAFETY: the caller's.
        let set = unsafe { result::memset_d8_async(at, 0, bytes, self.stream().cu_stream()) };
        set.map_err(|error| Refusal::driver("cuMemsetD8Async", error))
    }

    /// Enqueues a copy of bytes from one address to another.
    ///
    /// # Safety
    /// There is device memory at both, and the two don't overlap.
    pub(super) unsafe fn enqueue_copy(&self, from: u64, to: u64, bytes: usize) -> Result<(), Refusal> {
        // SAFETY: the caller's.
        let copied = unsafe { result::memcpy_dtod_async(to, from, bytes, self.stream().cu_stream()) };
        copied.map_err(|error| Refusal::driver("cuMemcpyDtoDAsync", error))
    }
}

/// Copies a tensor to an address.
///
/// # Safety
/// There is device memory for all of it.
pub(super) unsafe fn send(device: &Device, to: u64, tensor: &Tensor) -> Result<(), Refusal> {
    // SAFETY: the caller's.
    unsafe {
        match &tensor.elements {
            Elements::F32(from) => device.send(to, from),
            Elements::F64(from) => device.send(to, from),
            Elements::Index(from) => device.send(to, from),
        }
    }
}

/// Waits, and reads a tensor of that type from an address.
///
/// # Safety
/// There is device memory with all of it.
pub(super) unsafe fn fetch(device: &Device, from: u64, ty: &Type) -> Result<Tensor, Refusal> {
    let n = ty.shape.numel();
    // SAFETY: the caller's.
    let elements = unsafe {
        match ty.dtype {
            Dtype::F32 => Elements::F32(numbers(device, from, n)?.into()),
            Dtype::F64 => Elements::F64(numbers(device, from, n)?.into()),
            Dtype::Index => Elements::Index(numbers(device, from, n)?.into()),
        }
    };
    Ok(Tensor { shape: ty.shape.clone(), elements })
}

/// SAFETY (of the callers): there is device memory with all of them.
unsafe fn numbers<T: Number>(device: &Device, from: u64, n: usize) -> Result<Vec<T>, Refusal> {
    let mut into = vec![T::default(); n];
    // SAFETY: the caller's.
    unsafe { device.fetch(from, &mut into)? };
    Ok(into)
}
