//! A schedule bound to a device: buffers filled, programs planned, the statements with their calls.

use super::start;
use super::{Buffer, Call, Executor, Slot};
use crate::schedule::ir::{
    Arg, CallStmt, Due, LineSearch, LoopUnit, RecordStmt, SaveStmt, Schedule, Source, StateId, Stmt, StopStatus,
};
use crate::tape::{Dtype, Shape};

/// A bound schedule.
pub(super) struct Bound {
    /// A buffer a state.
    pub buffers: Vec<Buffer>,
    /// `(buffer, shadow)` of every state that changes: where snapshots go.
    pub shadows: Vec<(Buffer, Buffer)>,
    /// Draws that happen once, before the body.
    pub fixed: Vec<Node>,
    /// The body.
    pub body: Vec<Node>,
    /// What is executed at the end.
    pub tail: Vec<Node>,
    /// What is executed before the end is judged.
    pub gathers: Vec<Node>,
    /// Headings that time is accounted under.
    pub shares: Vec<String>,
    /// The line searches, in the order in which they are numbered.
    pub searches: Vec<LineSearch>,
}

impl Bound {
    /// The buffer of a state.
    pub fn buffer(&self, state: StateId) -> Buffer {
        self.buffers[state.0 as usize]
    }

    /// The shape of a buffer of a state.
    pub fn shape(&self, buffer: Buffer, schedule: &Schedule) -> Shape {
        let state = self.buffers.iter().position(|&other| other == buffer).expect("the buffer is a state's");
        schedule.states[state].buffer().shape
    }
}

/// A statement with its calls bound.
pub(super) enum Node {
    Call {
        call: Call,
        over: Option<usize>,
        share: usize,
    },
    Loop {
        count: usize,
        unit: LoopUnit,
        body: Vec<Node>,
        tested: bool,
    },
    Draw {
        sampler: usize,
        calls: Vec<Node>,
        step: Option<Buffer>,
    },
    Stop {
        when: Buffer,
        status: StopStatus,
    },
    If {
        when: Buffer,
        body: Vec<Node>,
    },
    Pick {
        member: Buffer,
        members: usize,
        call: Call,
        share: usize,
    },
    When {
        when: Due,
        body: Vec<Node>,
    },
    Record(RecordStmt),
    Save(SaveStmt),
    LineSearch {
        trial: Box<Node>,
        step: Buffer,
        value: Buffer,
        value_new: Buffer,
        slope: Buffer,
        failed: Buffer,
        dtype: Dtype,
        /// Its number.
        search: usize,
    },
}

/// Allocates and fills the buffers, plans every call.
pub(super) fn bind(schedule: &Schedule, executor: &mut dyn Executor, seed: u64) -> Bound {
    let mut buffers = Vec::with_capacity(schedule.states.len());
    let mut shadows = Vec::new();
    for state in &schedule.states {
        let ty = state.buffer();
        let buffer = executor.buffer(&ty);
        if let Some(tensor) = start::tensor(state, seed) {
            executor.write(buffer, &tensor);
        }
        if !state.constant {
            shadows.push((buffer, executor.buffer(&ty)));
        }
        buffers.push(buffer);
    }
    let mut binder = Binder { schedule, executor, buffers, shares: Vec::new(), searches: Vec::new() };
    let fixed =
        (0..schedule.samplers.len()).filter(|&at| schedule.samplers[at].fixed).map(|at| binder.draw(at)).collect();
    let body = binder.body(&schedule.body);
    let tail = binder.body(&schedule.tail);
    let gathers = binder.body(&schedule.verdict.gathers);
    let Binder { buffers, shares, searches, .. } = binder;
    Bound { buffers, shadows, fixed, body, tail, gathers, shares, searches }
}

struct Binder<'a> {
    schedule: &'a Schedule,
    executor: &'a mut dyn Executor,
    buffers: Vec<Buffer>,
    shares: Vec<String>,
    searches: Vec<LineSearch>,
}

impl Binder<'_> {
    fn body(&mut self, body: &[Stmt]) -> Vec<Node> {
        body.iter().map(|stmt| self.stmt(stmt)).collect()
    }

    fn stmt(&mut self, stmt: &Stmt) -> Node {
        match stmt {
            Stmt::Call(call) => self.call(call),
            Stmt::Loop(inner) => Node::Loop {
                count: inner.count,
                unit: inner.unit,
                tested: has_test(&inner.body),
                body: self.body(&inner.body),
            },
            Stmt::Draw(sampler) => self.draw(sampler.0 as usize),
            Stmt::Stop { when, status } => Node::Stop { when: self.buffer(*when), status: *status },
            Stmt::If { when, body } => Node::If { when: self.buffer(*when), body: self.body(body) },
            Stmt::Pick { member, call } => {
                let Node::Call { call: bound, share, .. } = self.call(call) else {
                    unreachable!("a call is bound to a call")
                };
                let members = call.over.unwrap_or(1);
                Node::Pick { member: self.buffer(*member), members, call: bound, share }
            }
            Stmt::When { when, body } => Node::When { when: when.clone(), body: self.body(body) },
            Stmt::Record(record) => Node::Record(record.clone()),
            Stmt::Save(save) => Node::Save(save.clone()),
            Stmt::LineSearch(search) => Node::LineSearch {
                search: {
                    self.searches.push(search.clone());
                    self.searches.len() - 1
                },
                trial: Box::new(self.call(&search.trial)),
                step: self.buffer(search.step),
                value: self.buffer(search.value),
                value_new: self.buffer(search.value_new),
                slope: self.buffer(search.slope),
                failed: self.buffer(search.failed),
                dtype: self.schedule.state(search.step).ty.dtype,
            },
        }
    }

    fn draw(&mut self, at: usize) -> Node {
        let sampler = &self.schedule.samplers[at];
        let (calls, step) = match &sampler.source {
            Source::Rows { gathers, .. } => (gathers.iter().map(|gather| self.call(gather)).collect(), None),
            Source::Program { step, call, .. } => (vec![self.call(call)], Some(self.buffer(*step))),
        };
        Node::Draw { sampler: at, calls, step }
    }

    fn call(&mut self, stmt: &CallStmt) -> Node {
        let slots = |args: &[Arg]| -> Vec<Slot> {
            args.iter().map(|arg| Slot { buffer: self.buffers[arg.state.0 as usize], member: arg.member }).collect()
        };
        let (inputs, outputs) = (slots(&stmt.inputs), slots(&stmt.outputs));
        let call = self.executor.bind(self.schedule.program(stmt.program), &inputs, &outputs);
        let share = self.shares.iter().position(|what| *what == stmt.what).unwrap_or_else(|| {
            self.shares.push(stmt.what.clone());
            self.shares.len() - 1
        });
        Node::Call { call, over: stmt.over, share }
    }

    fn buffer(&self, state: StateId) -> Buffer {
        self.buffers[state.0 as usize]
    }
}

/// Whether a loop can be left by a test of convergence, so that running to its end means that the
/// test did not pass.
fn has_test(body: &[Stmt]) -> bool {
    body.iter().any(|stmt| match stmt {
        Stmt::Stop { status, .. } => *status == StopStatus::Converged,
        Stmt::If { body, .. } | Stmt::When { body, .. } => has_test(body),
        _ => false,
    })
}
