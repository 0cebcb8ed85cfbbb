//! Schedule → outcome, on a device.

mod executor;

pub use executor::{Buffer, Call, Executor, NonFinite, Slot};
