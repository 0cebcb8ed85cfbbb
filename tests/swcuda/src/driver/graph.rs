//! Capture of streams into graphs, and their replay.
//!
//! A graph keeps its nodes in the order of the calls, which is one of the orders that their dependencies allow.

use super::abi::put;
use super::errors::*;
use super::queue::Work;
use super::{Handle, call};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{c_uint, c_ulonglong};

/// Flags of instantiation that exist; launches from the device are none of ours.
const INSTANTIATE_FLAGS: c_ulonglong = 15;
const AUTO_FREE: c_ulonglong = 1;
const DEVICE_LAUNCH: c_ulonglong = 4;

pub(crate) struct Capture {
    nodes: Vec<Work>,
    origin: Handle,
    pub streams: BTreeSet<Handle>,
    mode: c_uint,
    /// Why nothing can come of it.
    pub broken: Option<Code>,
    /// Streams with work that the origin does not wait for yet.
    unjoined: BTreeSet<Handle>,
    /// By event, the stream that recorded it.
    recorded: BTreeMap<Handle, Handle>,
}

impl Capture {
    pub fn is_global(&self) -> bool {
        self.mode == 0
    }

    pub fn is_relaxed(&self) -> bool {
        self.mode == 2
    }

    pub fn add(&mut self, stream: Handle, work: Work) -> Outcome {
        if let Some(code) = self.broken {
            return Err(code);
        }
        if stream != self.origin {
            self.unjoined.insert(stream);
        }
        self.nodes.push(work);
        Ok(())
    }

    pub fn draw_in(&mut self, stream: Handle) {
        self.streams.insert(stream);
        self.unjoined.insert(stream);
    }

    pub fn record(&mut self, stream: Handle, event: Handle) {
        self.recorded.insert(event, stream);
    }

    /// A stream waits for an event of this capture: what was recorded is joined.
    pub fn join(&mut self, event: Handle) {
        if let Some(from) = self.recorded.get(&event) {
            self.unjoined.remove(from);
        }
    }
}

#[derive(Clone)]
pub(crate) struct Graph {
    nodes: Vec<Work>,
}

#[unsafe(no_mangle)]
pub extern "C" fn cuStreamBeginCapture_v2(stream: Handle, mode: c_uint) -> Code {
    call("cuStreamBeginCapture_v2", |s| {
        s.current()?;
        let stream = s.stream_id(stream)?;
        if stream == 0 {
            return Err(CAPTURE_UNSUPPORTED);
        }
        if mode > 2 || s.capture_of(stream).is_some() {
            return Err(INVALID_VALUE);
        }
        let id = s.handle();
        let capture = Capture {
            nodes: Vec::new(),
            origin: stream,
            streams: BTreeSet::from([stream]),
            mode,
            broken: None,
            unjoined: BTreeSet::new(),
            recorded: BTreeMap::new(),
        };
        s.captures.insert(id, capture);
        if let Some(x) = s.streams.get_mut(&stream) {
            x.capture = Some(id);
        }
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuStreamEndCapture(stream: Handle, out: *mut Handle) -> Code {
    call("cuStreamEndCapture", |s| {
        let stream = s.stream_id(stream)?;
        put(out, 0)?;
        let id = s.capture_of(stream).ok_or(INVALID_VALUE)?;
        if s.captures.get(&id).is_some_and(|c| c.origin != stream) {
            return Err(CAPTURE_UNMATCHED);
        }
        let capture = s.captures.remove(&id).ok_or(INVALID_VALUE)?;
        for member in &capture.streams {
            if let Some(x) = s.streams.get_mut(member) {
                x.capture = None;
            }
        }
        if let Some(code) = capture.broken {
            return Err(code);
        }
        if !capture.unjoined.is_empty() {
            return Err(CAPTURE_UNJOINED);
        }
        let graph = s.handle();
        s.note(format!("nodes={}", capture.nodes.len()));
        s.graphs.insert(graph, Graph { nodes: capture.nodes });
        put(out, graph)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuGraphInstantiateWithFlags(out: *mut Handle, graph: Handle, flags: c_ulonglong) -> Code {
    call("cuGraphInstantiateWithFlags", |s| {
        let both = AUTO_FREE | DEVICE_LAUNCH;
        if flags & !INSTANTIATE_FLAGS != 0 || flags & both == both {
            return Err(INVALID_VALUE);
        }
        let copy = s.graphs.get(&graph).ok_or(INVALID_VALUE)?.clone();
        let executable = s.handle();
        put(out, executable)?;
        s.executables.insert(executable, copy);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuGraphLaunch(executable: Handle, stream: Handle) -> Code {
    call("cuGraphLaunch", |s| {
        let nodes = s.executables.get(&executable).ok_or(INVALID_VALUE)?.nodes.clone();
        let names: Vec<String> = nodes.iter().map(Work::name).collect();
        s.note(format!("stream={stream:#x} nodes={} [{}]", names.len(), names.join(" ")));
        nodes.into_iter().try_for_each(|work| s.push(stream, work))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuGraphUpload(executable: Handle, _stream: Handle) -> Code {
    call("cuGraphUpload", |s| s.executables.get(&executable).map(drop).ok_or(INVALID_VALUE))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuGraphExecDestroy(executable: Handle) -> Code {
    call("cuGraphExecDestroy", |s| s.executables.remove(&executable).map(drop).ok_or(INVALID_VALUE))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuGraphDestroy(graph: Handle) -> Code {
    call("cuGraphDestroy", |s| s.graphs.remove(&graph).map(drop).ok_or(INVALID_VALUE))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuGraphGetNodes(graph: Handle, _nodes: *mut Handle, count: *mut usize) -> Code {
    call("cuGraphGetNodes", |s| put(count, s.graphs.get(&graph).ok_or(INVALID_VALUE)?.nodes.len()))
}
