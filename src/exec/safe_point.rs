//! Safe points: the state between two passes of an outermost loop, from which a run can be repeated in
//! search of a number that is not finite, or gone on with after a stop.

use std::collections::BTreeMap;

use super::bound::Node;
use super::checkpoint::{Checkpoint, Position};
use super::outcome::{Status, Tally};
use super::run::{Left, Runner};
use super::sampling::Samplers;
use super::{Buffer, NonFinite};
use crate::schedule::ir::{LoopUnit, Schedule, Start};
use crate::tape::{Elements, Tensor};

/// Where a replay starts; the tensors lie in the shadows of [`Bound`].
pub(super) struct Snapshot {
    pub(super) pass: usize,
    iterations: usize,
    epochs: usize,
    rows: usize,
    samplers: Samplers,
    searches: Vec<Tally>,
}

impl Runner<'_> {
    /// The state at a safe point: what a replay starts from.
    pub(super) fn snapshot(&mut self, pass: usize) -> Snapshot {
        for &(state, shadow) in &self.bound.shadows {
            self.executor.copy(state, shadow);
        }
        self.counters(pass)
    }

    pub(super) fn counters(&self, pass: usize) -> Snapshot {
        Snapshot {
            pass,
            iterations: self.iterations,
            epochs: self.epochs,
            rows: self.trace.len(),
            samplers: self.samplers.clone(),
            searches: self.searches.clone(),
        }
    }

    /// The first result that is not finite, if any.
    pub(super) fn not_finite(&self) -> Option<Box<NonFinite>> {
        self.schedule.results.iter().find_map(|published| {
            let tensor = self.executor.read(self.bound.buffer(published.state));
            first_not_finite(&tensor).map(|value| not_finite(&published.name, value))
        })
    }

    /// Goes back to the last snapshot and repeats the passes since, each call traced before it runs,
    /// until the instruction shows that first made a number which is not finite. The run then stands before
    /// the pass in which it did: the last safe point where all was finite.
    pub(super) fn replay(
        &mut self,
        snapshot: &Snapshot,
        unit: LoopUnit,
        body: &[Node],
        last: usize,
        found: Box<NonFinite>,
    ) -> Status {
        self.go_back();
        self.iterations = snapshot.iterations;
        self.epochs = snapshot.epochs;
        self.trace.truncate(snapshot.rows);
        self.samplers = snapshot.samplers.clone();
        self.passes.clear();
        self.tracing = true;
        let mut status = Status::NonFinite(found);
        let mut before = snapshot.iterations;
        for pass in snapshot.pass..=last {
            before = self.snapshot(pass).iterations;
            match self.pass(unit, pass, body) {
                Ok(()) => continue,
                Err(Left::Run(own @ Status::NonFinite(_))) => status = own,
                Err(_) => {}
            }
            break;
        }
        self.tracing = false;
        self.passes.clear();
        self.go_back();
        self.finite = self.not_finite().is_none().then_some(before);
        status
    }

    /// A run ends at the last row of its trace. A device that the host ran ahead of is beyond it: the passes
    /// since the last snapshot are run once more, up to there.
    pub(super) fn stand_at_last_row(&mut self, snapshot: &Snapshot, unit: LoopUnit, body: &[Node]) {
        let rows = self.trace.len() - snapshot.rows;
        if self.executor.ahead().is_none() || rows == 0 {
            return;
        }
        self.go_back();
        (self.iterations, self.epochs) = (snapshot.iterations, snapshot.epochs);
        self.samplers = snapshot.samplers.clone();
        self.again = Some(rows);
        for pass in snapshot.pass.. {
            if self.pass(unit, pass, body).is_err() {
                break;
            }
        }
        self.again = None;
    }

    /// Every state as it was at the last snapshot.
    fn go_back(&mut self) {
        for &(state, shadow) in &self.bound.shadows {
            self.executor.copy(shadow, state);
        }
    }

    /// Keeps a checkpoint of now.
    pub(super) fn save(&mut self, position: Position) {
        let now = self.counters(position.pass);
        let buffers: Vec<Buffer> = self.bound.shadows.iter().map(|&(state, _)| state).collect();
        self.keep(&now, position, &buffers);
    }

    /// Keeps a checkpoint of the last snapshot.
    pub(super) fn save_snapshot(&mut self, snapshot: &Snapshot, statement: usize) {
        let buffers: Vec<Buffer> = self.bound.shadows.iter().map(|&(_, shadow)| shadow).collect();
        self.keep(snapshot, Position { statement, pass: snapshot.pass }, &buffers);
    }

    fn keep(&mut self, at: &Snapshot, position: Position, buffers: &[Buffer]) {
        let changing = self.schedule.states.iter().filter(|state| !state.constant);
        let states: BTreeMap<String, Tensor> =
            changing.zip(buffers).map(|(state, &buffer)| (state.name.clone(), self.executor.read(buffer))).collect();
        let checkpoint = Checkpoint {
            schedule: self.schedule.name.clone(),
            fingerprint: self.fingerprint,
            seconds: self.seconds(),
            position,
            iterations: at.iterations,
            epochs: at.epochs,
            samplers: at.samplers.positions(),
            searches: at.searches.clone(),
            trace: self.trace[..at.rows].to_vec(),
            states,
        };
        if let Err(error) = self.host.keep(&checkpoint.to_bytes()) {
            self.failed = Some(format!("the checkpoint can't be kept: {error}"));
        }
        self.kept_at = self.host.elapsed();
    }

    pub(super) fn restore(&mut self, checkpoint: Checkpoint) -> Result<Position, String> {
        if checkpoint.schedule != self.schedule.name {
            return Err(format!("the checkpoint is of `{}`, not of `{}`", checkpoint.schedule, self.schedule.name));
        }
        if checkpoint.fingerprint != self.fingerprint {
            return Err("the checkpoint is of another seed, or the file has changed since".to_string());
        }
        self.before = checkpoint.seconds;
        for (at, state) in self.schedule.states.iter().enumerate().filter(|(_, state)| !state.constant) {
            let tensor = checkpoint
                .states
                .get(&state.name)
                .filter(|tensor| tensor.ty() == state.buffer())
                .ok_or_else(|| format!("the checkpoint does not fit this file: `{}` differs", state.name))?;
            self.executor.write(self.bound.buffers[at], tensor);
        }
        self.samplers.restore(&checkpoint.samplers)?;
        self.iterations = checkpoint.iterations;
        self.epochs = checkpoint.epochs;
        self.trace = checkpoint.trace;
        if checkpoint.searches.len() == self.searches.len() {
            self.searches = checkpoint.searches;
        }
        Ok(checkpoint.position)
    }
}

