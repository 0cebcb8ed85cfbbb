//! Ast → [`Model`]: names, kinds, shapes, compile-time values, data.

pub mod ir;

pub use ir::Model;
