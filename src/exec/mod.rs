//! Schedule → outcome, on a device.

mod bound;
mod checkpoint;
mod cpu;
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
mod verdict;

pub use cpu::Cpu;
pub use executor::{Buffer, Call, Executor, NonFinite, Slot};
pub use observer::{Nobody, Observer};
pub use outcome::{Outcome, Status};
pub use reference::Reference;
pub use run::{run, run_keeping, verify};
pub use start::tensor as starting;
