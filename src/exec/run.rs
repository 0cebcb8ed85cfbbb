//! The loop: a schedule on a device, watched by a host.
//!
//! A run is a function of the schedule, the seed and the device, so a checkpoint (states, counters,
//! sampler positions) is all that is needed to go on with the same bits. Checkpoints and stops
//! happen between two passes of an outermost loop: the *safe points*.

use super::bound::{self, Bound, Node};
use super::checkpoint::{Checkpoint, Position};
use super::growth::Scale;
use super::observer::{Nobody, Observer, Progress};
use super::outcome::{Outcome, Row, Status, Tally};
use super::safe_point::{fingerprint, not_finite};
use super::sampling::Samplers;
use super::verdict;
use super::{Executor, Fault, ahead};
use crate::host::{Host, Stop};
use crate::schedule::ir::{LoopUnit, Schedule, StateId, StopStatus};
use crate::tape::Tensor;

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
/// See [`Failure`].
pub fn run(
    schedule: &Schedule,
    executor: &mut dyn Executor,
    host: &dyn Host,
    observer: &mut dyn Observer,
    seed: u64,
) -> Result<Outcome, Failure> {
    Ok(run_keeping(schedule, executor, host, observer, seed, &[])?.0)
}

/// The same, with the last values of those states.
///
/// # Errors
/// As [`run`].
pub fn run_keeping(
    schedule: &Schedule,
    executor: &mut dyn Executor,
    host: &dyn Host,
    observer: &mut dyn Observer,
    seed: u64,
    keep: &[StateId],
) -> Result<(Outcome, Vec<(StateId, Tensor)>), Failure> {
    let resume = host.resume();
    let resume = resume.map_err(|error| Failure::Checkpoint(format!("the checkpoint can't be read: {error}")))?;
    let bound = bound::bind(schedule, executor, seed);
    executor.ready().map_err(Failure::Device)?;
    let mut runner = Runner::new(schedule, &bound, executor, host, observer, seed);
    let mut start = Position::default();
    match resume {
        Some(bytes) => {
            let restored = Checkpoint::from_bytes(&bytes).and_then(|checkpoint| runner.restore(checkpoint));
            start = restored.map_err(Failure::Checkpoint)?;
        }
        None => runner.straight(&runner.bound.fixed),
    }
    let ended = runner.outermost(start);
    if runner.finite.is_some() || !matches!(ended, Ended::Early(Status::NonFinite(_))) {
        runner.straight(&runner.bound.tail);
    }
    if let Some(sentence) = runner.failed.take() {
        return Err(Failure::Checkpoint(sentence));
    }
    let outcome = runner.finish(ended);
    let kept = keep.iter().map(|&state| (state, executor.read(bound.buffer(state)))).collect();
    match executor.fault() {
        Some(fault) => Err(Failure::Device(fault.clone())),
        None => Ok((outcome, kept)),
    }
}

/// Why there is no outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The host's checkpoint is not one of this schedule, or can't be read or kept: a sentence.
    Checkpoint(String),
    /// The device is at fault.
    Device(Fault),
}

/// Judges a solution as the end of a run. One pass is made from the declared start, for what the tolerances
/// are relative to is what a run finds there; then the solution stands in the place of what was found.
pub fn verify(
    schedule: &Schedule,
    solution: &[(StateId, Tensor)],
    executor: &mut dyn Executor,
    host: &dyn Host,
    seed: u64,
) -> Outcome {
    let bound = bound::bind(schedule, executor, seed);
    let mut nobody = Nobody;
    let mut runner = Runner::new(schedule, &bound, executor, host, &mut nobody, seed);
    runner.straight(&bound.fixed);
    for node in &bound.body {
        let left = match node {
            Node::Loop { unit, body, .. } => runner.pass(*unit, 0, body),
            node => runner.node(node),
        };
        match left {
            Ok(()) | Err(Left::Loop(_)) => {}
            Err(Left::Run(status)) => return runner.finish(Ended::Early(status)),
        }
    }
    runner.straight(&bound.tail);
    for (state, tensor) in solution {
        runner.executor.write(bound.buffer(*state), tensor);
    }
    runner.iterations = 0;
    runner.trace.clear();
    runner.finish(Ended::Converged)
}

/// Why a body was left before its end.
pub(super) enum Left {
    /// The innermost loop is done.
    Loop(StopStatus),
    /// The run is over.
    Run(Status),
}

/// How the outermost statements ended.
pub(super) enum Ended {
    Completed,
    Converged,
    LimitReached,
    Early(Status),
}

