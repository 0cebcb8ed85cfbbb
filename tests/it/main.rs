//! Tests that see the program as its users do: through the public library and the command.

mod cases;
mod cli;
mod compile;
mod convex;
mod data;
mod dependencies;
mod endings;
mod examples;
mod games;
mod inner;
mod layering;
mod mends;
mod model;
mod mutations;
mod networks;
mod outputs;
mod pages;
mod reference;
mod remarks;
mod report;
mod rows;
mod scales;
mod solve;
mod sparse;
mod syntax;
mod unbounded;
