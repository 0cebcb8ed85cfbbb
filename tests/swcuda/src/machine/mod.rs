//! The machine that runs kernels: blocks one after the other, a block's warps in turns, 32 lanes an instruction.
//!
//! `block` runs the warps of a block and its barriers, `warp` the control flow of a warp, `access` what touches
//! memory, `together` what lanes do together, `alu` the rest. `memory` holds allocations, `races` and `shared`
//! the shadows in which races are found. Nothing runs in parallel, so a run repeats exactly; the order of
//! blocks and of warps can be chosen, to show a program that depends on it.

mod access;
mod alu;
mod alu_float;
mod alu_integer;
mod atomic;
mod block;
mod bytes;
pub(crate) mod counters;
pub(crate) mod fault;
pub(crate) mod memory;
mod races;
mod registers;
mod shared;
mod together;
mod warp;
mod windows;

use crate::config::{Machine as Settings, Order as RunOrder};
use crate::ptx::ir::{Kernel, Module};
use alu::Execute;
use counters::Counters;
use fault::{Fault, FaultKind, Location};
use memory::{Memory, Window};
use races::Order;
use shared::Shared;

/// Where a launch runs and with what.
pub(crate) struct Job<'a> {
    pub module: &'a Module,
    pub kernel: &'a Kernel,
    /// Addresses of the module's variables.
    pub variables: &'a [u64],
    pub grid: [u32; 3],
    pub block: [u32; 3],
    pub dynamic_shared: usize,
    pub parameters: &'a [u8],
    /// A number of this launch, never used before.
    pub number: u32,
}

/// Windows that are kept at hand.
const CACHED: usize = 4;

pub(crate) struct Launch<'a> {
    job: &'a Job<'a>,
    memory: &'a mut Memory,
    settings: &'a Settings,
    counters: &'a mut Counters,
    execute: Execute,
    shared: Shared,
    windows: [Window; CACHED],
    next_window: usize,
    /// Whether several blocks run, so that they can race.
    several: bool,
    order: Order,
    block_id: [u32; 3],
    /// By warp, the barrier period of its last write of global memory that no fence followed.
    unfenced: Vec<Option<u32>>,
    /// The first reads of what nobody wrote, of shared memory since the last barrier and of global memory: if
    /// another thread writes there before the barrier or the end, it was a race.
    unwritten_shared: Option<Fault>,
    unwritten_global: Option<Fault>,
    steps: u64,
    random: Random,
}

/// Runs a launch to its end or to the first fault.
pub(crate) fn run(job: &Job, memory: &mut Memory, settings: &Settings, counters: &mut Counters) -> Result<(), Fault> {
    let blocks = job.grid.iter().map(|n| *n as u64).product::<u64>();
    let threads = job.block.iter().product();
    let period = memory.periods + 1;
    let mut launch = Launch {
        job,
        memory,
        settings,
        counters,
        execute: alu::best(),
        shared: Shared::new(job.kernel.shared + job.dynamic_shared, period),
        windows: [Window::NONE; CACHED],
        next_window: 0,
        several: blocks > 1,
        order: Order::new(job.number, blocks as usize),
        block_id: [0; 3],
        unfenced: Vec::new(),
        unwritten_shared: None,
        unwritten_global: None,
        steps: 0,
        random: Random(settings.seed | 1),
    };
    launch.counters.launches += 1;
    launch.check_pointers()?;
    let mut warps = block::warps(job, threads);
    let mut order: Vec<u64> = Vec::new();
    if settings.order == RunOrder::Random {
        order = (0..blocks).collect();
        launch.random.shuffle(&mut order);
    }
    for turn in 0..blocks {
        let number = match settings.order {
            RunOrder::Forward => turn,
            RunOrder::Reverse => blocks - 1 - turn,
            RunOrder::Random => order[turn as usize],
        };
        let [x, y, _] = job.grid.map(u64::from);
        launch.block_id = [number % x, number / x % y, number / x / y].map(|n| n as u32);
        launch.order.begin(number as u32);
        launch.counters.blocks += 1;
        launch.run_block(&mut warps).map_err(|fault| launch.first_cause(fault))?;
    }
    launch.memory.periods = launch.shared.period;
    launch.unwritten_global.map_or(Ok(()), Err)
}

impl Launch<'_> {
    /// Parameters that are declared as addresses must be null or lead to memory that lives.
    fn check_pointers(&self) -> Result<(), Fault> {
        for (index, p) in self.job.kernel.parameters.iter().enumerate().filter(|(_, p)| p.pointer && p.size == 8) {
            let bytes = &self.job.parameters[p.offset..p.offset + 8];
            let address = bytes.iter().rev().fold(0u64, |a, b| a << 8 | *b as u64);
            if address == 0 {
                continue;
            }
            if let Err(why) = self.memory.check(address, 0) {
                let kind = match why {
                    memory::Unusable::Freed { .. } => FaultKind::UseAfterFree,
                    _ => FaultKind::OutOfBounds,
                };
                let text = format!("parameter {index} of {} is {address:#x}, {why}", self.job.kernel.name);
                return Err(Fault::outside(kind, text));
            }
        }
        Ok(())
    }

    /// A race explains an earlier read of what nobody wrote; any other fault may come from it.
    fn first_cause(&mut self, fault: Fault) -> Fault {
        if matches!(fault.kind, FaultKind::SharedRace | FaultKind::GlobalRace | FaultKind::BlockRace) {
            return fault;
        }
        self.unwritten_shared.take().or(self.unwritten_global.take()).unwrap_or(fault)
    }

    /// A fault of a thread at an instruction; `thread` counts within the block.
    #[cold]
    fn fault(&self, kind: FaultKind, thread: Option<u32>, at: usize, text: impl Into<String>) -> Fault {
        let instruction = &self.job.kernel.code[at];
        let module = self.job.module;
        let place = module.places[instruction.place as usize];
        let file = |id: u32, line: u32| {
            module.files.iter().find(|f| f.0 == id).filter(|_| line > 0).map(|f| (f.1.clone(), line))
        };
        let [x, y, _] = self.job.block;
        Fault {
            kind,
            text: text.into(),
            location: Some(Box::new(Location {
                kernel: self.job.kernel.name.clone(),
                block: self.block_id,
                thread: thread.map(|t| [t % x, t / x % y, t / x / y]),
                ptx_line: instruction.line,
                source: file(place.file, place.line),
                inlined_at: place.inlined_at.and_then(|(f, l)| file(f, l)),
            })),
        }
    }
}

/// Xorshift, for orders that repeat with their seed (Marsaglia 2003).
pub(crate) struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, (self.next() % (i as u64 + 1)) as usize);
        }
    }
}