/// FNV-1a of the schedule's text, its data and the seed. How often the outermost loops run is left out, so that a
/// run can be gone on with for longer.
pub(super) fn fingerprint(schedule: &Schedule, seed: u64) -> u64 {
    let text = schedule.to_string();
    let lines = text.lines().filter(|line| !line.starts_with("  repeat "));
    let data = schedule.states.iter().filter_map(|state| match &state.init {
        Start::Given(tensor) => Some(tensor.to_f64()),
        _ => None,
    });
    let bytes = lines.flat_map(|line| line.bytes().chain([b'\n'])).map(u64::from).chain([seed]);
    let join = |hash: u64, word: u64| (hash ^ word).wrapping_mul(0x0100_0000_01b3);
    let text = bytes.fold(0xcbf2_9ce4_8422_2325, join);
    // A number is one word: byte by byte, hashing large data takes longer than reading them.
    data.fold(text, |hash, numbers| numbers.iter().fold(hash, |hash, x| join(hash.rotate_left(29), x.to_bits())))
}

/// The first element that is not finite.
pub(super) fn first_not_finite(tensor: &Tensor) -> Option<f64> {
    match &tensor.elements {
        Elements::F32(v) => v.iter().find(|x| !x.is_finite()).map(|&x| f64::from(x)),
        Elements::F64(v) => v.iter().find(|x| !x.is_finite()).copied(),
        Elements::Index(_) => None,
    }
}

/// A number found where it is, its origin not known.
pub(super) fn not_finite(what: &str, value: f64) -> Box<NonFinite> {
    Box::new(NonFinite { program: String::new(), inst: what.to_string(), origin: None, value, operands: Vec::new() })
}
