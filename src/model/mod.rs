//! Ast → [`Model`]: names, kinds, shapes, compile-time values, data.
//!
//! [`check`] is the stage; [`ir`] what it gives; [`Lower`] turns expressions of a model into programs,
//! for this stage (which computes what is known already, [`mod@fold`]) and for those behind it.

mod check;
pub mod fold;
mod inputs;
pub mod ir;
mod layout;
mod lower;
mod network;
mod print;
mod sparse;
#[cfg(test)]
mod tests;
mod unicode;

pub use check::{builtins, check};
pub use fold::{evaluate, fold, is_constant};
pub use inputs::Inputs;
pub use ir::Model;
pub use layout::{Edit, Layout, is_name_part, is_same_name};
pub use lower::Lower;
