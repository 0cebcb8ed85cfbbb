//! Tests that see the program as its users do: through the public library and the command.

mod cases;
mod cli;
mod compile;
mod convex;
mod data;
mod dependencies;
mod domain;
mod examples;
mod inner;
mod layering;
mod model;
mod networks;
mod outputs;
mod pages;
mod reference;
mod remarks;
mod report;
mod solve;
mod sparse;
mod syntax;
mod theory;
mod unattained;
mod unbounded;
