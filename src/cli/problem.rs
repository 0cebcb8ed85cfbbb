//! What most commands begin with: a file read, checked and compiled, its diagnostics shown.

use std::path::Path;

use super::args::Inputs;
use super::complaint::Complaint;
use super::{Exit, Setup, World, diagnostics};
use crate::data::{Files, read_named};
use crate::model;
use crate::pipeline::{self, Compiled, Parsed};
use crate::schedule::ir::StateId;
use crate::schedule::{self, Schedule};
use crate::tape::Tensor;

impl Inputs {
    /// As the checker takes them; without `bind`, data is taken at its declared shape.
    pub fn of<'a>(&self, files: &'a dyn Files, bind: bool) -> model::Inputs<'a> {
        model::Inputs {
            set: self.set.iter().map(|set| (set.name.clone(), set.value.clone())).collect(),
            data: self.data.iter().map(|data| (data.name.clone(), data.path.clone())).collect(),
            files,
            bind,
        }
    }
}

/// Reads and parses a file and those it uses.
pub fn parse(path: &Path, world: &World) -> Result<Parsed, Complaint> {
    pipeline::parse(path, world.files).map_err(|error| Complaint::unreadable(path, &error, world))
}

/// Compiles the chosen solve block and shows what was found on the way. Where that is errors, the
/// end of the command.
pub fn compile(
    path: &Path,
    inputs: &Inputs,
    setup: &Setup,
    world: &mut World,
) -> Result<(Parsed, Result<Compiled, Exit>), Complaint> {
    let (parsed, compiled) = compile_each(path, inputs, &[inputs.solve.as_deref()], setup, world)?;
    Ok((parsed, compiled.map(|mut all| all.remove(0))))
}

/// Compiles several solve blocks: all of them before one runs, so that none runs in vain.
pub fn compile_each(
    path: &Path,
    inputs: &Inputs,
    solves: &[Option<&str>],
    setup: &Setup,
    world: &mut World,
) -> Result<(Parsed, Result<Vec<Compiled>, Exit>), Complaint> {
    let mut parsed = parse(path, world)?;
    let compiled = pipeline::check(&mut parsed, &inputs.of(world.files, true)).and_then(|model| {
        solves.iter().map(|solve| pipeline::compile(model.clone(), *solve, &mut parsed.diags)).collect()
    });
    // Where standard error is closed, the exit code still tells.
    let _ = diagnostics::show_briefly(&parsed.diags, path, &parsed.sources, setup, world.err);
    let compiled = compiled.ok_or_else(|| Exit::of(&parsed.diags));
    Ok((parsed, compiled))
}

/// Shows the diagnostics on standard error. Where that is closed, the exit code still tells.
pub fn show(parsed: &Parsed, setup: &Setup, world: &mut World) {
    let _ = diagnostics::show(&parsed.diags, &parsed.sources, setup, world.err);
}

/// The states that the solution in a file gives.
pub fn solution(schedule: &Schedule, path: &Path, world: &World) -> Result<Vec<(StateId, Tensor)>, Complaint> {
    let named = read_named(world.files, path)
        .map_err(|error| Complaint::new(error.to_string()).code(error.code()).help(error.help()).exit(Exit::NoData))?;
    schedule::matched(schedule, &named)
        .map_err(|why| Complaint::new(why).help("a solution belongs to the problem that it was found for"))
}
