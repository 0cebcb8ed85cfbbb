//! Events. A recording has a number; an event is done when its last recording has run.

use super::abi::put;
use super::errors::*;
use super::queue::Work;
use super::{Handle, State, call};
use std::ffi::c_uint;
use std::time::Instant;

#[derive(Default)]
pub(crate) struct Event {
    /// How often it was recorded, and the number of the last recording that has run.
    pub recorded: u64,
    pub done: u64,
    pub time: Option<Instant>,
    pub timed: bool,
    /// The capture in which it was last recorded.
    pub captured: Option<Handle>,
    /// Destroyed, but queues still name it.
    pub gone: bool,
}

impl State {
    fn event(&mut self, event: Handle) -> Outcome<&mut Event> {
        self.events.get_mut(&event).filter(|e| !e.gone).ok_or(INVALID_HANDLE)
    }

    /// Asking for an event that was captured spoils the capture.
    fn uncaptured(&mut self, event: Handle) -> Outcome {
        let Some(id) = self.event(event)?.captured else { return Ok(()) };
        if let Some(c) = self.captures.get_mut(&id) {
            c.broken = Some(CAPTURE_INVALIDATED);
        }
        Err(CAPTURED_EVENT)
    }

    fn elapsed(&mut self, out: *mut f32, from: Handle, to: Handle) -> Outcome {
        let mut times = [None; 2];
        for (time, event) in times.iter_mut().zip([from, to]) {
            let e = self.event(event)?;
            if !e.timed || e.recorded == 0 {
                return Err(INVALID_HANDLE);
            }
            *time = if e.done >= e.recorded { e.time } else { None };
        }
        let [Some(from), Some(to)] = times else { return Err(NOT_READY) };
        put(out, to.saturating_duration_since(from).as_secs_f32() * 1e3)
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn cuEventCreate(out: *mut Handle, flags: c_uint) -> Code {
    call("cuEventCreate", |s| {
        s.current()?;
        let event = s.handle();
        put(out, event)?;
        s.events.insert(event, Event { timed: flags & 2 == 0, ..Event::default() });
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuEventDestroy_v2(event: Handle) -> Code {
    call("cuEventDestroy_v2", |s| {
        let e = s.event(event)?;
        e.gone = true;
        if e.done >= e.recorded {
            s.events.remove(&event);
        }
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuEventRecord(event: Handle, stream: Handle) -> Code {
    call("cuEventRecord", |s| {
        let stream = s.stream_id(stream)?;
        let capture = s.capture_of(stream);
        let e = s.event(event)?;
        e.captured = capture;
        if let Some(id) = capture {
            if let Some(c) = s.captures.get_mut(&id) {
                c.record(stream, event);
            }
            return Ok(());
        }
        e.recorded += 1;
        let number = e.recorded;
        s.push(stream, Work::Record(event, number))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuEventQuery(event: Handle) -> Code {
    call("cuEventQuery", |s| {
        s.uncaptured(event)?;
        let e = s.event(event)?;
        if e.done >= e.recorded {
            return Ok(());
        }
        if let Some(stream) = s.ready_streams().first() {
            s.step(*stream)?;
        }
        Err(NOT_READY)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuEventSynchronize(event: Handle) -> Code {
    call("cuEventSynchronize", |s| {
        s.uncaptured(event)?;
        s.waits();
        let wanted = s.event(event)?.recorded;
        while s.events.get(&event).is_some_and(|e| e.done < wanted) {
            let ready = s.ready_streams();
            let own = s.recorder(event, 0).filter(|r| ready.contains(r));
            let next = own.or(ready.first().copied()).ok_or(LAUNCH_FAILED)?;
            s.step(next)?;
        }
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuEventElapsedTime(out: *mut f32, from: Handle, to: Handle) -> Code {
    call("cuEventElapsedTime", |s| s.elapsed(out, from, to))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuEventElapsedTime_v2(out: *mut f32, from: Handle, to: Handle) -> Code {
    call("cuEventElapsedTime_v2", |s| s.elapsed(out, from, to))
}
