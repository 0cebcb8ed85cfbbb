//! admmc: a compiler for split optimisation problems.

pub mod diag;
pub mod exec;
pub mod source;
pub mod syntax;
pub mod tape;
