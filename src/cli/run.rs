//! `admmc run FILE`

use std::path::{Path, PathBuf};

use super::args::{self, Output};
use super::complaint::Complaint;
use super::values::Device;
use super::{Exit, Machine, Setup, World, diagnostics, problem, say, sequence};
use crate::diag::{self, Code};
use crate::exec::cuda::{self, Compiler, Cuda, PassLoad, Refusal};
use crate::exec::{self, Cpu, Executor, Failure, Outcome, Reference, Status};
use crate::pipeline::{Compiled, Parsed};
use crate::report::explain::Subject;
use crate::report::load::choice;
use crate::report::remarks::{Ran, remarks};
use crate::report::results::{self, Origin};
use crate::report::{Folder, Header, Progress, Summary, Watch};
use crate::schedule::ir::Schedule;
use crate::schedule::{self, Carried, Factors, carried};

/// Runs a file: one solve block, or several (`--solve admm,sgd`) one after another on the same data and
/// seed, each in a folder of its own below a trace of all.
pub fn run(args: &args::Run, setup: &Setup, world: &mut World) -> Result<Exit, Complaint> {
    if let Some(sequence) = sequence::of(&args.inputs.set)? {
        return sequence::run(args, sequence, setup, world);
    }
    let names: Vec<&str> = args.inputs.solve.iter().flat_map(|names| names.split(',')).map(str::trim).collect();
    let solves: Vec<Option<&str>> =
        if names.is_empty() { vec![None] } else { names.iter().copied().map(Some).collect() };
    // A device that is not there is said before anything else.
    executor(args, None, world)?;
    let (parsed, compiled) = problem::compile_each(&args.file, &args.inputs, &solves, setup, world)?;
    let compiled = match compiled {
        Ok(compiled) => compiled,
        Err(exit) => return Ok(exit),
    };
    let folder = folder(args)?;
    if solves.len() == 1 {
        let only = compiled.into_iter().next().expect("each block that is asked for is compiled");
        return solve(only, &folder, &parsed, args, &mut Chain::default(), setup, world).map(|(_, exit)| exit);
    }
    let mut outcomes = Vec::new();
    let mut worst = Exit::Done;
    for (name, compiled) in names.iter().zip(compiled) {
        let own = results_in(&folder.path().join(name), args.resume)?;
        let (outcome, exit) = solve(compiled, &own, &parsed, args, &mut Chain::default(), setup, world)?;
        outcomes.push((outcome.name.clone(), outcome));
        worst = if exit == Exit::Done { worst } else { exit };
        if worst == Exit::Interrupted {
            break;
        }
    }
    results::beside(&folder, &outcomes).map_err(|error| unwritable(folder.path(), &error))?;
    Ok(worst)
}

/// What runs of one file hand on to each other.
#[derive(Default)]
pub(super) struct Chain {
    /// The end of the last run.
    pub from: Option<Carried>,
    /// Whether there may be a next.
    pub keep: bool,
    /// What became of the factors.
    pub factors: Option<Factors>,
}

