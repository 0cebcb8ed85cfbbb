//! Streams as queues: what is on them, and when it runs.
//!
//! Nothing runs before it must (`lazy`): when the host waits for a stream or an event, or when a blocking
//! stream and the default stream order each other. `eager` runs work as it comes; `random` runs, when it must run
//! something, pieces of any stream that is ready.

use super::errors::*;
use super::launch::LaunchWork;
use super::{CURRENT, Handle, State};
use crate::config::Schedule;
use crate::machine;
use crate::machine::fault::{Fault, FaultKind};
use crate::machine::memory::{Memory, Unusable};
use std::collections::VecDeque;
use std::ffi::c_void;
use std::sync::Arc;
use std::time::Instant;

/// A library's work on the device.
pub(crate) type LibraryWork = Arc<dyn Fn(&mut Memory) -> Result<(), Fault> + Send + Sync>;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Direction {
    HostToDevice,
    DeviceToHost,
    DeviceToDevice,
}

impl std::fmt::Display for Direction {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(match self {
            Direction::HostToDevice => "HtoD",
            Direction::DeviceToHost => "DtoH",
            Direction::DeviceToDevice => "DtoD",
        })
    }
}

#[derive(Clone)]
pub(crate) enum Work {
    Copy {
        direction: Direction,
        to: u64,
        from: u64,
        length: usize,
    },
    /// Bytes that were taken from the host when the call was made.
    Upload {
        to: u64,
        data: Arc<Vec<u8>>,
    },
    Fill {
        to: u64,
        value: u32,
        width: usize,
        count: usize,
    },
    Launch(Arc<LaunchWork>),
    /// An event and the number of this recording.
    Record(Handle, u64),
    Wait(Handle, u64),
    Allocate(u64),
    Free(u64),
    /// A function of the host with its argument.
    Host(extern "C" fn(*mut c_void), usize),
    Library(&'static str, LibraryWork),
}

impl Work {
    /// For the log.
    pub fn name(&self) -> String {
        match self {
            Work::Copy { direction, length, .. } => format!("copy({direction},{length})"),
            Work::Upload { data, .. } => format!("copy(HtoD,{})", data.len()),
            Work::Fill { width, count, .. } => format!("fill({})", width * count),
            Work::Launch(l) => l.name().to_string(),
            Work::Record(..) => "record".into(),
            Work::Wait(..) => "wait".into(),
            Work::Allocate(_) => "allocate".into(),
            Work::Free(_) => "free".into(),
            Work::Host(..) => "host".into(),
            Work::Library(name, _) => name.to_string(),
        }
    }
}

pub(crate) struct Stream {
    pub queue: VecDeque<Work>,
    /// It and the default stream wait for each other.
    pub blocking: bool,
    pub flags: u32,
    pub capture: Option<Handle>,
}

impl Stream {
    pub fn new(flags: u32) -> Stream {
        Stream { queue: VecDeque::new(), blocking: flags & 1 == 0, flags, capture: None }
    }
}

impl State {
    /// The handle of a stream that lives; the two names of the default stream are one here.
    pub fn stream_id(&self, stream: Handle) -> Outcome<Handle> {
        let stream = if stream <= 2 { 0 } else { stream };
        if self.streams.contains_key(&stream) { Ok(stream) } else { Err(INVALID_HANDLE) }
    }

    pub fn current(&self) -> Outcome<Handle> {
        match CURRENT.get() {
            0 => Err(INVALID_CONTEXT),
            context => Ok(context),
        }
    }

    pub fn capture_of(&self, stream: Handle) -> Option<Handle> {
        self.streams.get(&stream).and_then(|s| s.capture)
    }

