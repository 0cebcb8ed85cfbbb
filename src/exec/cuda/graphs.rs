//! Work that comes again as it was is captured once, and replayed as one launch: the host then spends
//! nothing on each kernel, and the device no time between them.

use cudarc::driver::CudaGraph;
use cudarc::driver::sys::{CUgraphInstantiate_flags, CUstreamCaptureMode};

use super::Cuda;
use super::refusal::Refusal;
use super::source::{Launch, Routine};
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
        let enqueued = self.work(work);
        // A capture is ended, whatever became of it.
        let graph = stream.end_capture(CUgraphInstantiate_flags(0));
        enqueued?;
        let graph = graph.map_err(|error| Refusal::driver("cuStreamEndCapture", error))?;
        Ok(graph.expect("a capture that did not fail has a graph"))
    }
}