pub(super) struct Runner<'a> {
    pub(super) schedule: &'a Schedule,
    pub(super) bound: &'a Bound,
    pub(super) executor: &'a mut dyn Executor,
    pub(super) host: &'a dyn Host,
    pub(super) observer: &'a mut dyn Observer,
    pub(super) samplers: Samplers,
    pub(super) iterations: usize,
    pub(super) epochs: usize,
    /// Unit and one-based pass of every loop around, outermost first.
    pub(super) passes: Vec<(LoopUnit, usize)>,
    pub(super) trace: Vec<Row>,
    pub(super) shares: Vec<(f64, usize)>,
    pub(super) stop_since: Option<f64>,
    /// What a checkpoint must agree with: schedule and seed.
    pub(super) fingerprint: u64,
    /// Seconds of the run before this command.
    pub(super) before: f64,
    pub(super) kept_at: f64,
    /// Why a checkpoint could not be kept.
    pub(super) failed: Option<String>,
    /// Whether every call is traced for its first non-finite number before it runs.
    pub(super) tracing: bool,
    /// Rows that were seen before, of passes that are run again; at the last the run stands where it stood.
    pub(super) again: Option<usize>,
    /// Iterations after which the state stood that a replay went back to.
    pub(super) finite: Option<usize>,
    /// What growth is measured by, once there are rows enough.
    pub(super) scale: Option<Scale>,
    /// What became of each line search.
    pub(super) searches: Vec<Tally>,
}

