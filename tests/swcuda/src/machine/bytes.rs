//! Bytes behind addresses that were checked: elements, and the marks of what was written.

use super::memory::Window;
use crate::ptx::ir::Access;

/// # Safety
/// The window holds the range.
pub(super) unsafe fn all_written(window: &Window, first: u64, length: usize) -> bool {
    // SAFETY: a window has a mark for each byte.
    window.written.is_null()
        || unsafe { std::slice::from_raw_parts(window.written.add((first - window.first) as usize), length) }
            .iter()
            .fold(true, |all, b| all & (*b == 1))
}

/// # Safety
/// The window holds the range.
pub(super) unsafe fn mark_written(window: &Window, first: u64, length: usize) {
    if !window.written.is_null() {
        // SAFETY: a window has a mark for each byte.
        unsafe { std::ptr::write_bytes(window.written.add((first - window.first) as usize), 1, length) };
    }
}

/// An element as a register holds it: signed ones keep their sign.
///
/// # Safety
/// The pointer leads to that many bytes.
#[inline(always)]
pub(super) unsafe fn get(pointer: *const u8, size: usize, signed: bool) -> u64 {
    // SAFETY: given.
    unsafe {
        match (size, signed) {
            (1, false) => pointer.read() as u64,
            (1, true) => pointer.read() as i8 as u64,
            (2, false) => pointer.cast::<u16>().read_unaligned() as u64,
            (2, true) => pointer.cast::<i16>().read_unaligned() as u64,
            (4, false) => pointer.cast::<u32>().read_unaligned() as u64,
            (4, true) => pointer.cast::<i32>().read_unaligned() as u64,
            _ => pointer.cast::<u64>().read_unaligned(),
        }
    }
}

/// # Safety
/// The pointer leads to that many bytes.
#[inline(always)]
pub(super) unsafe fn put(pointer: *mut u8, value: u64, size: usize) {
    // SAFETY: given.
    unsafe {
        match size {
            1 => pointer.write(value as u8),
            2 => pointer.cast::<u16>().write_unaligned(value as u16),
            4 => pointer.cast::<u32>().write_unaligned(value as u32),
            _ => pointer.cast::<u64>().write_unaligned(value),
        }
    }
}

/// # Safety
/// The pointer leads to all elements of a lane's access.
#[inline(always)]
pub(super) unsafe fn element(pointer: *const u8, access: &Access, index: usize) -> u64 {
    let size = access.kind.size();
    // SAFETY: given.
    unsafe { get(pointer.add(index * size), size, access.kind.is_signed()) }
}
