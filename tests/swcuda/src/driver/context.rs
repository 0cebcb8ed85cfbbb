//! Initialisation, devices and contexts.

use super::abi::{put, put_optional};
use super::errors::*;
use super::{CURRENT, Handle, PUSHED, State, call};
use std::collections::BTreeMap;
use std::ffi::{c_char, c_int, c_uint, c_void};

/// The handle of device 0's primary context; those of other devices follow.
const PRIMARY: Handle = 0x5c0000;
/// Shared memory of a block without and with opting in, as on compute capability 8.0.
pub(crate) const SHARED_LIMIT: usize = 49_152;
pub(crate) const SHARED_LIMIT_OPT_IN: usize = 166_912;
const SHARED_PER_MULTIPROCESSOR: usize = 167_936;
const THREADS_PER_MULTIPROCESSOR: i32 = 2048;
const MULTIPROCESSORS: i32 = 108;

#[derive(Default)]
pub(crate) struct Contexts {
    /// By device, how often its primary context was retained.
    primary: Vec<u32>,
    /// Others, with their devices.
    created: BTreeMap<Handle, c_int>,
}

impl Contexts {
    pub fn held(&self) -> usize {
        self.primary.iter().filter(|n| **n > 0).count() + self.created.len()
    }
}

impl State {
    fn device(&self, device: c_int) -> Outcome<usize> {
        if (0..self.config.devices).contains(&device) { Ok(device as usize) } else { Err(INVALID_DEVICE) }
    }

    fn context_exists(&self, context: Handle) -> bool {
        let primary = context.checked_sub(PRIMARY).and_then(|d| self.contexts.primary.get(d));
        primary.is_some_and(|n| *n > 0) || self.contexts.created.contains_key(&context)
    }