impl<'a> Runner<'a> {
    fn new(
        schedule: &'a Schedule,
        bound: &'a Bound,
        executor: &'a mut dyn Executor,
        host: &'a dyn Host,
        observer: &'a mut dyn Observer,
        seed: u64,
    ) -> Runner<'a> {
        Runner {
            schedule,
            bound,
            executor,
            host,
            observer,
            samplers: Samplers::new(schedule, seed),
            fingerprint: fingerprint(schedule, seed),
            before: 0.0,
            kept_at: 0.0,
            failed: None,
            iterations: 0,
            epochs: 0,
            passes: Vec::new(),
            trace: Vec::new(),
            shares: vec![(0.0, 0); bound.shares.len()],
            stop_since: None,
            tracing: false,
            again: None,
            finite: None,
            scale: None,
            searches: vec![Tally::default(); bound.searches.len()],
        }
    }

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
            let mut reached = first;
            let mut pass = first;
            let mut pace = ahead::Pace::default();
            while pass < *count {
                let clock = self.host.elapsed();
                // A snapshot is made where one is due.
                let end = pace.end(*unit, pass, next_snapshot(pass).min(*count));
                let (begun, left) = self.passes(*unit, (pass, end), body);
                pass += begun - 1;
                pace.took(begun, self.host.elapsed() - clock);
                match left {
                    Ok(()) => {}
                    Err(Left::Loop(StopStatus::Converged)) => {
                        ended = Ended::Converged;
                        break;
                    }
                    Err(Left::Loop(StopStatus::PrimalInfeasible)) => {
                        let proof = verdict::contradiction(self.schedule, self.executor, &self.bound.buffers);
                        return Ended::Early(Status::PrimalInfeasible(proof));
                    }
                    Err(Left::Loop(StopStatus::DualInfeasible)) => {
                        let proof = verdict::ray(self.schedule, self.executor, &self.bound.buffers);
                        return Ended::Early(Status::DualInfeasible(proof));
                    }
                    Err(Left::Loop(StopStatus::Inner)) => break,
                    // Nobody goes on from here: no checkpoint.
                    Err(Left::Run(status @ Status::Diverged(_))) => {
                        self.stand_at_last_row(&snapshot, *unit, body);
                        return Ended::Early(status);
                    }
                    Err(Left::Run(Status::NonFinite(found))) => {
                        return Ended::Early(self.replay(&snapshot, *unit, body, pass, found));
                    }
                    Err(Left::Run(status)) => {
                        // Stopped inside a pass: the last safe point that is still held.
                        self.save_snapshot(&snapshot, statement);
                        return Ended::Early(status);
                    }
                }
                if self.executor.fault().is_some() {
                    // There is nothing to judge: the caller hears of the fault.
                    return ended;
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
                if next_snapshot(pass) == done {
                    if let Some(found) = self.not_finite() {
                        return Ended::Early(self.replay(&snapshot, *unit, body, pass, found));
                    }
                    snapshot = self.snapshot(done);
                }
                reached = done;
                pass = done;
            }
            if let Some(found) = self.not_finite() {
                return Ended::Early(self.replay(&snapshot, *unit, body, reached, found));
            }
        }
        ended
    }

    /// Runs passes `first .. end` of a loop, as many at once as the device is run ahead of, at least one. Says how
    /// many were begun.
    fn passes(&mut self, unit: LoopUnit, (first, end): (usize, usize), body: &[Node]) -> (usize, Result<(), Left>) {
        match self.ahead(unit, (first, end), body) {
            Some(ahead) => ahead,
            None => (1, self.pass(unit, first, body)),
        }
    }

    pub(super) fn pass(&mut self, unit: LoopUnit, pass: usize, body: &[Node]) -> Result<(), Left> {
        self.begin(unit, pass);
        let result = self.body(body);
        self.passes.pop();
        result
    }

    /// Counts a pass.
    pub(super) fn begin(&mut self, unit: LoopUnit, pass: usize) {
        let in_batch = self.passes.iter().any(|&(unit, _)| unit == LoopUnit::Batch);
        self.passes.push((unit, pass + 1));
        match unit {
            LoopUnit::Epoch => self.epochs += 1,
            LoopUnit::Batch => self.iterations += 1,
            LoopUnit::Iteration if !in_batch => self.iterations += 1,
            LoopUnit::Iteration | LoopUnit::Step => {}
        }
    }

    pub(super) fn body(&mut self, body: &[Node]) -> Result<(), Left> {
        body.iter().try_for_each(|node| self.node(node))
    }

    fn node(&mut self, node: &Node) -> Result<(), Left> {
        match node {
            Node::Call { call, over, share } => {
                let start = self.host.elapsed();
                let members = over.unwrap_or(1);
                if self.tracing {
                    for member in 0..members {
                        if let Some(found) = self.executor.trace(*call, member) {
                            return Err(Left::Run(Status::NonFinite(Box::new(found))));
                        }
                        self.executor.run(*call, member);
                    }
                } else {
                    self.executor.run_each(*call, members);
                }
                self.shares[*share].0 += self.host.elapsed() - start;
                self.shares[*share].1 += 1;
                Ok(())
            }
            Node::Loop { count, unit, body, .. } => {
                let (mut pass, mut pace) = (0, ahead::Pace::default());
                while pass < *count {
                    self.impatient()?;
                    let clock = self.host.elapsed();
                    let (begun, left) = self.passes(*unit, (pass, pace.end(*unit, pass, *count)), body);
                    pace.took(begun, self.host.elapsed() - clock);
                    pass += begun;
                    match left {
                        Ok(()) => {}
                        Err(Left::Loop(_)) => break,
                        Err(left) => return Err(left),
                    }
                }
                Ok(())
            }
            Node::Draw { sampler, calls, step } => {
                let Runner { schedule, bound, executor, .. } = self;
                self.samplers.draw(*sampler, schedule, bound, *step, |buffer, numbers| {
                    executor.write(buffer, &Tensor::index(bound.shape(buffer, schedule), numbers.to_vec()));
                });
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
            Node::Pick { member, members, call, share } => {
                let start = self.host.elapsed();
                let member = self.executor.item(*member);
                // A NaN is no member.
                if (0.0..*members as f64).contains(&member) {
                    self.executor.run(*call, member as usize);
                }
                self.shares[*share].0 += self.host.elapsed() - start;
                self.shares[*share].1 += 1;
                Ok(())
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
            Node::LineSearch { trial, step, value, value_new, slope, failed, dtype, search } => {
                let (value, slope) = (self.executor.item(*value), self.executor.item(*slope));
                if let Some(&bad) = [value, slope].iter().find(|x| !x.is_finite()) {
                    return Err(Left::Run(Status::NonFinite(not_finite("the objective of a line search", bad))));
                }
                // A trial may leave the domain: that is found here, and is no fault.
                let tracing = std::mem::take(&mut self.tracing);
                let mut found = false;
                let mut t = 1.0;
                for _ in 0..MOST_HALVINGS {
                    self.executor.write(*step, &Tensor::scalar(t).cast(*dtype));
                    self.node(trial)?;
                    let new = self.executor.item(*value_new);
                    // A NaN compares false, so a step out of the domain is halved as well.
                    found = new <= value + ARMIJO * t * slope + dtype.eps() * value.abs();
                    if found {
                        break;
                    }
                    t /= 2.0;
                }
                let tally = &mut self.searches[*search];
                tally.made += 1;
                tally.failed += usize::from(!found);
                tally.in_a_row = if found { 0 } else { tally.in_a_row + 1 };
                self.executor.write(*failed, &Tensor::scalar(f64::from(u8::from(!found))).cast(*dtype));
                self.tracing = tracing;
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

    /// Runs calls and draws, which can leave no loop and record nothing.
    pub(super) fn straight(&mut self, nodes: &[Node]) {
        for node in nodes {
            if self.node(node).is_err() {
                unreachable!("straight-line statements are calls and draws");
            }
        }
    }

    /// Seconds of the run, those before a stop included.
    pub(super) fn seconds(&self) -> f64 {
        self.before + self.host.elapsed()
    }
}

/// After how many passes the next snapshot is due, `pass` being the one to come: once a run has settled
/// every so many, at first at each power of two.
fn next_snapshot(pass: usize) -> usize {
    let done = pass + 1;
    if done < SNAPSHOT_EVERY { done.next_power_of_two() } else { done.next_multiple_of(SNAPSHOT_EVERY) }
}

fn stopped(reason: Stop) -> Status {
    match reason {
        Stop::Interrupted => Status::Interrupted,
        Stop::TimeLimit => Status::TimeLimit,
    }
}
