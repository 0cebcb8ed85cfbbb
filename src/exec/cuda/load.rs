//! What an iteration asks of a GPU, counted from the plans: no device is needed.

use super::source::Launch;
use super::written::{Written, written};
use crate::exec::{Buffer, Slot};
use crate::schedule::ir::{Arg, CallStmt, LoopUnit, Schedule, Source as Sampled, Stmt};
use crate::tape::{Cost, Program};

/// A count of work.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Load {
    /// Kernels launched.
    pub kernels: usize,
    /// Those of them that are one block's.
    pub alone: usize,
    /// Routines of cuBLAS and cuSOLVER called.
    pub routines: usize,
    /// Bytes of device memory read and written, every array of a step once.
    pub bytes: u64,
    /// Floating operations; an elementary function counts as one.
    pub flops: u64,
}

/// Seconds from the start of one launch of a graph to the start of the next where neither has work: what small steps
/// cost. An assumption, not measured: NVIDIA's devices of the last years take 1.5 to 3 µs.
const LAUNCH: f64 = 2.5e-6;

/// Bytes and floating operations a second: of a GPU, of one block there, and of a core of a processor in whose caches
/// the work lies. The first two are those of a small device and assumed, the last were measured (tests/bench/README.md).
const GPU: (f64, f64) = (3e11, 5e12);
const BLOCK: (f64, f64) = (3e10, 5e10);
const CORE: (f64, f64) = (3e10, 5e10);

/// Seconds for a step on the processor beside its work.
const STEP: f64 = 3e-7;

impl Load {
    /// The load of a program on these slots.
    pub fn of(program: &Program, inputs: &[Slot], outputs: &[Slot]) -> Load {
        let Written { plan, source, .. } = written(program, inputs, outputs);
        let count = |is: fn(&&Launch) -> bool| source.launches.iter().filter(is).count();
        let kernels = count(|launch| matches!(launch, Launch::Kernel { .. }));
        Load {
            kernels,
            alone: count(|launch| matches!(launch, Launch::Kernel { blocks: 1, .. })),
            routines: source.launches.len() - kernels,
            bytes: plan.traffic() as u64,
            flops: Cost::of(program).flops,
        }
    }

    /// Launches of both kinds.
    pub fn launches(self) -> usize {
        self.kernels + self.routines
    }

    /// So many times, one after the other.
    pub fn times(self, count: usize) -> Load {
        let Load { kernels, alone, routines, .. } = self;
        Load { kernels: kernels * count, alone: alone * count, routines: routines * count, ..self.members(count) }
    }

    /// For so many members in the same launches.
    fn members(self, count: usize) -> Load {
        Load { bytes: self.bytes * count as u64, flops: self.flops * count as u64, ..self }
    }

    /// Seconds that a GPU is expected to take.
    pub fn seconds(self) -> f64 {
        let alone = self.alone as f64 / self.launches().max(1) as f64;
        self.launches() as f64 * LAUNCH + alone * self.work(BLOCK) + (1.0 - alone) * self.work(GPU)
    }

    /// Seconds that a processor is expected to take on so many threads.
    pub fn seconds_of_processor(self, threads: usize) -> f64 {
        self.launches() as f64 * STEP + self.work(CORE) / threads.max(1) as f64
    }

    fn work(self, (bytes, flops): (f64, f64)) -> f64 {
        (self.bytes as f64 / bytes).max(self.flops as f64 / flops)
    }
}

impl std::ops::Add for Load {
    type Output = Load;

    fn add(self, other: Load) -> Load {
        Load {
            kernels: self.kernels + other.kernels,
            alone: self.alone + other.alone,
            routines: self.routines + other.routines,
            bytes: self.bytes + other.bytes,
            flops: self.flops + other.flops,
        }
    }
}

/// What a pass of the loop of iterations or batches asks, in the order of its calls.
#[derive(Debug, Clone, PartialEq)]
pub struct PassLoad {
    /// What a pass is.
    pub unit: LoopUnit,
    /// What happens every time, inner loops at their full count: what a call is, and its load.
    pub every: Vec<(String, Load)>,
    /// What happens where a condition holds or where it is due, if that was counted.
    pub sometimes: Option<Vec<(String, Load)>>,
    /// Line searches, which the host decides.
    pub searches: usize,
    /// Inner loops that end by a test, for which the host looks after 1, 2, 4, … turns.
    pub loops: usize,
}

impl PassLoad {
    /// The load of the innermost loop of iterations or batches of a schedule, if it has one.
    pub fn of(schedule: &Schedule) -> Option<PassLoad> {
        PassLoad::counted(schedule, true)
    }

    /// The same of what happens every time alone: planning what does not would be a start-up's work for nothing.
    pub fn every_time(schedule: &Schedule) -> Option<PassLoad> {
        PassLoad::counted(schedule, false)
    }

    fn counted(schedule: &Schedule, whole: bool) -> Option<PassLoad> {
        let (unit, body) = schedule.innermost()?;
        let sometimes = whole.then(Vec::new);
        let mut load = PassLoad { unit, every: Vec::new(), sometimes, searches: 0, loops: 0 };
        load.add(schedule, body, 1, true);
        Some(load)
    }

    /// All that happens every time.
    pub fn total(&self) -> Load {
        self.every.iter().fold(Load::default(), |sum, (_, load)| sum + *load)
    }

    fn add(&mut self, schedule: &Schedule, body: &[Stmt], times: usize, every: bool) {
        for stmt in body {
            match stmt {
                Stmt::Call(call) => self.call(schedule, call, times, every),
                Stmt::Pick { call, .. } => {
                    self.call(schedule, &CallStmt { over: None, ..call.clone() }, times, every);
                }
                Stmt::If { body, .. } | Stmt::When { body, .. } => self.add(schedule, body, times, false),
                Stmt::Loop(it) => {
                    self.loops += usize::from(it.body.iter().any(|stmt| matches!(stmt, Stmt::Stop { .. })));
                    self.add(schedule, &it.body, times * it.count, every);
                }
                Stmt::LineSearch(search) => {
                    self.searches += 1;
                    self.call(schedule, &search.trial, times, every);
                }
                Stmt::Draw(sampler) => match &schedule.samplers[sampler.0 as usize].source {
                    Sampled::Rows { gathers, .. } => {
                        gathers.iter().for_each(|gather| self.call(schedule, gather, times, every));
                    }
                    Sampled::Program { call, .. } => self.call(schedule, call, times, every),
                },
                Stmt::Stop { .. } | Stmt::Record(_) | Stmt::Save(_) => {}
            }
        }
    }

    fn call(&mut self, schedule: &Schedule, call: &CallStmt, times: usize, every: bool) {
        let slots = |args: &[Arg]| -> Vec<Slot> {
            args.iter().map(|arg| Slot { buffer: Buffer(arg.state.0), member: arg.member }).collect()
        };
        let Some(loads) = (if every { Some(&mut self.every) } else { self.sometimes.as_mut() }) else { return };
        let load = Load::of(schedule.program(call.program), &slots(&call.inputs), &slots(&call.outputs));
        let load = load.members(call.over.unwrap_or(1)).times(times);
        match loads.iter_mut().find(|(what, _)| *what == call.what) {
            Some((_, sum)) => *sum = *sum + load,
            None => loads.push((call.what.clone(), load)),
        }
    }
}
