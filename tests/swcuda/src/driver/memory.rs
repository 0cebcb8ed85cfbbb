//! Allocation, copies and fills.

use super::abi::{bytes, put, put_optional};
use super::errors::*;
use super::queue::{Direction, Work};
use super::{Handle, State, call};
use crate::machine::memory::Kind;
use std::ffi::{c_int, c_uint, c_void};
use std::sync::Arc;

impl State {
    fn room(&self, size: usize) -> Outcome {
        if self.memory.used.saturating_add(size) > self.config.memory { Err(OUT_OF_MEMORY) } else { Ok(()) }
    }

    fn allocate(&mut self, size: usize, origin: &'static str) -> Outcome<u64> {
        self.current()?;
        self.no_captures()?;
        if size == 0 {
            return Err(INVALID_VALUE);
        }
        self.room(size)?;
        self.note(format!("bytes={size}"));
        Ok(self.memory.allocate(size, Kind::Device, true, origin))
    }

    fn allocate_async(&mut self, size: usize, stream: Handle, origin: &'static str) -> Outcome<u64> {
        self.stream_id(stream)?;
        if size == 0 {
            return Err(INVALID_VALUE);
        }
        self.room(size)?;
        self.note(format!("bytes={size} stream={stream:#x}"));
        let at = self.memory.allocate(size, Kind::Device, false, origin);
        self.push(stream, Work::Allocate(at)).inspect_err(|_| self.memory.free(at))?;
        Ok(at)
    }

    fn pinned(&mut self, size: usize, origin: &'static str) -> Outcome<*mut c_void> {
        self.current()?;
        self.no_captures()?;
        if size == 0 {
            return Err(INVALID_VALUE);
        }
        self.note(format!("bytes={size}"));
        Ok(self.memory.allocate(size, Kind::Pinned, true, origin) as *mut c_void)
    }

    /// Device ranges of a copy are checked when it is asked for, as the driver does, and again when it runs.
    fn promised(&self, at: u64, length: usize) -> Outcome {
        if length == 0 || self.memory.is_promised(at, length as u64) { Ok(()) } else { Err(INVALID_VALUE) }
    }

    fn copy_async(&mut self, direction: Direction, to: u64, from: u64, length: usize, stream: Handle) -> Outcome {
        let stream = self.stream_id(stream)?;
        let host = match direction {
            Direction::HostToDevice => Some(from),
            Direction::DeviceToHost => Some(to),
            Direction::DeviceToDevice => None,
        };
        let pinned = host.is_none_or(|h| self.memory.is_pinned(h));
        let kind = if host.is_none() {
            ""
        } else if pinned {
            " pinned"
        } else {
            " pageable"
        };
        self.note(format!("{direction} bytes={length}{kind} stream={stream:#x}"));
        if direction != Direction::HostToDevice {
            self.promised(from, length)?;
        }
        if direction != Direction::DeviceToHost {
            self.promised(to, length)?;
        }
        let captured = self.capture_of(stream).is_some();
        // Pageable memory is staged by the call, pinned memory (and all in a graph) read when the copy runs.
        if direction == Direction::HostToDevice && !pinned && !captured {
            let data = Arc::new(bytes(from as *const c_void, length)?);
            return self.push(stream, Work::Upload { to, data });
        }
        self.push(stream, Work::Copy { direction, to, from, length })?;
        // A copy into pageable memory returns when it is done.
        if direction == Direction::DeviceToHost && !pinned && !captured {
            self.waits();
            self.drain(stream)?;
        }
        Ok(())
    }

    fn copy_now(&mut self, direction: Direction, to: u64, from: u64, length: usize) -> Outcome {
        self.no_captures()?;
        self.note(format!("{direction} bytes={length}"));
        if direction != Direction::HostToDevice {
            self.promised(from, length)?;
        }
        if direction != Direction::DeviceToHost {
            self.promised(to, length)?;
        }
        self.push(0, Work::Copy { direction, to, from, length })?;
        self.waits();
        self.drain(0)
    }

