//! The devices there are, and one of them opened.
#![allow(unsafe_code)]

use std::slice;
use std::sync::Arc;

use cudarc::driver::result::{self, DriverError};
use cudarc::driver::sys::{self, CUdevice_attribute, CUresult};
use cudarc::driver::{CudaContext, CudaSlice, CudaStream, DeviceRepr};

use super::library::{self, Library, Places};
use super::nvrtc::Nvrtc;
use super::refusal::{Refusal, Version, bytes_text, capability_text};

/// The CUDA that a driver must be made for: what is called of it has been the same since.
const NEEDS: Version = Version { major: 12, minor: 0 };

/// Facts about a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Counted from 0, as the driver lists them.
    pub number: u32,
    /// As NVIDIA calls it.
    pub name: String,
    /// Its compute capability, `90` for 9.0.
    pub capability: u32,
    /// Bytes of memory that nobody had taken when it was asked.
    pub free: usize,
    /// Bytes of memory.
    pub total: usize,
    /// How many multiprocessors it has.
    pub multiprocessors: u32,
    /// The CUDA that its driver is made for.
    pub driver: Version,
    /// The version of the compiler.
    pub nvrtc: Version,
}

/// A device with a stream, on which all work for it is done in order.
#[derive(Debug)]
pub struct Device {
    stream: Arc<CudaStream>,
    about: About,
    nvrtc: Nvrtc,
}

/// A number as host and device both hold it: any bits are one, and none is padding.
pub trait Number: DeviceRepr + Copy + Default {}

impl Number for u32 {}
impl Number for i64 {}
impl Number for u64 {}
impl Number for f32 {}
impl Number for f64 {}

/// All devices that the driver lists.
///
/// # Errors
/// What stands in the way of using any.
pub fn probe(places: &Places) -> Result<Vec<About>, Refusal> {
    let (count, driver, nvrtc) = start(places)?;
    (0..count).map(|number| about(&*context(number)?, number, driver, nvrtc.version)).collect()
}

/// Opens a device, with a stream of its own.
///
/// # Errors
/// Why that can't be done.
pub fn open(places: &Places, number: u32) -> Result<Device, Refusal> {
    let (count, driver, nvrtc) = start(places)?;
    if number >= count {
        return Err(Refusal::NoSuchDevice { asked: number, there: count });
    }
    let context = context(number)?;
    let about = about(&context, number, driver, nvrtc.version)?;
    // The default stream can't be captured in a graph.
    let stream = context.new_stream().map_err(|error| Refusal::driver("cuStreamCreate", error))?;
    Ok(Device { stream, about, nvrtc })
}

/// Finds the libraries and starts the driver: how many devices there are, at least one.
fn start(places: &Places) -> Result<(u32, Version, Nvrtc), Refusal> {
    library::need(places, Library::Driver)?;
    let driver = driver_version()?;
    if driver < NEEDS {
        return Err(Refusal::DriverTooOld { has: driver, needs: NEEDS });
    }
    let none = |call| {
        move |error: DriverError| match error.0 {
            CUresult::CUDA_ERROR_NO_DEVICE => Refusal::NoDevice,
            _ => Refusal::driver(call, error),
        }
    };
    result::init().map_err(none("cuInit"))?;
    let count = result::device::get_count().map_err(none("cuDeviceGetCount"))?;
    match u32::try_from(count) {
        Ok(count) if count > 0 => Ok((count, driver, Nvrtc::find(places)?)),
        _ => Err(Refusal::NoDevice),
    }
}

/// The CUDA that the driver is made for; it tells before it is started.
fn driver_version() -> Result<Version, Refusal> {
    let mut version = 0;
    // SAFETY: the driver is there, and writes a number.
    let asked = unsafe { sys::cuDriverGetVersion(&mut version).result() };
    asked.map_err(|error| Refusal::driver("cuDriverGetVersion", error))?;
    let version = u32::try_from(version).unwrap_or(0);
    Ok(Version { major: version / 1000, minor: version % 1000 / 10 })
}

/// The device's primary context.
fn context(number: u32) -> Result<Arc<CudaContext>, Refusal> {
    let context =
        CudaContext::new(number as usize).map_err(|error| Refusal::driver("cuDevicePrimaryCtxRetain", error))?;
    // SAFETY: all work goes to one stream, which keeps its order without events. They would break the capture
    // of graphs, and memory that was taken before this would keep them.
    unsafe { context.disable_event_tracking() };
    Ok(context)
}

