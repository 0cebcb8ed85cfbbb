//! Schedule → outcome, on a device.

mod executor;
pub mod reference;

pub use executor::{Buffer, Call, Executor, NonFinite, Slot};
pub use reference::Reference;
