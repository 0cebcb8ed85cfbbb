//! Running ahead of the device: passes are enqueued without waiting for what they find, and the host looks
//! once at the end of several.
//!
//! A pass is cut into *work* that a device can take on its own: calls, calls under a condition, a number
//! kept for the trace, and halts. Where the number of a halt is not 0, the device does nothing more until
//! the host has looked; so a stop, and a condition whose body only the host can run, cost a look where they
//! come true and nothing where they don't. What the host finds is what it would have found by looking each
//! time: the work after a halt is left undone, whatever was enqueued. What samplers draw for the passes is sent
//! before them; a loop that draws and may halt is not run ahead, since the samplers could not go back.

use super::bound::Node;
use super::executor::{Call, Work};
use super::run::{Left, Runner};
use super::{Buffer, Executor};
use crate::schedule::ir::{LoopUnit, RecordStmt, StopStatus};

/// Passes that are enqueued before the host looks, at most.
const MOST: usize = 64;

/// Numbers that a device keeps between two looks, and indices that it is sent, at most.
pub(super) const MOST_KEPT: usize = 1 << 14;
pub(super) const MOST_SENT: usize = 1 << 16;

/// Seconds for which the host may not be asked whether to stop.
const PATIENCE: f64 = 0.2;

/// What the host does about a piece of work once it has looked.
enum Then<'a> {
    /// A row of the trace, from so many numbers kept.
    Row(&'a RecordStmt),
    /// It leaves the loop, if the device halted there.
    Leave(StopStatus),
    /// It runs the body, if the device halted there.
    Body(&'a [Node]),
    /// A pass begins.
    Pass(usize),
}

/// Passes as work, each piece with what the host does about it; what is no work of its own stands before
/// the next.
#[derive(Default)]
struct Passes<'a> {
    work: Vec<Work>,
    /// With the work that there was before it.
    then: Vec<(usize, Then<'a>)>,
    /// What buffers are filled with.
    sent: Vec<u32>,
    /// Whether a sampler draws, which is then ahead too; and whether the device may halt.
    draws: bool,
    halts: bool,
}

impl<'a> Passes<'a> {
    /// Adds a halt.
    fn halt(&mut self, when: Buffer, then: Then<'a>) {
        self.halts = true;
        self.then.push((self.work.len(), then));
        self.work.push(Work::Halt { when });
    }

    /// Numbers that the work keeps.
    fn kept(&self) -> usize {
        self.work.iter().filter(|work| matches!(work, Work::Keep { .. })).count()
    }

    /// Adds a node of a pass; whether a device can take it.
    fn add(&mut self, node: &'a Node, runner: &mut Runner) -> bool {
        match node {
            Node::Call { call, over, .. } => {
                self.work.push(Work::Run { call: *call, members: over.unwrap_or(1), when: None });
                true
            }
            Node::Pick { member, members, call, .. } => {
                self.work.push(Work::Pick { call: *call, member: *member, members: *members, when: None });
                runner.executor.ahead().is_some_and(|device| device.can_skip(*call))
            }
            Node::Stop { when, status } => {
                self.halt(*when, Then::Leave(*status));
                true
            }
            Node::If { when, body } => {
                match under(*when, body, &*runner.executor) {
                    Some(work) => self.work.extend(work),
                    None => self.halt(*when, Then::Body(body)),
                }
                true
            }
            Node::Draw { sampler, calls, step } => {
                self.draws = true;
                let (schedule, bound) = (runner.schedule, runner.bound);
                runner.samplers.draw(*sampler, schedule, bound, *step, |buffer, numbers| {
                    self.work.push(Work::Fill { buffer, from: self.sent.len(), len: numbers.len() });
                    self.sent.extend(numbers);
                });
                calls.iter().all(|node| self.add(node, runner))
            }
            Node::When { when, body } => !runner.due(when) || body.iter().all(|node| self.add(node, runner)),
            Node::Record(record) => {
                self.then.push((self.work.len(), Then::Row(record)));
                let keep = |(_, state): &(String, _)| Work::Keep { value: runner.bound.buffer(*state) };
                self.work.extend(record.values.iter().map(keep));
                true
            }
            Node::Loop { count, body, .. } if !waits(node) => {
                (0..*count).all(|_| body.iter().all(|node| self.add(node, runner)))
            }
            // What waits for the host in every pass gains nothing from running ahead.
            Node::Loop { .. } | Node::Save(_) | Node::LineSearch { .. } => false,
        }
    }
}

/// Whether a node waits for the host whenever it is run.
fn waits(node: &Node) -> bool {
    match node {
        Node::LineSearch { .. } | Node::Save(_) => true,
        Node::Loop { body, unit, .. } => {
            *unit != LoopUnit::Step || !body.iter().all(|node| matches!(node, Node::Call { .. }))
        }
        _ => false,
    }
}

/// The body of a condition as work that the device leaves undone where the number is 0; `None` where it
/// takes the host.
fn under(when: Buffer, body: &[Node], executor: &dyn Executor) -> Option<Vec<Work>> {
    let device = executor.ahead()?;
    // A body that writes its own condition would be cut off in the middle.
    let taken = |call: Call| device.can_skip(call) && !device.writes(call, when);
    let work = |node: &Node| match *node {
        Node::Call { call, over, .. } if taken(call) => {
            Some(Work::Run { call, members: over.unwrap_or(1), when: Some(when) })
        }
        Node::Pick { member, members, call, .. } if taken(call) => {
            Some(Work::Pick { call, member, members, when: Some(when) })
        }
        _ => None,
    };
    body.iter().map(work).collect()
}

impl Runner<'_> {
    /// Runs passes `first .. end` of a loop, or fewer, ahead of the device. Says how many of them were begun; `None`
    /// where these have to be run one by one.
    pub(super) fn ahead(
        &mut self,
        unit: LoopUnit,
        (first, end): (usize, usize),
        body: &[Node],
    ) -> Option<(usize, Result<(), Left>)> {
        self.executor.ahead()?;
        if self.tracing || self.again.is_some() || unit == LoopUnit::Epoch || body.iter().any(waits) {
            return None;
        }
        let around = self.passes.len();
        let counters = (self.iterations, self.epochs);
        let samplers = self.samplers.clone();
        let mut passes = Passes::default();
        let mut taken = true;
        let mut last = end;
        for pass in first..end {
            if pass >= last {
                break;
            }
            passes.then.push((passes.work.len(), Then::Pass(pass)));
            self.begin(unit, pass);
            taken = body.iter().all(|node| passes.add(node, self));
            self.passes.truncate(around);
            if !taken || passes.draws && passes.halts {
                break;
            }
            if pass == first {
                // As many more as there is room for if each is like the first.
                let room = (MOST_KEPT / passes.kept().max(1)).min(MOST_SENT / passes.sent.len().max(1));
                last = end.min(first + room.max(1));
            }
        }
        (self.iterations, self.epochs) = counters;
        // Where it halts, what was drawn behind that was drawn too early.
        let apart = passes.draws && passes.halts;
        if !taken || apart || passes.kept() > MOST_KEPT || passes.sent.len() > MOST_SENT {
            self.samplers = samplers;
            return None;
        }
        let mut begun = 0;
        let result = self.look(unit, &passes, around, &mut begun);
        self.passes.truncate(around);
        Some((begun, result))
    }

    /// Has the work done, and does what the host does about it.
    fn look(&mut self, unit: LoopUnit, passes: &Passes, around: usize, begun: &mut usize) -> Result<(), Left> {
        let mut kept = Vec::new();
        let mut next = passes.then.iter().peekable();
        let mut start = 0;
        'halts: loop {
            let device = self.executor.ahead_mut().expect("it was there when the passes were cut");
            device.enqueue(&passes.work[start..], &passes.sent);
            let halted = device.settle(&mut kept).map(|at| start + at);
            let mut numbers = kept.drain(..);
            while let Some((at, then)) = next.next_if(|(at, _)| halted.is_none_or(|halted| *at <= halted)) {
                match then {
                    Then::Pass(pass) => {
                        self.passes.truncate(around);
                        self.begin(unit, *pass);
                        *begun += 1;
                    }
                    Then::Row(record) => {
                        let values = numbers.by_ref().take(record.values.len()).collect();
                        self.row(record, values)?;
                    }
                    Then::Leave(status) if halted == Some(*at) => return Err(Left::Loop(*status)),
                    Then::Body(body) if halted == Some(*at) => {
                        self.body(body)?;
                        start = at + 1;
                        drop(numbers);
                        continue 'halts;
                    }
                    Then::Leave(_) | Then::Body(_) => {}
                }
            }
            debug_assert_eq!(halted, None, "a device halts where it was told that it may");
            return Ok(());
        }
    }
}

/// How many passes are run ahead: no more than fit the patience of somebody who wants to stop the run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    seconds_a_pass: f64,
}

impl Default for Pace {
    /// One, as long as nothing is known.
    fn default() -> Pace {
        Pace { seconds_a_pass: f64::INFINITY }
    }
}

impl Pace {
    /// Where the passes end that are run ahead from `pass` on, of which there are `count`. Steps mostly end long before
    /// their count: they are run ahead of by no more than were made.
    pub fn end(self, unit: LoopUnit, pass: usize, count: usize) -> usize {
        let patient = (PATIENCE / self.seconds_a_pass.max(PATIENCE / MOST as f64)) as usize;
        let most = if unit == LoopUnit::Step { pass.max(1) } else { MOST };
        count.min(pass + patient.clamp(1, MOST).min(most))
    }

    /// So many passes took so many seconds.
    pub fn took(&mut self, passes: usize, seconds: f64) {
        self.seconds_a_pass = seconds / passes.max(1) as f64;
    }
}
