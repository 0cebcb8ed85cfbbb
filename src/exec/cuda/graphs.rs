//! Work that comes again as it was is captured once, and replayed as one launch: the host then spends
//! nothing on each kernel, and the device no time between them. In a graph, launches of a program that leave each
//! other alone run at once: each goes to a lane, a stream beside the others.

use std::cell::RefCell;
use std::sync::Arc;

use cudarc::driver::sys::{CUgraphInstantiate_flags, CUstreamCaptureMode};
use cudarc::driver::{CudaEvent, CudaGraph, CudaStream};

use super::lanes::Lanes;
use super::refusal::Refusal;
use super::source::{Launch, Routine};
use super::{Cuda, Device};
use crate::exec::Work;

/// Sequences that are remembered, at most: passes that record, check and adapt come in a few orders.
const MOST: usize = 16;

/// Sequences of work that came before, and the graphs of those that came twice.
#[derive(Default)]
pub(super) struct Graphs(Vec<(Vec<Work>, Option<CudaGraph>)>);

impl Cuda {
    /// Enqueues work: as a graph where it came before.
    pub(super) fn enqueue_work(&mut self, work: &[Work]) -> Result<(), Refusal> {
        // A graph holds where numbers are kept and how halts are counted, from the start.
        if !self.control().is_fresh() || !work.iter().all(|piece| self.is_capturable(piece)) {
            return self.work(work);
        }
        let Some(at) = self.graphs.0.iter().position(|(seen, _)| seen == work) else {
            if self.graphs.0.len() < MOST {
                self.graphs.0.push((work.to_vec(), None));
            }
            return self.work(work);
        };
        if self.graphs.0[at].1.is_none() {
            self.graphs.0[at].1 = Some(self.capture(work)?);
        } else {
            self.control_mut().count(work);
        }
        let graph = self.graphs.0[at].1.as_ref().expect("captured above");
        graph.launch().map_err(|error| Refusal::driver("cuGraphLaunch", error))
    }

    /// Whether a piece of work may be captured: cuSOLVER's routines may not.
    fn is_capturable(&self, piece: &Work) -> bool {
        match *piece {
            Work::Run { call, .. } | Work::Pick { call, .. } => {
                let launches = &self.calls[call.0 as usize].source.launches;
                launches.iter().all(|launch| match launch {
                    Launch::Kernel { .. } | Launch::Routine(Routine::Product(_) | Routine::Solve { .. }) => true,
                    Launch::Routine(_) => false,
                })
            }
            Work::Fill { .. } | Work::Keep { .. } | Work::Halt { .. } => true,
        }
    }

    fn capture(&mut self, work: &[Work]) -> Result<CudaGraph, Refusal> {
        let stream = self.device.stream().clone();
        let begun = stream.begin_capture(CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
        begun.map_err(|error| Refusal::driver("cuStreamBeginCapture", error))?;
        self.forks.capturing = true;
        let enqueued = self.work(work);
        self.forks.capturing = false;
        // A capture is ended, whatever became of it.
        let graph = stream.end_capture(CUgraphInstantiate_flags(0));
        enqueued?;
        let graph = graph.map_err(|error| Refusal::driver("cuStreamEndCapture", error))?;
        Ok(graph.expect("a capture that did not fail has a graph"))
    }
}

/// The streams of the lanes.
#[derive(Default)]
pub(super) struct Forks {
    /// Those beside the device's own, which is lane 0.
    streams: Vec<Arc<CudaStream>>,
    /// Whether a graph is captured: what is enqueued as it comes goes to one stream.
    capturing: bool,
}

impl Forks {
    /// Opens the streams of so many lanes.
    pub fn open(&mut self, device: &Device, lanes: usize) -> Result<(), Refusal> {
        while self.streams.len() + 1 < lanes {
            let opened = device.stream().context().new_stream();
            self.streams.push(opened.map_err(|error| Refusal::driver("cuStreamCreate", error))?);
        }
        Ok(())
    }

    /// The stream of each lane.
    pub fn streams<'a>(&'a self, device: &'a Device) -> impl Iterator<Item = &'a Arc<CudaStream>> {
        std::iter::once(device.stream()).chain(&self.streams)
    }

    /// Parts the lanes of a program's launches.
    pub fn fork<'a>(&'a self, device: &'a Device, lanes: &'a Lanes) -> Result<Forked<'a>, Refusal> {
        let lanes = Some(lanes).filter(|lanes| self.capturing && lanes.count > 1);
        let forked = Forked { main: device.stream(), streams: &self.streams, lanes, events: RefCell::default() };
        if let Some(lanes) = lanes {
            let start = record(forked.main)?;
            self.streams[..lanes.count - 1].iter().try_for_each(|stream| wait(stream, &start))?;
        }
        Ok(forked)
    }
}

/// Lanes under way.
pub(super) struct Forked<'a> {
    main: &'a Arc<CudaStream>,
    streams: &'a [Arc<CudaStream>],
    /// None where all is one lane.
    lanes: Option<&'a Lanes>,
    /// What was recorded behind launches that others wait for.
    events: RefCell<Vec<(usize, CudaEvent)>>,
}

impl Forked<'_> {
    fn stream(&self, lane: usize) -> &CudaStream {
        if lane == 0 { self.main } else { &self.streams[lane - 1] }
    }

    /// The lane and the stream of a launch, once it waits for what it has to.
    pub fn enter(&self, launch: usize) -> Result<(usize, &CudaStream), Refusal> {
        let Some(lanes) = self.lanes else { return Ok((0, self.main)) };
        let it = &lanes.each[launch];
        let stream = self.stream(it.lane);
        it.after.iter().try_for_each(|&before| self.await_launch(stream, before))?;
        Ok((it.lane, stream))
    }

    /// Behind a launch.
    pub fn leave(&self, launch: usize) -> Result<(), Refusal> {
        if let Some(it) = self.lanes.map(|lanes| &lanes.each[launch]).filter(|it| it.awaited) {
            self.events.borrow_mut().push((launch, record(self.stream(it.lane))?));
        }
        Ok(())
    }

    /// The lanes are one again.
    pub fn join(&self) -> Result<(), Refusal> {
        let Some(lanes) = self.lanes else { return Ok(()) };
        for lane in 1..lanes.count {
            let tail = lanes.each.iter().rposition(|it| it.lane == lane).expect("a lane has launches");
            self.await_launch(self.main, tail)?;
        }
        Ok(())
    }

    fn await_launch(&self, stream: &CudaStream, launch: usize) -> Result<(), Refusal> {
        let events = self.events.borrow();
        let (_, event) = events.iter().find(|(of, _)| *of == launch).expect("recorded behind the launch");
        wait(stream, event)
    }
}

fn record(stream: &CudaStream) -> Result<CudaEvent, Refusal> {
    stream.record_event(None).map_err(|error| Refusal::driver("cuEventRecord", error))
}

fn wait(stream: &CudaStream, event: &CudaEvent) -> Result<(), Refusal> {
    stream.wait(event).map_err(|error| Refusal::driver("cuStreamWaitEvent", error))
}
