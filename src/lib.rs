//! admmc: a compiler for split optimisation problems.

pub mod catalogue;
pub mod cli;
pub mod data;
pub mod diag;
pub mod exec;
pub mod host;
pub mod linalg;
pub mod model;
pub mod pipeline;
pub mod report;
pub mod schedule;
pub mod source;
pub mod split;
pub mod steps;
pub mod syntax;
pub mod tape;
