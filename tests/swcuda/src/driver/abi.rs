//! The border to C: reading and writing through the caller's pointers.
//!
//! The exported functions are called as libcuda's are: a pointer is null or leads to what the documentation says.
//! Nothing else is known of it here; these functions are where that is relied on.

use super::errors::{INVALID_VALUE, Outcome};
use std::ffi::{CStr, c_char, c_void};

/// Writes a result, unless the caller gave no place for it.
pub(crate) fn put<T>(out: *mut T, value: T) -> Outcome {
    if out.is_null() {
        return Err(INVALID_VALUE);
    }
    // SAFETY: the caller gives null or a place for a T.
    unsafe { out.write(value) };
    Ok(())
}

/// Writes a result that the caller may leave out.
pub(crate) fn put_optional<T>(out: *mut T, value: T) {
    let _ = put(out, value);
}

pub(crate) fn get<T: Copy>(from: *const T) -> Outcome<T> {
    if from.is_null() {
        return Err(INVALID_VALUE);
    }
    // SAFETY: the caller gives null or a T.
    Ok(unsafe { from.read_unaligned() })
}

/// The element of an array.
pub(crate) fn get_at<T: Copy>(from: *const T, index: usize) -> Outcome<T> {
    if from.is_null() {
        return Err(INVALID_VALUE);
    }
    get(from.wrapping_add(index))
}

pub(crate) fn text<'a>(from: *const c_char) -> Outcome<&'a str> {
    if from.is_null() {
        return Err(INVALID_VALUE);
    }
    // SAFETY: the caller gives null or a text that ends in a zero and outlives the call.
    unsafe { CStr::from_ptr(from) }.to_str().map_err(|_| INVALID_VALUE)
}

/// Bytes of the host.
pub(crate) fn bytes(from: *const c_void, length: usize) -> Outcome<Vec<u8>> {
    if length == 0 {
        return Ok(Vec::new());
    }
    if from.is_null() {
        return Err(INVALID_VALUE);
    }
    // SAFETY: the caller gives null or that many bytes.
    Ok(unsafe { std::slice::from_raw_parts(from.cast::<u8>(), length) }.to_vec())
}

pub(crate) fn put_bytes(to: *mut c_void, data: &[u8]) {
    if !to.is_null() {
        // SAFETY: the caller gives null or a place for that many bytes, which are none of ours.
        unsafe { std::ptr::copy_nonoverlapping(data.as_ptr(), to.cast::<u8>(), data.len()) };
    }
}
