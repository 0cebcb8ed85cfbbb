//! The loop: a schedule on a device, watched by a host.
//!
//! A run is a function of the schedule, the seed and the device, so a checkpoint (states, counters,
//! sampler positions) is all that is needed to go on with the same bits. Checkpoints and stops
//! happen between two passes of an outermost loop: the *safe points*.

use std::collections::BTreeMap;

use super::bound::{self, Bound, Node};
use super::checkpoint::{Checkpoint, Position};
use super::observer::{Observer, Progress};
use super::outcome::{Answer, Outcome, Picture, Row, Share, Status};
use super::sampling::Samplers;
use super::verdict;
use super::{Executor, NonFinite};
use crate::host::{Host, Stop};
use crate::schedule::ir::{Due, LoopUnit, RecordStmt, SaveStmt, Schedule, StopStatus};
use crate::tape::{Elements, Tensor};

/// Seconds between two checkpoints.
const CHECKPOINT_EVERY: f64 = 20.0;

/// Seconds that a stop may wait for the next safe point before it takes effect where it is.
const PATIENCE: f64 = 1.0;

/// Passes between two snapshots of the state, once a run has settled: a non-finite number is found
/// by replaying at most so many.
const SNAPSHOT_EVERY: usize = 64;

/// Most halvings of a step in a line search: 2⁻⁴⁰ is below the noise of any objective.
const MOST_HALVINGS: usize = 40;

/// Armijo's constant (Nocedal & Wright 2006, §3.1).
const ARMIJO: f64 = 1e-4;

/// Executes `schedule` on `executor`; every random number comes from `seed`.
///
/// # Errors
/// A sentence, where the host's checkpoint is not one of this schedule or can't be read or kept.
pub fn run(
    schedule: &Schedule,
    executor: &mut dyn Executor,
    host: &dyn Host,
    observer: &mut dyn Observer,
    seed: u64,
) -> Result<Outcome, String> {
    let resume = host.resume().map_err(|error| format!("the checkpoint can't be read: {error}"))?;
    let bound = bound::bind(schedule, executor, seed);
    let samplers = Samplers::new(schedule, seed);
    let mut runner = Runner {
        schedule,
        bound: &bound,
        executor,
        host,
        observer,
        samplers,
        kept_at: 0.0,
        failed: None,
        iterations: 0,
        epochs: 0,
        passes: Vec::new(),
        trace: Vec::new(),
        shares: vec![(0.0, 0); bound.shares.len()],
        stop_since: None,
        tracing: false,
    };
    let mut start = Position::default();
    match resume {
        Some(bytes) => start = runner.restore(Checkpoint::from_bytes(&bytes)?)?,
        None => runner.draw_fixed(),
    }
    let ended = runner.outermost(start);
    match runner.failed.take() {
        Some(sentence) => Err(sentence),
        None => Ok(runner.finish(ended)),
    }
}

/// Why a body was left before its end.
enum Left {
    /// The innermost loop is done.
    Loop(StopStatus),
    /// The run is over.
    Run(Status),
}

/// How the outermost statements ended.
enum Ended {
    Completed,
    Converged,
    LimitReached,
    Early(Status),
}

struct Runner<'a> {
    schedule: &'a Schedule,
    bound: &'a Bound,
    executor: &'a mut dyn Executor,
    host: &'a dyn Host,
    observer: &'a mut dyn Observer,
    samplers: Samplers,
    iterations: usize,
    epochs: usize,
    /// Unit and one-based pass of every loop around, outermost first.
    passes: Vec<(LoopUnit, usize)>,
    trace: Vec<Row>,
    shares: Vec<(f64, usize)>,
    stop_since: Option<f64>,
    kept_at: f64,
    /// Why a checkpoint could not be kept.
    failed: Option<String>,
    /// Whether every call is traced for its first non-finite number before it runs.
    tracing: bool,
}