fn about(context: &CudaContext, number: u32, driver: Version, nvrtc: Version) -> Result<About, Refusal> {
    let asked = |attribute| {
        let value = context.attribute(attribute).map_err(|error| Refusal::driver("cuDeviceGetAttribute", error))?;
        Ok(u32::try_from(value).unwrap_or(0))
    };
    let major = asked(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?;
    let minor = asked(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?;
    let (free, total) = context.mem_get_info().map_err(|error| Refusal::driver("cuMemGetInfo", error))?;
    Ok(About {
        number,
        name: context.name().map_err(|error| Refusal::driver("cuDeviceGetName", error))?,
        capability: 10 * major + minor,
        free,
        total,
        multiprocessors: asked(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)?,
        driver,
        nvrtc,
    })
}

impl About {
    /// In a line.
    pub fn line(&self) -> String {
        let About { name, free, total, multiprocessors, driver, nvrtc, .. } = self;
        format!(
            "{name}; {} of {} free, {multiprocessors} multiprocessors, compute capability {}, \
             driver for CUDA {driver}, NVRTC {nvrtc}",
            bytes_text(*free),
            bytes_text(*total),
            self.capability(),
        )
    }

    /// The compute capability as it is written: `9.0`.
    pub fn capability(&self) -> String {
        capability_text(self.capability)
    }
}

impl Device {
    /// Facts, as they were when it was opened.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// The stream on which everything is done.
    pub fn stream(&self) -> &Arc<CudaStream> {
        &self.stream
    }

    pub(super) fn nvrtc(&self) -> &Nvrtc {
        &self.nvrtc
    }

    /// New memory, whose bytes are what they are.
    ///
    /// # Errors
    /// How much is free where that is too little.
    pub fn memory(&self, bytes: usize) -> Result<CudaSlice<u8>, Refusal> {
        // No memory at all is nothing that a driver gives. SAFETY: bytes are bytes, whatever they are.
        let memory = unsafe { self.stream.alloc::<u8>(bytes.max(1)) };
        memory.map_err(|error| match (error.0, self.stream.context().mem_get_info()) {
            (CUresult::CUDA_ERROR_OUT_OF_MEMORY, Ok((free, total))) => {
                Refusal::OutOfMemory { needed: bytes, free, total }
            }
            _ => Refusal::driver("cuMemAlloc", error),
        })
    }

    /// New memory, all zero.
    ///
    /// # Errors
    /// As [`memory`](Device::memory).
    pub fn zeros(&self, bytes: usize) -> Result<CudaSlice<u8>, Refusal> {
        let mut memory = self.memory(bytes)?;
        self.stream.memset_zeros(&mut memory).map_err(|error| Refusal::driver("cuMemsetD8Async", error))?;
        Ok(memory)
    }

    /// New memory that holds these numbers.
    ///
    /// # Errors
    /// As [`memory`](Device::memory), or a copy that failed.
    pub fn table<T: Number>(&self, numbers: &[T]) -> Result<CudaSlice<u8>, Refusal> {
        let mut memory = self.memory(size_of_val(numbers))?;
        self.upload(&mut memory, numbers)?;
        Ok(memory)
    }

    /// Copies numbers to the start of memory that has room for them.
    ///
    /// # Errors
    /// The copy failed.
    pub fn upload<T: Number>(&self, to: &mut CudaSlice<u8>, numbers: &[T]) -> Result<(), Refusal> {
        // SAFETY: these are the bytes of the numbers, of which none is padding.
        let bytes = unsafe { slice::from_raw_parts(numbers.as_ptr().cast::<u8>(), size_of_val(numbers)) };
        if bytes.is_empty() {
            return Ok(());
        }
        // The driver has copied memory that is pageable, as this is, when the call returns.
        self.stream.memcpy_htod(bytes, to).map_err(|error| Refusal::driver("cuMemcpyHtoDAsync", error))
    }

    /// Copies so many numbers from the start of memory, when all that was enqueued is done.
    ///
    /// # Errors
    /// The copy, or something that was enqueued before it, failed.
    pub fn download<T: Number>(&self, from: &CudaSlice<u8>, n: usize) -> Result<Vec<T>, Refusal> {
        let mut numbers = vec![T::default(); n];
        let bytes = size_of_val(numbers.as_slice());
        if bytes > 0 {
            // SAFETY: these are the bytes of the numbers, and any bytes are numbers.
            let into = unsafe { slice::from_raw_parts_mut(numbers.as_mut_ptr().cast::<u8>(), bytes) };
            let copied = self.stream.memcpy_dtoh(&from.slice(..bytes), into);
            copied.map_err(|error| Refusal::driver("cuMemcpyDtoHAsync", error))?;
        }
        self.wait()?;
        Ok(numbers)
    }

    /// Copies all of one memory to the start of another that has room for it.
    ///
    /// # Errors
    /// The copy failed.
    pub fn copy(&self, from: &CudaSlice<u8>, to: &mut CudaSlice<u8>) -> Result<(), Refusal> {
        self.stream.memcpy_dtod(from, to).map_err(|error| Refusal::driver("cuMemcpyDtoDAsync", error))
    }

    /// Waits until all that was enqueued is done; says what failed of it.
    ///
    /// # Errors
    /// The first failure since the last call.
    pub fn wait(&self) -> Result<(), Refusal> {
        self.stream.synchronize().map_err(|error| Refusal::driver("cuStreamSynchronize", error))
    }
}
