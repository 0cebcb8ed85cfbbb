//! `admmc fmt FILE…`

use std::path::Path;

use super::args;
use super::complaint::Complaint;
use super::{Exit, Setup, World, diagnostics, read, say, write};
use crate::diag::Diags;
use crate::source::Sources;
use crate::syntax;

/// Lays every file out; one that can't be parsed is left as it is, and its errors are shown.
pub fn run(args: &args::Fmt, setup: &Setup, world: &mut World) -> Result<Exit, Complaint> {
    let mut exit = Exit::Done;
    for path in &args.files {
        let stdin = path == Path::new("-");
        let text = if stdin { standard_input(world)? } else { read(path, world)? };
        let Some(printed) = laid_out(if stdin { Path::new("<stdin>") } else { path }, &text, setup, world) else {
            exit = Exit::Rejected;
            continue;
        };
        if args.check {
            if printed != text {
                say(world, &format!("{}\n", path.display()));
                exit = exit.or(Exit::Unsolved);
            }
        } else if stdin {
            say(world, &printed);
        } else if printed != text {
            write(path, &printed, world)?;
        }
    }
    Ok(exit)
}

/// The text in the one style, or `None` after its errors were shown.
fn laid_out(path: &Path, text: &str, setup: &Setup, world: &mut World) -> Option<String> {
    let (mut sources, mut diags) = (Sources::default(), Diags::default());
    let file = sources.add(path, text);
    let ast = syntax::parse(file, text, &mut diags);
    // Where standard error is closed, the exit code still tells.
    let _ = diagnostics::show(&diags, &sources, setup, world.err);
    (!diags.has_errors()).then(|| syntax::print(&ast, text))
}

fn standard_input(world: &mut World) -> Result<String, Complaint> {
    let mut bytes = Vec::new();
    let read = world.input.read_to_end(&mut bytes);
    read.map_err(|error| Complaint::new(format!("standard input can't be read: {error}")))?;
    // What is no UTF-8 is replaced, and reported by the parser.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
