//! Streams.

use super::abi::{put, put_optional};
use super::errors::*;
use super::queue::{Stream, Work};
use super::{Handle, State, call};
use std::ffi::{c_int, c_uint};

fn create(s: &mut State, out: *mut Handle, flags: c_uint) -> Outcome {
    s.current()?;
    if flags > 1 {
        return Err(INVALID_VALUE);
    }
    let stream = s.handle();
    put(out, stream)?;
    s.note(format!("stream={stream:#x}"));
    s.streams.insert(stream, Stream::new(flags));
    Ok(())
}

#[unsafe(no_mangle)]
pub extern "C" fn cuStreamCreate(out: *mut Handle, flags: c_uint) -> Code {
    call("cuStreamCreate", |s| create(s, out, flags))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuStreamCreateWithPriority(out: *mut Handle, flags: c_uint, _priority: c_int) -> Code {
    call("cuStreamCreateWithPriority", |s| create(s, out, flags))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuStreamGetFlags(stream: Handle, out: *mut c_uint) -> Code {
    call("cuStreamGetFlags", |s| put(out, s.streams[&s.stream_id(stream)?].flags))
}

/// Work that is queued is done first; the host does not wait for it in CUDA, but may not see the difference.
#[unsafe(no_mangle)]
pub extern "C" fn cuStreamDestroy_v2(stream: Handle) -> Code {
    call("cuStreamDestroy_v2", |s| {
        let stream = s.stream_id(stream)?;
        if stream == 0 {
            return Err(INVALID_HANDLE);
        }
        s.note(format!("stream={stream:#x}"));
        let done = if s.broken.is_none() { s.drain(stream) } else { Ok(()) };
        if let Some(id) = s.capture_of(stream)
            && let Some(capture) = s.captures.get_mut(&id)
        {
            capture.broken = Some(CAPTURE_INVALIDATED);
            capture.streams.remove(&stream);
        }
        s.streams.remove(&stream);
        done
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuStreamSynchronize(stream: Handle) -> Code {
    call("cuStreamSynchronize", |s| {
        s.current()?;
        let stream = s.stream_id(stream)?;
        s.not_capturing(stream)?;
        s.note(format!("stream={stream:#x}"));
        s.waits();
        if stream != 0 {
            return s.drain(stream);
        }
        let blocking: Vec<Handle> = s.streams.iter().filter(|(_, x)| x.blocking).map(|(id, _)| *id).collect();
        blocking.into_iter().try_for_each(|id| s.drain(id))
    })
}

/// Each question lets the device take one step, so that a program that asks again and again gets on.
#[unsafe(no_mangle)]
pub extern "C" fn cuStreamQuery(stream: Handle) -> Code {
    call("cuStreamQuery", |s| {
        let stream = s.stream_id(stream)?;
        s.not_capturing(stream)?;
        if s.streams[&stream].queue.is_empty() {
            return Ok(());
        }
        let ready = s.ready_streams();
        let pick = if ready.contains(&stream) { Some(stream) } else { ready.first().copied() };
        pick.map_or(Ok(()), |p| s.step(p))?;
        Err(NOT_READY)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuStreamWaitEvent(stream: Handle, event: Handle, _flags: c_uint) -> Code {
    call("cuStreamWaitEvent", |s| {
        let stream = s.stream_id(stream)?;
        let e = s.events.get(&event).ok_or(INVALID_HANDLE)?;
        let (recorded, of_event, own) = (e.recorded, e.captured, s.capture_of(stream));
        match (own, of_event) {
            (Some(a), Some(b)) if a == b => {
                if let Some(c) = s.captures.get_mut(&a) {
                    c.wait(stream, event);
                }
                Ok(())
            }
            // Waiting for a captured event draws a stream into the capture.
            (None, Some(id)) => {
                let capture = s.captures.get_mut(&id).ok_or(CAPTURED_EVENT)?;
                capture.wait(stream, event);
                if let Some(x) = s.streams.get_mut(&stream) {
                    x.capture = Some(id);
                }
                Ok(())
            }
            (Some(a), Some(_)) => {
                s.spoil(a);
                Err(CAPTURE_MERGE)
            }
            (_, None) if recorded == 0 => Ok(()),
            (Some(a), None) => {
                s.spoil(a);
                Err(CAPTURE_ISOLATION)
            }
            (None, None) => s.push(stream, Work::Wait(event, recorded)),
        }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuStreamIsCapturing(stream: Handle, out: *mut c_uint) -> Code {
    call("cuStreamIsCapturing", |s| {
        let stream = s.stream_id(stream)?;
        put(out, s.capture_status(stream))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuStreamGetCaptureInfo_v2(
    stream: Handle,
    status: *mut c_uint,
    id: *mut u64,
    graph: *mut Handle,
    dependencies: *mut *const Handle,
    count: *mut usize,
) -> Code {
    call("cuStreamGetCaptureInfo_v2", |s| {
        let stream = s.stream_id(stream)?;
        put(status, s.capture_status(stream))?;
        put_optional(id, s.capture_of(stream).unwrap_or(0) as u64);
        put_optional(graph, 0);
        put_optional(dependencies, std::ptr::null());
        put_optional(count, 0);
        Ok(())
    })
}

impl State {
    /// 0: none, 1: active, 2: spoilt.
    fn capture_status(&self, stream: Handle) -> c_uint {
        match self.capture_of(stream).and_then(|id| self.captures.get(&id)) {
            None => 0,
            Some(c) if c.broken.is_some() => 2,
            Some(_) => 1,
        }
    }

    fn spoil(&mut self, capture: Handle) {
        if let Some(c) = self.captures.get_mut(&capture) {
            c.broken = Some(CAPTURE_INVALIDATED);
        }
    }
}
