//! Ast → [`Model`]: names, kinds, shapes, compile-time values, data.

mod fold;
pub mod ir;
mod lower;
#[cfg(test)]
mod tests;

pub use fold::{evaluate, fold, is_constant};
pub use ir::Model;
pub use lower::Lower;
