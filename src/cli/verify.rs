//! `admmc verify FILE SOLUTION`: a solution judged on the problem as it is written, in doubles, by nobody's
//! word but its own numbers.

use super::args::{self, Output};
use super::complaint::Complaint;
use super::{Exit, Machine, Setup, World, problem, say};
use crate::exec::{self, Reference, Status};
use crate::report::Summary;
use crate::report::results::Origin;

/// Judges a solution: exit code 0 where it holds, 1 where it does not.
pub fn run(args: &args::Verify, setup: &Setup, world: &mut World) -> Result<Exit, Complaint> {
    let (_, compiled) = problem::compile(&args.file, &args.inputs, setup, world)?;
    let mut compiled = match compiled {
        Ok(compiled) => compiled,
        Err(exit) => return Ok(exit),
    };
    problem::start_at(&mut compiled.schedule, &args.solution, world)?;
    let host = Machine::new(std::sync::Arc::clone(&world.interrupted));
    let mut outcome = exec::verify(&compiled.schedule, &mut Reference::new(), &host, args.inputs.seed);
    // Nothing was iterated: there is no time to account for.
    outcome.shares.clear();
    let origin =
        Origin { file: args.file.display().to_string(), device: "reference".to_owned(), seed: args.inputs.seed };
    let mut summary = Summary::of(&outcome, &origin);
    let word = match outcome.status {
        Status::Solved => "verified",
        Status::Stationary => "verified as stationary",
        _ => "not verified",
    };
    summary.because = (!summary.good).then(|| "a residual is above its bound".to_owned());
    summary.status = word.to_owned();
    match setup.output {
        Output::Json => say(world, &summary.json()),
        Output::Text => say(world, &summary.render(setup.look)),
    };
    Ok(if summary.good { Exit::Done } else { Exit::Unsolved })
}