    fn attribute(&self, attribute: c_int) -> c_int {
        match attribute {
            // Threads of a block, and its axes; axes of the grid.
            1..=3 => 1024,
            4 => 64,
            5 => c_int::MAX,
            6 | 7 => 65_535,
            8 => SHARED_LIMIT as c_int,
            9 => 65_536,
            10 => 32,
            // Registers of a block, clock rate in kHz.
            12 => 65_536,
            13 => 1_500_000,
            16 => MULTIPROCESSORS,
            31 => 1,
            36 => 1_200_000,
            37 => 5120,
            38 => 40 << 20,
            39 => THREADS_PER_MULTIPROCESSOR,
            // Unified addressing.
            41 => 1,
            75 => self.config.capability.0,
            76 => self.config.capability.1,
            81 => SHARED_PER_MULTIPROCESSOR as c_int,
            82 => 65_536,
            97 => SHARED_LIMIT_OPT_IN as c_int,
            106 => 32,
            115 => self.config.pools as c_int,
            // Everything else is absent: managed memory, cooperative launches and so on.
            _ => 0,
        }
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn cuInit(flags: c_uint) -> Code {
    call("cuInit", |s| {
        if flags != 0 {
            return Err(INVALID_VALUE);
        }
        s.initialised = true;
        s.contexts.primary.resize(s.config.devices.max(0) as usize, 0);
        if s.config.devices <= 0 { Err(NO_DEVICE) } else { Ok(()) }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuDriverGetVersion(out: *mut c_int) -> Code {
    call("cuDriverGetVersion", |s| put(out, s.config.driver))
}

/// NVRTC opens libcuda and asks for private tables; without this symbol it crashes.
#[unsafe(no_mangle)]
pub extern "C" fn cuGetExportTable(out: *mut *const c_void, _id: *const c_void) -> Code {
    put_optional(out, std::ptr::null());
    NOT_FOUND
}

#[unsafe(no_mangle)]
pub extern "C" fn cuDeviceGetCount(out: *mut c_int) -> Code {
    call("cuDeviceGetCount", |s| put(out, s.config.devices))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuDeviceGet(out: *mut c_int, ordinal: c_int) -> Code {
    call("cuDeviceGet", |s| {
        s.device(ordinal)?;
        put(out, ordinal)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuDeviceGetName(out: *mut c_char, length: c_int, device: c_int) -> Code {
    call("cuDeviceGetName", |s| {
        s.device(device)?;
        let name = b"software CUDA device\0";
        let length = name.len().min(length.max(0) as usize);
        if out.is_null() || length == 0 {
            return Err(INVALID_VALUE);
        }
        super::abi::put_bytes(out.cast(), &name[..length]);
        put(out.wrapping_add(length - 1), 0)
    })
}

fn uuid(name: &'static str, out: *mut [u8; 16], device: c_int) -> Code {
    call(name, |s| {
        let device = s.device(device)? as u8;
        put(out, std::array::from_fn(|i| i as u8 ^ device))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuDeviceGetUuid(out: *mut [u8; 16], device: c_int) -> Code {
    uuid("cuDeviceGetUuid", out, device)
}

#[unsafe(no_mangle)]
pub extern "C" fn cuDeviceGetUuid_v2(out: *mut [u8; 16], device: c_int) -> Code {
    uuid("cuDeviceGetUuid_v2", out, device)
}

#[unsafe(no_mangle)]
pub extern "C" fn cuDeviceTotalMem_v2(out: *mut usize, device: c_int) -> Code {
    call("cuDeviceTotalMem_v2", |s| {
        s.device(device)?;
        put(out, s.config.memory)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuDeviceGetAttribute(out: *mut c_int, attribute: c_int, device: c_int) -> Code {
    call("cuDeviceGetAttribute", |s| {
        s.device(device)?;
        put(out, s.attribute(attribute))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuDevicePrimaryCtxRetain(out: *mut Handle, device: c_int) -> Code {
    call("cuDevicePrimaryCtxRetain", |s| {
        let device = s.device(device)?;
        s.contexts.primary[device] += 1;
        put(out, PRIMARY + device)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuDevicePrimaryCtxRelease_v2(device: c_int) -> Code {
    call("cuDevicePrimaryCtxRelease_v2", |s| {
        let device = s.device(device)?;
        if s.contexts.primary[device] == 0 {
            return Err(INVALID_CONTEXT);
        }
        s.contexts.primary[device] -= 1;
        if s.contexts.primary[device] == 0 {
            if CURRENT.get() == PRIMARY + device {
                CURRENT.set(0);
            }
            s.drain_all()?;
        }
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuDevicePrimaryCtxSetFlags_v2(device: c_int, _flags: c_uint) -> Code {
    call("cuDevicePrimaryCtxSetFlags_v2", |s| s.device(device).map(drop))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuDevicePrimaryCtxGetState(device: c_int, flags: *mut c_uint, active: *mut c_int) -> Code {
    call("cuDevicePrimaryCtxGetState", |s| {
        let device = s.device(device)?;
        put(flags, 0)?;
        put(active, (s.contexts.primary[device] > 0) as c_int)
    })
}

fn create(s: &mut State, out: *mut Handle, device: c_int) -> Outcome {
    s.device(device)?;
    let context = s.handle();
    put(out, context)?;
    s.contexts.created.insert(context, device);
    CURRENT.set(context);
    Ok(())
}

#[unsafe(no_mangle)]
pub extern "C" fn cuCtxCreate_v2(out: *mut Handle, _flags: c_uint, device: c_int) -> Code {
    call("cuCtxCreate_v2", |s| create(s, out, device))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuCtxCreate_v3(
    out: *mut Handle,
    _affinity: *mut c_void,
    _count: c_int,
    _flags: c_uint,
    device: c_int,
) -> Code {
    call("cuCtxCreate_v3", |s| create(s, out, device))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuCtxCreate_v4(out: *mut Handle, _how: *mut c_void, _flags: c_uint, device: c_int) -> Code {
    call("cuCtxCreate_v4", |s| create(s, out, device))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuCtxDestroy_v2(context: Handle) -> Code {
    call("cuCtxDestroy_v2", |s| {
        if s.contexts.created.remove(&context).is_none() {
            return Err(INVALID_CONTEXT);
        }
        if CURRENT.get() == context {
            CURRENT.set(0);
        }
        s.drain_all()
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuCtxSetCurrent(context: Handle) -> Code {
    call("cuCtxSetCurrent", |s| {
        if context != 0 && !s.context_exists(context) {
            return Err(INVALID_CONTEXT);
        }
        CURRENT.set(context);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuCtxGetCurrent(out: *mut Handle) -> Code {
    call("cuCtxGetCurrent", |_| put(out, CURRENT.get()))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuCtxPushCurrent_v2(context: Handle) -> Code {
    call("cuCtxPushCurrent_v2", |s| {
        if !s.context_exists(context) {
            return Err(INVALID_CONTEXT);
        }
        PUSHED.with_borrow_mut(|pushed| pushed.push(CURRENT.replace(context)));
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuCtxPopCurrent_v2(out: *mut Handle) -> Code {
    call("cuCtxPopCurrent_v2", |s| {
        put_optional(out, s.current()?);
        CURRENT.set(PUSHED.with_borrow_mut(Vec::pop).unwrap_or(0));
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuCtxGetDevice(out: *mut c_int) -> Code {
    call("cuCtxGetDevice", |s| {
        let context = s.current()?;
        let created = s.contexts.created.get(&context).copied();
        put(out, created.unwrap_or_else(|| context.saturating_sub(PRIMARY) as c_int))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuCtxSynchronize() -> Code {
    call("cuCtxSynchronize", |s| {
        s.current()?;
        s.no_captures()?;
        s.waits();
        s.drain_all()
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuCtxSetFlags(_flags: c_uint) -> Code {
    call("cuCtxSetFlags", |s| s.current().map(drop))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuCtxGetLimit(out: *mut usize, _limit: c_int) -> Code {
    call("cuCtxGetLimit", |_| put(out, 1024))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuCtxSetLimit(_limit: c_int, _value: usize) -> Code {
    call("cuCtxSetLimit", |s| s.current().map(drop))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuCtxGetCacheConfig(out: *mut c_int) -> Code {
    call("cuCtxGetCacheConfig", |_| put(out, 0))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuCtxSetCacheConfig(_config: c_int) -> Code {
    call("cuCtxSetCacheConfig", |s| s.current().map(drop))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuCtxGetStreamPriorityRange(least: *mut c_int, greatest: *mut c_int) -> Code {
    call("cuCtxGetStreamPriorityRange", |_| {
        put_optional(least, 0);
        put_optional(greatest, -5);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuProfilerStart() -> Code {
    call("cuProfilerStart", |_| Ok(()))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuProfilerStop() -> Code {
    call("cuProfilerStop", |_| Ok(()))
}

/// Blocks of a kernel that fit on a multiprocessor, by threads and shared memory alone.
pub(crate) fn blocks_that_fit(threads: c_int, shared: usize) -> c_int {
    let by_threads = THREADS_PER_MULTIPROCESSOR / threads.max(1);
    let by_shared = SHARED_PER_MULTIPROCESSOR.checked_div(shared).map_or(32, |n| n as c_int);
    by_threads.min(by_shared).min(32)
}