    /// Puts work on a stream: into the graph where it captures, else on its queue.
    pub fn push(&mut self, stream: Handle, work: Work) -> Outcome {
        self.current()?;
        let stream = self.stream_id(stream)?;
        if let Some(id) = self.capture_of(stream) {
            let capture = self.captures.get_mut(&id).ok_or(CAPTURE_INVALIDATED)?;
            return capture.add(stream, work);
        }
        if stream == 0 {
            self.legacy_allowed()?;
            let blocking: Vec<Handle> =
                self.streams.iter().filter(|(id, s)| **id != 0 && s.blocking).map(|(id, _)| *id).collect();
            blocking.into_iter().try_for_each(|id| self.drain(id))?;
        } else if self.streams[&stream].blocking {
            self.drain(0)?;
        }
        if let Some(s) = self.streams.get_mut(&stream) {
            s.queue.push_back(work);
        }
        if self.config.schedule == Schedule::Eager { self.drain_all() } else { Ok(()) }
    }

    /// The default stream may not be used while a blocking stream captures.
    fn legacy_allowed(&mut self) -> Outcome {
        let blocking = |id: &Handle| self.streams.get(id).is_some_and(|s| s.blocking);
        if self.captures.values().any(|c| c.is_global() && c.streams.iter().any(blocking)) {
            self.captures.values_mut().filter(|c| c.is_global()).for_each(|c| c.broken = Some(CAPTURE_INVALIDATED));
            return Err(CAPTURE_IMPLICIT);
        }
        Ok(())
    }

    /// Refuses a wait for a stream that captures, which spoils the capture.
    pub fn not_capturing(&mut self, stream: Handle) -> Outcome {
        let Some(id) = self.capture_of(stream) else { return Ok(()) };
        if let Some(c) = self.captures.get_mut(&id) {
            c.broken = Some(CAPTURE_INVALIDATED);
        }
        Err(CAPTURE_UNSUPPORTED)
    }

    /// Calls that may touch everything are refused while a capture that isn't relaxed is open.
    pub fn no_captures(&mut self) -> Outcome {
        let mut open = self.captures.values_mut().filter(|c| !c.is_relaxed()).peekable();
        if open.peek().is_none() {
            return Ok(());
        }
        open.for_each(|c| c.broken = Some(CAPTURE_INVALIDATED));
        Err(CAPTURE_UNSUPPORTED)
    }

    fn is_ready(&self, stream: Handle) -> bool {
        match self.streams.get(&stream).and_then(|s| s.queue.front()) {
            None => false,
            Some(Work::Wait(event, number)) => self.events.get(event).is_none_or(|e| e.done >= *number),
            Some(_) => true,
        }
    }

    pub fn ready_streams(&self) -> Vec<Handle> {
        self.streams.keys().copied().filter(|s| self.is_ready(*s)).collect()
    }

    /// Runs the first piece of a stream.
    pub fn step(&mut self, stream: Handle) -> Outcome {
        let Some(work) = self.streams.get_mut(&stream).and_then(|s| s.queue.pop_front()) else { return Ok(()) };
        self.run(&work).map_err(|fault| self.fail(fault))
    }

    /// Runs until a stream's queue is empty, and as little else as may be.
    pub fn drain(&mut self, stream: Handle) -> Outcome {
        while self.streams.get(&stream).is_some_and(|s| !s.queue.is_empty()) {
            let ready = self.ready_streams();
            if ready.is_empty() {
                let fault = Fault::outside(FaultKind::Deadlock, "streams wait for each other's events");
                return Err(self.fail(fault));
            }
            let pick = match self.config.schedule {
                Schedule::Random => ready[(self.random.next() % ready.len() as u64) as usize],
                _ => self.what_holds_up(stream).unwrap_or(ready[0]),
            };
            self.step(pick)?;
        }
        Ok(())
    }

    /// The stream itself if it can go on, else one that leads to the event for which it waits.
    fn what_holds_up(&self, stream: Handle) -> Option<Handle> {
        let mut at = stream;
        for _ in 0..=self.streams.len() {
            if self.is_ready(at) {
                return Some(at);
            }
            let Some(Work::Wait(event, number)) = self.streams.get(&at)?.queue.front() else { return None };
            at = self.recorder(*event, *number)?;
        }
        None
    }

