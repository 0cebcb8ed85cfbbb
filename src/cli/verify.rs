//! `admmc verify FILE SOLUTION`: a solution judged on the problem as it is written, in doubles, by nobody's
//! word but its own numbers.

use super::args::{self, Output};
use super::complaint::Complaint;
use super::{Exit, Machine, Setup, World, problem, say};
use crate::exec::{self, Cpu, Status};
use crate::report::Summary;
use crate::report::results::Origin;

/// Judges a solution: exit code 0 where it holds, 1 where it does not.
pub fn run(args: &args::Verify, setup: &Setup, world: &mut World) -> Result<Exit, Complaint> {
    let (_, compiled) = problem::compile(&args.file, &args.inputs, setup, world)?;
    let schedule = match compiled {
        Ok(compiled) => compiled.schedule,
        Err(exit) => return Ok(exit),
    };
    if schedule.verdict.stationarity.is_empty() {
        return Err(Complaint::new(
            "a game and a problem of random batches have no conditions that a point could meet",
        )
        .help("`verify` takes a problem whose run ends as `solved` or `stationary`"));
    }
    let solution = problem::solution(&schedule, &args.solution, world)?;
    let host = Machine::new(std::sync::Arc::clone(&world.interrupted));
    let mut outcome = exec::verify(&schedule, &solution, &mut Cpu::new(1), &host, args.inputs.seed);
    // Nothing is solved: there is no time to account for.
    outcome.shares.clear();
    let origin = Origin { file: args.file.display().to_string(), device: "cpu".to_owned(), seed: args.inputs.seed };
    let mut summary = Summary::of(&outcome, &origin);
    let (word, because) = match outcome.status {
        Status::Solved => ("verified", None),
        Status::Stationary => ("verified as stationary", None),
        Status::SolvedInaccurate => ("not verified", Some("a residual is above its bound".to_owned())),
        _ => ("not verified", summary.because.take()),
    };
    (summary.status, summary.because) = (word.to_owned(), because);
    match setup.output {
        Output::Json => say(world, &summary.json()),
        Output::Text => say(world, &summary.render(setup.look)),
    };
    Ok(if summary.good { Exit::Done } else { Exit::Unsolved })
}