    fn fill(&mut self, to: u64, value: u32, width: usize, count: usize, stream: Handle) -> Outcome {
        self.note(format!("bytes={} stream={stream:#x}", width * count));
        self.promised(to, width * count)?;
        if !to.is_multiple_of(width as u64) {
            return Err(INVALID_VALUE);
        }
        self.push(stream, Work::Fill { to, value, width, count })
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemGetInfo_v2(free: *mut usize, total: *mut usize) -> Code {
    call("cuMemGetInfo_v2", |s| {
        put_optional(free, s.config.memory - s.memory.used);
        put_optional(total, s.config.memory);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemAlloc_v2(out: *mut u64, size: usize) -> Code {
    call("cuMemAlloc_v2", |s| put(out, s.allocate(size, "cuMemAlloc_v2")?))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemFree_v2(at: u64) -> Code {
    call("cuMemFree_v2", |s| {
        if at == 0 {
            return Ok(());
        }
        if s.memory.get(at).is_none_or(|a| a.kind != Kind::Device) || s.memory.check(at, 0).is_err() {
            return Err(INVALID_VALUE);
        }
        // It waits for all work that may use the memory.
        s.waits();
        let done = if s.broken.is_none() { s.no_captures().and_then(|()| s.drain_all()) } else { Ok(()) };
        s.memory.free(at);
        done
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemAllocAsync(out: *mut u64, size: usize, stream: Handle) -> Code {
    call("cuMemAllocAsync", |s| {
        if !s.config.pools {
            return Err(NOT_SUPPORTED);
        }
        put(out, s.allocate_async(size, stream, "cuMemAllocAsync")?)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemAllocFromPoolAsync(out: *mut u64, size: usize, _pool: Handle, stream: Handle) -> Code {
    call("cuMemAllocFromPoolAsync", |s| put(out, s.allocate_async(size, stream, "cuMemAllocFromPoolAsync")?))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemFreeAsync(at: u64, stream: Handle) -> Code {
    call("cuMemFreeAsync", |s| {
        if at == 0 {
            return Ok(());
        }
        if s.memory.get(at).is_none() || !s.memory.is_promised(at, 0) {
            return Err(INVALID_VALUE);
        }
        s.note(format!("stream={stream:#x}"));
        if s.broken.is_some() {
            s.memory.free(at);
            return Ok(());
        }
        s.push(stream, Work::Free(at))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemAllocManaged(_out: *mut u64, _size: usize, _flags: c_uint) -> Code {
    call("cuMemAllocManaged", |_| Err(NOT_SUPPORTED))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemHostAlloc(out: *mut *mut c_void, size: usize, _flags: c_uint) -> Code {
    call("cuMemHostAlloc", |s| put(out, s.pinned(size, "cuMemHostAlloc")?))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemAllocHost_v2(out: *mut *mut c_void, size: usize) -> Code {
    call("cuMemAllocHost_v2", |s| put(out, s.pinned(size, "cuMemAllocHost_v2")?))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemFreeHost(at: *mut c_void) -> Code {
    call("cuMemFreeHost", |s| {
        if s.memory.get(at as u64).is_none_or(|a| a.kind != Kind::Pinned) {
            return Err(INVALID_VALUE);
        }
        s.waits();
        let done = if s.broken.is_none() { s.drain_all() } else { Ok(()) };
        s.memory.free(at as u64);
        done
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemHostGetDevicePointer_v2(out: *mut u64, at: *mut c_void, _flags: c_uint) -> Code {
    call("cuMemHostGetDevicePointer_v2", |s| {
        if s.memory.is_pinned(at as u64) { put(out, at as u64) } else { Err(INVALID_VALUE) }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemsetD8Async(to: u64, value: u8, count: usize, stream: Handle) -> Code {
    call("cuMemsetD8Async", |s| s.fill(to, value as u32, 1, count, stream))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemsetD32Async(to: u64, value: c_uint, count: usize, stream: Handle) -> Code {
    call("cuMemsetD32Async", |s| s.fill(to, value, 4, count, stream))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemsetD8_v2(to: u64, value: u8, count: usize) -> Code {
    call("cuMemsetD8_v2", |s| {
        s.no_captures()?;
        s.fill(to, value as u32, 1, count, 0)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemsetD32_v2(to: u64, value: c_uint, count: usize) -> Code {
    call("cuMemsetD32_v2", |s| {
        s.no_captures()?;
        s.fill(to, value, 4, count, 0)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemcpyHtoDAsync_v2(to: u64, from: *const c_void, length: usize, stream: Handle) -> Code {
    call("cuMemcpyHtoDAsync_v2", |s| s.copy_async(Direction::HostToDevice, to, from as u64, length, stream))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemcpyDtoHAsync_v2(to: *mut c_void, from: u64, length: usize, stream: Handle) -> Code {
    call("cuMemcpyDtoHAsync_v2", |s| s.copy_async(Direction::DeviceToHost, to as u64, from, length, stream))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemcpyDtoDAsync_v2(to: u64, from: u64, length: usize, stream: Handle) -> Code {
    call("cuMemcpyDtoDAsync_v2", |s| s.copy_async(Direction::DeviceToDevice, to, from, length, stream))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemcpyHtoD_v2(to: u64, from: *const c_void, length: usize) -> Code {
    call("cuMemcpyHtoD_v2", |s| s.copy_now(Direction::HostToDevice, to, from as u64, length))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemcpyDtoH_v2(to: *mut c_void, from: u64, length: usize) -> Code {
    call("cuMemcpyDtoH_v2", |s| s.copy_now(Direction::DeviceToHost, to as u64, from, length))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemcpyDtoD_v2(to: u64, from: u64, length: usize) -> Code {
    call("cuMemcpyDtoD_v2", |s| s.copy_now(Direction::DeviceToDevice, to, from, length))
}

/// The one pool that there is.
const POOL: Handle = 0x77;

#[unsafe(no_mangle)]
pub extern "C" fn cuDeviceGetDefaultMemPool(out: *mut Handle, _device: c_int) -> Code {
    call("cuDeviceGetDefaultMemPool", |s| if s.config.pools { put(out, POOL) } else { Err(NOT_SUPPORTED) })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuDeviceGetMemPool(out: *mut Handle, _device: c_int) -> Code {
    call("cuDeviceGetMemPool", |s| if s.config.pools { put(out, POOL) } else { Err(NOT_SUPPORTED) })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemPoolSetAttribute(_pool: Handle, _attribute: c_int, _value: *mut c_void) -> Code {
    call("cuMemPoolSetAttribute", |_| Ok(()))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemPoolTrimTo(_pool: Handle, _keep: usize) -> Code {
    call("cuMemPoolTrimTo", |_| Ok(()))
}
