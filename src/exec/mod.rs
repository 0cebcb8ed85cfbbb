//! Schedule → outcome, on a device.

mod ahead;
mod bound;
mod checkpoint;
mod cpu;
pub mod cuda;
mod ending;
mod executor;
mod growth;
pub mod observer;
pub mod outcome;
mod plan;
mod recording;
pub mod reference;
mod run;
mod safe_point;
mod sampling;
mod start;
#[cfg(test)]
mod tests;
mod verdict;

pub use cpu::Cpu;
pub use executor::{Ahead, Buffer, Call, Executor, Fault, NonFinite, Slot, Work};
pub use observer::{Nobody, Observer};
pub use outcome::{Outcome, Status};
pub use reference::Reference;
pub use run::{Failure, run, run_keeping, verify};
pub use start::tensor as starting;
