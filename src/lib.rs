//! admmc compiles a problem that is written in two halves,
//!
//! ```text
//! minimise f(x) + g(z)   subject to   Ax + Bz = c,
//! ```
//!
//! into the iteration that solves it by the alternating direction method of multipliers: an x-step,
//! a z-step, a step of the multipliers λ. The halves may be the weights of networks, and games of
//! several players are problems too. It derives the steps, says why each is taken, refuses what can't
//! work, and runs the result. A file in, numbers and the reasoning behind them out.
//!
//! # From text to numbers
//!
//! The folders of `src/` are the stages, in this order; [`pipeline`] is them on one screen.
//!
//! | stage | gives | what happens |
//! |---|---|---|
//! | [`syntax`] | [`Ast`](syntax::ast::Ast) | the file is cut into statements, and each is parsed by itself, so that one slip costs one statement |
//! | [`model`] | [`Model`](model::Model) | names, shapes and data are resolved; what is known before the run is computed |
//! | [`split`] | [`Split`](split::Split) | variables go to the two blocks, constraints become operators A and B, blocks fall into independent components |
//! | [`steps`] | [`Plan`](steps::Plan) | each component gets the first rule of the ladder that solves its step: a closed form, or an inner method |
//! | [`schedule`] | [`Schedule`](schedule::Schedule) | the algorithm as it stands in a paper: states, loops, programs, stopping tests |
//! | [`exec`] | [`Outcome`](exec::Outcome) | a device runs it |
//! | [`report`] | text, files | tables, traces, solutions, pictures, and the derivation in mathematics |
//!
//! What is wrong is collected as [`diag`]nostics, and compilation stops between stages. From the
//! schedule on nothing fails on a user's account: a run ends with a [`Status`](exec::Status).
//! Dependencies point left, at earlier stages; a test reads them off the source text.
//!
//! Under the stages lies what all of them use: [`source`] (text and places in it), [`diag`], [`linalg`]
//! (matrices and operators), [`tape`], [`catalogue`] (the functions of the language), [`data`] (files of
//! numbers) and [`host`] (clock, signals and checkpoints of a run, behind a trait). Around them is [`cli`].
//!
//! # The one idea: everything numeric is a program on the tape
//!
//! [`tape`] is a small language of tensors: values assigned once, static shapes, instructions from a
//! closed list. Not only the gradient of a network is written in it. So are every closed-form step, the
//! update of λ, the residuals, an Adam update, a metric, a grid of pictures. Therefore
//!
//! - what is said once runs on every device: a device implements the instructions, and nothing else;
//! - the same passes simplify, stabilise and fuse them all;
//! - a derivative is a program again, which can be optimised, printed and differentiated once more;
//! - the slowest and plainest reading of the tape, [`exec::reference`], is the judge of the fast ones.
//!
//! # Where it grows
//!
//! A family grows by a file and a line, and forgetting the line fails a test or the build.
//!
//! | to add | write | which |
//! |---|---|---|
//! | a function of the language | a file in its group in [`catalogue`] | says its signature, shape, program and mathematics |
//! | an instruction | a file in [`tape::ops`] | says its shape, value and both derivatives |
//! | a rewriting | a file in [`tape::passes`] | keeps what a program computes |
//! | a rule for steps | a file in [`steps`] | gives the step or the reason why it does not apply |
//! | a way to adapt ρ | a file in `schedule/adapt/` | is a program from residuals to ρ |
//! | a device | a folder in [`exec`] | implements [`Executor`](exec::Executor) |
//! | a format of data | a file in [`data`] | reads a tensor |
//! | a diagnostic | a line in [`diag::codes`] and a page | says what is wrong, why, and what to write instead |
//! | a command | a file in [`cli`] | turns arguments into text and an exit code |
//!
//! # Why a result can be trusted
//!
//! - Every derivative of every instruction is held against central differences, in both modes, at the
//!   points where it is awkward. `admmc gradcheck` does the same for the terms of a file.
//! - Fast executors are held to the reference on random programs.
//! - The verifiers say what one stage may assume of another, and run between passes wherever debug
//!   assertions are on, tests included.
//! - The answer is judged afresh: terms, constraints and stationarity are computed at the end by
//!   programs of their own, from the problem as it was written, and not from the run's own residuals.
//! - Random numbers are counted, not drawn from a hidden state, and sums follow a fixed tree, so that a
//!   seed gives the same bits on any number of threads and across a checkpoint.
//! - What turns infinite is traced back to the instruction and shown in the file.
//!
//! # As a library
//!
//! ```
//! use std::path::Path;
//!
//! use admmc::data::Memory;
//! use admmc::exec::{self, Cpu, Nobody, Outcome, Status};
//! use admmc::host::Still;
//! use admmc::model::Inputs;
//! use admmc::pipeline;
//!
//! fn solve(text: &str) -> Option<Outcome> {
//!     let files = Memory::default();
//!     let mut parsed = pipeline::parse_text(Path::new("halves.admm"), text, &files);
//!     let model = pipeline::check(&mut parsed, &Inputs::new(&files))?;
//!     let compiled = pipeline::compile(model, None, &mut parsed.diags)?;
//!     exec::run(&compiled.schedule, &mut Cpu::new(1), &Still::default(), &mut Nobody, 0).ok()
//! }
//!
//! let outcome = solve(
//!     "var x, z: real[2]
//!      minimize   sum_squares(x - [3; 1])/2 + sum_squares(z)/2
//!      subject to x - z = 0
//!      solve admm { tol = 1e-8 }",
//! );
//! let outcome = outcome.expect("the problem is well posed");
//! assert_eq!(outcome.status, Status::Solved);
//! let x = outcome.answer("x").expect("x is a variable").to_f64();
//! assert!((x[0] - 1.5).abs() < 1e-6 && (x[1] - 0.5).abs() < 1e-6);
//! ```
//!
//! Where `solve` gives nothing, `parsed.diags` says why, and [`diag::render`] draws it.

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
