//! Capture of streams into graphs, and their replay.
//!
//! A node knows those that it waits for: what stood last on its stream, and what the stream waited for since. A replay
//! takes the nodes in an order that this allows: that of the calls where work runs as it comes, else one in which the
//! last captured come as early as they may, or any.

use super::abi::put;
use super::errors::*;
use super::queue::Work;
use super::{Handle, call};
use crate::config::Schedule;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{c_uint, c_ulonglong};

/// Flags of instantiation that exist; launches from the device are none of ours.
const INSTANTIATE_FLAGS: c_ulonglong = 15;
const AUTO_FREE: c_ulonglong = 1;
const DEVICE_LAUNCH: c_ulonglong = 4;

pub(crate) struct Capture {
    nodes: Vec<Node>,
    origin: Handle,
    pub streams: BTreeSet<Handle>,
    mode: c_uint,
    /// Why nothing can come of it.
    pub broken: Option<Code>,
    /// By stream, the nodes that its next one waits for.
    tails: BTreeMap<Handle, BTreeSet<usize>>,
    /// By event, those that it stands for.
    recorded: BTreeMap<Handle, BTreeSet<usize>>,
}

#[derive(Clone)]
struct Node {
    work: Work,
    after: BTreeSet<usize>,
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
        let after = self.tails.insert(stream, BTreeSet::from([self.nodes.len()])).unwrap_or_default();
        self.nodes.push(Node { work, after });
        Ok(())
    }

    pub fn record(&mut self, stream: Handle, event: Handle) {
        self.recorded.insert(event, self.tails.get(&stream).cloned().unwrap_or_default());
    }

    /// A stream waits for an event of this capture, which draws it in.
    pub fn wait(&mut self, stream: Handle, event: Handle) {
        self.streams.insert(stream);
        let of = self.recorded.get(&event).cloned().unwrap_or_default();
        self.tails.entry(stream).or_default().extend(of);
    }

    /// Whether the origin waits for all of it.
    fn is_joined(&self) -> bool {
        let mut reached = vec![false; self.nodes.len()];
        let mut next: Vec<usize> = self.tails.get(&self.origin).into_iter().flatten().copied().collect();
        while let Some(node) = next.pop() {
            if !std::mem::replace(&mut reached[node], true) {
                next.extend(&self.nodes[node].after);
            }
        }
        reached.into_iter().all(|it| it)
    }
}

#[derive(Clone)]
pub(crate) struct Graph {
    nodes: Vec<Node>,
}

/// An order of nodes: of those whose turn may be now, `pick` takes one.
fn order(nodes: &[Node], mut pick: impl FnMut(&[usize]) -> usize) -> Vec<usize> {
    let mut left: Vec<usize> = nodes.iter().map(|node| node.after.len()).collect();
    let mut ready: Vec<usize> = (0..nodes.len()).filter(|&k| left[k] == 0).collect();
    let mut order = Vec::with_capacity(nodes.len());
    while !ready.is_empty() {
        let node = ready.remove(pick(&ready));
        order.push(node);
        for later in node + 1..nodes.len() {
            if nodes[later].after.contains(&node) {
                left[later] -= 1;
                if left[later] == 0 {
                    ready.push(later);
                }
            }
        }
        ready.sort_unstable();
    }
    order
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
            tails: BTreeMap::new(),
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
        if !capture.is_joined() {
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
        let names: Vec<String> = nodes.iter().map(|node| node.work.name()).collect();
        s.note(format!("stream={stream:#x} nodes={} [{}]", names.len(), names.join(" ")));
        let order = match s.config.schedule {
            Schedule::Eager => order(&nodes, |_| 0),
            Schedule::Lazy => order(&nodes, |ready| ready.len() - 1),
            Schedule::Random => order(&nodes, |ready| (s.random.next() % ready.len() as u64) as usize),
        };
        order.into_iter().try_for_each(|node| s.push(stream, nodes[node].work.clone()))
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