impl Runner<'_> {
    /// Runs the top-level statements from a position on, with snapshots and checkpoints at the safe
    /// points.
    fn outermost(&mut self, start: Position) -> Ended {
        let bound = self.bound;
        let mut ended = Ended::Completed;
        for (statement, node) in bound.body.iter().enumerate().skip(start.statement) {
            let Node::Loop { count, unit, body, tested } = node else {
                match self.node(node) {
                    Ok(()) => continue,
                    Err(Left::Run(status)) => return Ended::Early(status),
                    Err(Left::Loop(_)) => unreachable!("a stop stands inside a loop (schedule::verify)"),
                }
            };
            let first = if statement == start.statement { start.pass } else { 0 };
            if *tested {
                ended = Ended::LimitReached;
            }
            let mut snapshot = self.snapshot(first);
            for pass in first..*count {
                match self.pass(*unit, pass, body) {
                    Ok(()) => {}
                    Err(Left::Loop(StopStatus::Converged)) => {
                        ended = Ended::Converged;
                        break;
                    }
                    Err(Left::Loop(StopStatus::Inner)) => break,
                    Err(Left::Run(Status::NonFinite(found))) => {
                        return Ended::Early(self.replay(&snapshot, *unit, body, pass, found));
                    }
                    Err(Left::Run(status)) => return Ended::Early(status),
                }
                let done = pass + 1;
                self.observer.progress(Progress { done, planned: *count, unit: unit.word() });
                let position = Position { statement, pass: done };
                if let Some(reason) = self.host.stop() {
                    self.save(position);
                    return Ended::Early(stopped(reason));
                }
                if self.host.elapsed() - self.kept_at > CHECKPOINT_EVERY {
                    self.save(position);
                }
                if (done < SNAPSHOT_EVERY && done.is_power_of_two()) || done % SNAPSHOT_EVERY == 0 {
                    snapshot = self.snapshot(done);
                }
            }
        }
        ended
    }

    fn pass(&mut self, unit: LoopUnit, pass: usize, body: &[Node]) -> Result<(), Left> {
        let in_batch = self.passes.iter().any(|&(unit, _)| unit == LoopUnit::Batch);
        self.passes.push((unit, pass + 1));
        match unit {
            LoopUnit::Epoch => self.epochs += 1,
            LoopUnit::Batch => self.iterations += 1,
            LoopUnit::Iteration if !in_batch => self.iterations += 1,
            LoopUnit::Iteration | LoopUnit::Step => {}
        }
        let result = self.body(body);
        self.passes.pop();
        result
    }

    fn body(&mut self, body: &[Node]) -> Result<(), Left> {
        body.iter().try_for_each(|node| self.node(node))
    }

    fn node(&mut self, node: &Node) -> Result<(), Left> {
        match node {
            Node::Call { call, over, share } => {
                let start = self.host.elapsed();
                for member in 0..over.unwrap_or(1) {
                    if self.tracing
                        && let Some(found) = self.executor.trace(*call, member)
                    {
                        return Err(Left::Run(Status::NonFinite(Box::new(found))));
                    }
                    self.executor.run(*call, member);
                }
                self.shares[*share].0 += self.host.elapsed() - start;
                self.shares[*share].1 += 1;
                Ok(())
            }
            Node::Loop { count, unit, body, .. } => {
                for pass in 0..*count {
                    self.impatient()?;
                    match self.pass(*unit, pass, body) {
                        Ok(()) => {}
                        Err(Left::Loop(_)) => break,
                        Err(left) => return Err(left),
                    }
                }
                Ok(())
            }
            Node::Draw { sampler, calls, step } => {
                self.samplers.draw(*sampler, self.schedule, self.bound, self.executor, *step);
                self.body(calls)
            }
            Node::Stop { when, status } => {
                if self.executor.item(*when) == 0.0 {
                    Ok(())
                } else {
                    Err(Left::Loop(*status))
                }
            }
            Node::If { when, body } => {
                if self.executor.item(*when) == 0.0 {
                    Ok(())
                } else {
                    self.body(body)
                }
            }
            Node::When { when, body } => {
                if self.due(when) {
                    self.body(body)
                } else {
                    Ok(())
                }
            }
            Node::Record(record) => self.record(record),
            Node::Save(save) => {
                self.picture(save);
                Ok(())
            }
            Node::LineSearch { trial, step, value, value_new, slope, failed } => {
                let (value, slope) = (self.executor.item(*value), self.executor.item(*slope));
                let eps = self.executor.read(*step).dtype().eps();
                let mut t = 1.0;
                let mut found = false;
                for _ in 0..MOST_HALVINGS {
                    self.write_scalar(*step, t);
                    self.node(trial)?;
                    let new = self.executor.item(*value_new);
                    // A NaN compares false, so a step out of the domain is halved as well.
                    if new <= value + ARMIJO * t * slope + eps * value.abs() {
                        found = true;
                        break;
                    }
                    t /= 2.0;
                }
                if !found {
                    self.write_scalar(*step, 0.0);
                    self.node(trial)?;
                }
                self.write_scalar(*failed, if found { 0.0 } else { 1.0 });
                Ok(())
            }
        }
    }

    /// Ends the run inside a long pass once a stop has waited long enough.
    fn impatient(&mut self) -> Result<(), Left> {
        let Some(reason) = self.host.stop() else { return Ok(()) };
        let now = self.host.elapsed();
        let since = *self.stop_since.get_or_insert(now);
        if now - since > PATIENCE { Err(Left::Run(stopped(reason))) } else { Ok(()) }
    }

    fn due(&self, when: &Due) -> bool {
        // Counted since the start of the run, so that loops around do not start them anew; passes of a
        // plain `repeat … times` are its own.
        let pass = |unit: LoopUnit| match (unit, self.passes.last()) {
            (LoopUnit::Epoch, _) => self.epochs,
            (_, Some(&(LoopUnit::Step, pass))) => pass,
            _ => self.iterations,
        };
        match when {
            Due::Every(count, unit) => pass(*unit) % count == 0,
            Due::At(points, unit) => points.contains(&pass(*unit)),
        }
    }

    fn epoch(&self) -> Option<usize> {
        (self.epochs > 0).then_some(self.epochs)
    }

    fn record(&mut self, record: &RecordStmt) -> Result<(), Left> {
        let values: Vec<(String, f64)> = record
            .values
            .iter()
            .map(|(name, state)| (name.clone(), self.executor.item(self.bound.buffer(*state))))
            .collect();
        let bad = values.iter().find(|(_, value)| !value.is_finite()).cloned();
        let row = Row { epoch: self.epoch(), iteration: self.iterations, seconds: self.host.elapsed(), values };
        self.observer.row(&row);
        self.trace.push(row);
        match bad {
            None => Ok(()),
            Some((name, value)) => Err(Left::Run(Status::NonFinite(Box::new(NonFinite {
                program: String::new(),
                inst: name,
                origin: None,
                value,
                operands: Vec::new(),
            })))),
        }
    }

    fn picture(&mut self, save: &SaveStmt) {
        let name = match self.epoch() {
            Some(epoch) => format!("{}_epoch{epoch:04}", save.name),
            None => format!("{}_{:06}", save.name, self.iterations),
        };
        let images = self.executor.read(self.bound.buffer(save.images));
        self.observer.picture(&Picture { name, images, rows: save.rows, columns: save.columns });
    }

    fn write_scalar(&mut self, buffer: super::Buffer, value: f64) {
        let dtype = self.executor.read(buffer).dtype();
        self.executor.write(buffer, &Tensor::scalar(value).cast(dtype));
    }

    fn draw_fixed(&mut self) {
        let bound = self.bound;
        for node in &bound.fixed {
            // A fixed draw is straight-line: it can leave no loop and record nothing.
            if self.node(node).is_err() {
                unreachable!("a draw runs calls only");
            }
        }
    }

    /// The state at a safe point: what a replay starts from.
    fn snapshot(&mut self, pass: usize) -> Snapshot {
        for &(state, shadow) in &self.bound.shadows {
            self.executor.copy(state, shadow);
        }
        Snapshot {
            pass,
            iterations: self.iterations,
            epochs: self.epochs,
            rows: self.trace.len(),
            samplers: self.samplers.clone(),
        }
    }

    /// Goes back to the last snapshot and repeats the passes since, each call traced before it runs,
    /// until the instruction shows that first made a number which is not finite.
    fn replay(
        &mut self,
        snapshot: &Snapshot,
        unit: LoopUnit,
        body: &[Node],
        last: usize,
        found: Box<NonFinite>,
    ) -> Status {
        for &(state, shadow) in &self.bound.shadows {
            self.executor.copy(shadow, state);
        }
        self.iterations = snapshot.iterations;
        self.epochs = snapshot.epochs;
        self.trace.truncate(snapshot.rows);
        self.samplers = snapshot.samplers.clone();
        self.passes.clear();
        self.tracing = true;
        for pass in snapshot.pass..=last {
            match self.pass(unit, pass, body) {
                Ok(()) => {}
                Err(Left::Run(status @ Status::NonFinite(_))) => return status,
                Err(_) => break,
            }
        }
        Status::NonFinite(found)
    }

    fn save(&mut self, position: Position) {
        let mut states = BTreeMap::new();
        for (at, state) in self.schedule.states.iter().enumerate() {
            if !state.constant {
                states.insert(state.name.clone(), self.executor.read(self.bound.buffers[at]));
            }
        }
        let checkpoint = Checkpoint {
            schedule: self.schedule.name.clone(),
            position,
            iterations: self.iterations,
            epochs: self.epochs,
            samplers: self.samplers.positions(),
            trace: self.trace.clone(),
            states,
        };
        if let Err(error) = self.host.keep(&checkpoint.to_bytes()) {
            self.failed = Some(format!("the checkpoint can't be kept: {error}"));
        }
        self.kept_at = self.host.elapsed();
    }

    fn restore(&mut self, checkpoint: Checkpoint) -> Result<Position, String> {
        if checkpoint.schedule != self.schedule.name {
            return Err(format!("the checkpoint is of `{}`, not of `{}`", checkpoint.schedule, self.schedule.name));
        }
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
        Ok(checkpoint.position)
    }

    fn finish(self, ended: Ended) -> Outcome {
        let schedule = self.schedule;
        let read = |state: usize| self.executor.read(self.bound.buffers[state]);
        let mut answers: Vec<Answer> = Vec::new();
        for published in &schedule.results {
            answers.push(Answer {
                name: published.name.clone(),
                role: published.role.clone(),
                tensor: read(published.state.0 as usize),
            });
        }
        let judged = verdict::judge(&schedule.verdict, &|state| read(state.0 as usize));
        let finite = answers.iter().all(|answer| match &answer.tensor.elements {
            Elements::F32(v) => v.iter().all(|x| x.is_finite()),
            Elements::F64(v) => v.iter().all(|x| x.is_finite()),
            Elements::Index(_) => true,
        });
        let status = match ended {
            Ended::Early(status) => status,
            _ if !finite => Status::NonFinite(Box::new(NonFinite {
                program: String::new(),
                inst: "the answer".to_string(),
                origin: None,
                value: f64::NAN,
                operands: Vec::new(),
            })),
            Ended::Completed => Status::Completed,
            Ended::LimitReached => Status::IterationLimit,
            Ended::Converged if !judged.holds => Status::SolvedInaccurate,
            Ended::Converged if schedule.verdict.convex => Status::Solved,
            Ended::Converged => Status::Stationary,
        };
        let shares = self
            .bound
            .shares
            .iter()
            .zip(&self.shares)
            .map(|(what, &(seconds, calls))| Share { what: what.clone(), seconds, calls })
            .collect();
        Outcome {
            name: schedule.name.clone(),
            status,
            iterations: self.iterations,
            epochs: self.epoch(),
            seconds: self.host.elapsed(),
            terms: judged.terms,
            constraints: judged.constraints,
            stationarity: judged.stationarity,
            answers,
            trace: self.trace,
            shares,
        }
    }
}

/// Where a replay starts; the tensors lie in the shadows of [`Bound`].
struct Snapshot {
    pass: usize,
    iterations: usize,
    epochs: usize,
    rows: usize,
    samplers: Samplers,
}

fn stopped(reason: Stop) -> Status {
    match reason {
        Stop::Interrupted => Status::Interrupted,
        Stop::TimeLimit => Status::TimeLimit,
    }
}