/// Runs one compiled solve block, and writes and shows what was found.
pub(super) fn solve(
    mut compiled: Compiled,
    folder: &Folder,
    parsed: &Parsed,
    args: &args::Run,
    chain: &mut Chain,
    setup: &Setup,
    world: &mut World,
) -> Result<(Outcome, Exit), Complaint> {
    let (mut executor, why) = executor(args, Some(&compiled.schedule), world)?;
    if let Some(path) = &args.start {
        let solution = problem::solution(&compiled.schedule, path, world)?;
        schedule::warm(&mut compiled.schedule, solution);
    }
    let keep = if chain.keep { carried(&compiled.schedule) } else { Vec::new() };
    let whole = chain.keep.then(|| compiled.schedule.clone());
    chain.factors = chain.from.take().map(|from| from.begin(&mut compiled.schedule));
    let origin =
        Origin { file: args.file.display().to_string(), device: executor.name().to_owned(), seed: args.inputs.seed };
    let shown = setup.output == Output::Text && !setup.quiet;
    if shown {
        let mut header = Header::of(&compiled.model, &compiled.solve, &compiled.plan, &origin);
        header.rows.extend(why.map(|why| (executor.name().to_owned(), why)));
        say(world, &format!("{}\n", header.render(setup.look)));
    }

    let limit = args.time_limit.map(|limit| limit.0);
    let interrupted = std::sync::Arc::clone(&world.interrupted);
    let host = Machine::new(interrupted).limit(limit).folder(folder.path().to_owned(), args.resume);
    let progress = match (shown, setup.err_look.terminal) {
        (false, _) => Progress::quiet(),
        (true, true) => Progress::live(),
        (true, false) => Progress::lines(&mut *world.err),
    };
    let mut watch = Watch::new(&compiled.schedule, &host, progress, Some(folder));
    let ended = exec::run_keeping(&compiled.schedule, &mut *executor, &host, &mut watch, args.inputs.seed, &keep);
    let written = watch.finish();
    let (outcome, values) = ended.map_err(failure)?;

    let Compiled { model, split, solve, plan, schedule } = &compiled;
    let subject = Subject { model, split, plan, schedule };
    let ran = Ran { subject, solve, outcome: &outcome, sources: &parsed.sources, seed: args.inputs.seed };
    let found = remarks(&ran);
    let mut summary = Summary::of(&outcome, &origin);
    summary.diagnostics =
        parsed.diags.iter().chain(found.iter()).map(|diag| diag::to_json(diag, &parsed.sources)).collect();
    summary.files = written.map_err(|sentence| Complaint::new(sentence).exit(Exit::Fault))?;
    results::write(folder, &outcome, &mut summary).map_err(|error| unwritable(folder.path(), &error))?;
    if summary.good {
        // The run came to its end: there is nothing to go on from.
        folder.remove(Machine::CHECKPOINT).map_err(|error| unwritable(folder.path(), &error))?;
    }
    // Where standard error is closed, result.json still tells.
    let _ = diagnostics::show(&found, &parsed.sources, setup, world.err);
    match setup.output {
        Output::Json => say(world, &summary.json()),
        Output::Text => {
            let place = format!("\nresults in {}\n", folder.path().display());
            say(world, &format!("{}{}", summary.render(setup.look), if setup.quiet { "" } else { &place }))
        }
    };
    // Where a run went out of bounds is no place to begin.
    let sound = !matches!(outcome.status, Status::NonFinite(_) | Status::Diverged(_));
    chain.from = whole.filter(|_| sound).map(|whole| Carried::new(whole, values));
    let exit = match outcome.status {
        Status::Interrupted => Exit::Interrupted,
        _ if summary.good => Exit::Done,
        _ => Exit::Unsolved,
    };
    Ok((outcome, exit))
}

/// Why a run has no outcome.
fn failure(failure: Failure) -> Complaint {
    match failure {
        Failure::Checkpoint(sentence) => Complaint::new(sentence).help("without `--resume` the run starts anew"),
        Failure::Device(fault) => Complaint::new(fault.message).code(Code::NoDevice).help(fault.help).exit(Exit::Fault),
    }
}

/// The device asked for. Of `auto` it is the one that is expected to be the faster for this schedule, with the reason.
fn executor(
    args: &args::Run,
    schedule: Option<&Schedule>,
    world: &World,
) -> Result<(Box<dyn Executor>, Option<String>), Complaint> {
    let threads = args.threads.unwrap_or(world.threads);
    let cpu = || -> Box<dyn Executor> { Box::new(Cpu::new(threads)) };
    match args.device {
        Device::Cpu => Ok((cpu(), None)),
        Device::Reference => Ok((Box::new(Reference::new()), None)),
        Device::Cuda(number) => Ok((gpu(number, world)?, None)),
        Device::Auto => {
            let Some(pass) = schedule.and_then(PassLoad::every_time) else { return Ok((cpu(), None)) };
            let (is_gpu, why) = choice(pass.total(), pass.unit.word(), threads);
            if !is_gpu {
                return Ok((cpu(), Some(why)));
            }
            match gpu(0, world) {
                Ok(gpu) => Ok((gpu, Some(why))),
                Err(refusal) => Ok((cpu(), Some(format!("{why}, but {refusal}")))),
            }
        }
    }
}

fn gpu(number: u32, world: &World) -> Result<Box<dyn Executor>, Refusal> {
    let device = cuda::open(&world.cuda, number)?;
    let compiler = Compiler::new(&device, super::cuda::cache(world))?;
    Ok(Box::new(Cuda::new(device, compiler, world.cuda.clone())))
}

/// The folder for results. A checkpoint that this run does not go on from is another run's.
pub(super) fn folder(args: &args::Run) -> Result<Folder, Complaint> {
    let path = args.out.clone().unwrap_or_else(|| {
        let name = args.file.file_stem().unwrap_or(args.file.as_os_str());
        PathBuf::from("out").join(name)
    });
    results_in(&path, args.resume)
}

/// A folder for the results of a run that goes on from its checkpoint, or begins anew.
pub(super) fn results_in(path: &Path, resume: bool) -> Result<Folder, Complaint> {
    let made = Folder::create(path).and_then(|folder| {
        if !resume {
            folder.remove(Machine::CHECKPOINT)?;
        }
        Ok(folder)
    });
    made.map_err(|error| unwritable(path, &error))
}

pub(super) fn unwritable(path: &Path, error: &std::io::Error) -> Complaint {
    Complaint::new(format!("the results can't be written to `{}`: {error}", path.display()))
        .help("`--out DIR` names another folder")
        .exit(Exit::Fault)
}
