//! `admmc check FILE…`

use std::path::Path;

use super::args::{self, Output};
use super::complaint::Complaint;
use super::{Exit, Setup, World, diagnostics, problem, say, write};
use crate::diag::{Fix, fix};
use crate::pipeline::{self, Parsed};

/// Repairs bring new errors to light; a chain of them longer than this has no end.
const ROUNDS: usize = 20;

/// Checks every file.
pub fn run(args: &args::Check, setup: &Setup, world: &mut World) -> Result<Exit, Complaint> {
    let mut exit = Exit::Done;
    for path in &args.files {
        let mut parsed = checked(path, args, world)?;
        let mut done: Vec<String> = Vec::new();
        for _ in 0..if args.fix { ROUNDS } else { 0 } {
            let applied = mend(&parsed, world)?;
            if applied.is_empty() {
                break;
            }
            done.extend(applied);
            parsed = checked(path, args, world)?;
        }
        report(path, &parsed, &done, setup, world);
        exit = exit.or(Exit::of(&parsed.diags));
    }
    Ok(exit)
}

fn checked(path: &Path, args: &args::Check, world: &World) -> Result<Parsed, Complaint> {
    let mut parsed = problem::parse(path, world)?;
    pipeline::check_all(&mut parsed, &args.inputs.of(world.files, !args.no_data));
    Ok(parsed)
}

/// Applies every repair that fits, in all files; what was done, a line each.
fn mend(parsed: &Parsed, world: &World) -> Result<Vec<String>, Complaint> {
    let fixes: Vec<Fix> = parsed.diags.iter().filter_map(|diag| diag.fix.clone()).collect();
    let mut done = Vec::new();
    for (id, file) in parsed.sources.iter() {
        let text = fix::apply(&fixes, id, &file.text);
        if *text == *file.text {
            continue;
        }
        write(&file.path, &text, world)?;
        for fix in fix::fitting(&fixes, id, &file.text) {
            let first = fix.edits.iter().map(|(span, _)| span.start).min().unwrap_or_default();
            let line = file.line_column(first as usize).0;
            done.push(format!("{}:{line}: mended: {}", file.path.display(), fix.title));
        }
    }
    Ok(done)
}

/// What was mended and what is left. As JSON the diagnostics, which are the result of this command, go to
/// standard output.
fn report(path: &Path, parsed: &Parsed, done: &[String], setup: &Setup, world: &mut World) {
    if setup.output == Output::Json {
        let _ = diagnostics::show(&parsed.diags, &parsed.sources, setup, world.out);
        return;
    }
    if !setup.quiet {
        for line in done {
            say(world, &format!("{line}\n"));
        }
    }
    problem::show(parsed, setup, world);
    if !setup.quiet {
        let tally = diagnostics::tally(&parsed.diags);
        let found = if tally.is_empty() { "nothing to complain about".to_owned() } else { tally };
        say(world, &format!("{}: {found}\n", path.display()));
        for what in parsed.diags.unchecked() {
            say(world, &format!("{}: not checked: {what}\n", path.display()));
        }
    }
}