    /// The stream that will record an event.
    pub fn recorder(&self, event: Handle, number: u64) -> Option<Handle> {
        let records = |w: &Work| matches!(w, Work::Record(e, n) if *e == event && *n >= number);
        self.streams.iter().find(|(_, s)| s.queue.iter().any(records)).map(|(id, _)| *id)
    }

    pub fn drain_all(&mut self) -> Outcome {
        let all: Vec<Handle> = self.streams.keys().copied().collect();
        all.into_iter().try_for_each(|s| self.drain(s))
    }

    fn run(&mut self, work: &Work) -> Result<(), Fault> {
        match work {
            Work::Copy { direction, to, from, length } => self.copy(*direction, *to, *from, *length),
            Work::Upload { to, data } => {
                self.memory.write(*to, data).map_err(|why| out_of_bounds("a copy to the device", *to, data.len(), why))
            }
            Work::Fill { to, value, width, count } => {
                let pattern = &value.to_le_bytes()[..*width];
                let data = pattern.repeat(*count);
                self.memory.write(*to, &data).map_err(|why| out_of_bounds("a fill", *to, data.len(), why))
            }
            Work::Launch(launch) => self.launch(launch),
            Work::Record(event, number) => {
                if let Some(e) = self.events.get_mut(event) {
                    e.done = e.done.max(*number);
                    e.time = Some(Instant::now());
                    if e.gone && e.done >= e.recorded {
                        self.events.remove(event);
                    }
                }
                Ok(())
            }
            Work::Wait(..) => Ok(()),
            Work::Allocate(at) => {
                self.memory.set_live(*at);
                Ok(())
            }
            Work::Free(at) => {
                if self.memory.check(*at, 0).is_err() {
                    let fault = Fault::outside(FaultKind::UseAfterFree, format!("a second free of {at:#x}"));
                    return Err(fault);
                }
                self.memory.free(*at);
                Ok(())
            }
            Work::Host(function, argument) => {
                function(*argument as *mut c_void);
                Ok(())
            }
            Work::Library(_, work) => work(&mut self.memory),
        }
    }

    fn copy(&mut self, direction: Direction, to: u64, from: u64, length: usize) -> Result<(), Fault> {
        let bad = |at: u64| move |why: Unusable| out_of_bounds(&format!("a copy {direction}"), at, length, why);
        match direction {
            Direction::HostToDevice => {
                let data = super::abi::bytes(from as *const c_void, length)
                    .map_err(|_| Fault::outside(FaultKind::Copy, "a copy HtoD from a null pointer"))?;
                self.memory.write(to, &data).map_err(bad(to))
            }
            Direction::DeviceToDevice => {
                self.memory.check(from, length as u64).map_err(bad(from))?;
                self.memory.copy(to, from, length).map_err(bad(to))
            }
            Direction::DeviceToHost => {
                let unwritten = self.memory.first_unwritten(from, length).map_err(bad(from))?;
                if let (Some(offset), true) = (unwritten, self.config.machine.unwritten) {
                    let text = format!("a copy DtoH of {length} bytes from {from:#x}: byte {offset} is the first such");
                    return Err(Fault::outside(FaultKind::Unwritten, text));
                }
                let (bytes, _) = self.memory.slices(from, length).map_err(bad(from))?;
                super::abi::put_bytes(to as *mut c_void, bytes);
                Ok(())
            }
        }
    }

    fn launch(&mut self, launch: &LaunchWork) -> Result<(), Fault> {
        self.launches += 1;
        let counters = self.record.kernels.entry(launch.name().to_string()).or_default();
        let job = launch.job(self.launches);
        machine::run(&job, &mut self.memory, &self.config.machine, counters)
    }
}

/// A range that a copy or a library can't use.
pub(crate) fn out_of_bounds(what: &str, at: u64, length: usize, why: Unusable) -> Fault {
    let kind = match why {
        Unusable::Freed { .. } => FaultKind::UseAfterFree,
        _ => FaultKind::Copy,
    };
    Fault::outside(kind, format!("{what} of {length} bytes at {at:#x}, {why}"))
}
