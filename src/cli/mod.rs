//! The command `admmc`: arguments → library → text and an exit code. A command a file.
//!
//! Nothing here exits, reads the environment or touches the real streams: `main` hands in a
//! [`World`], and a test another.

mod args;
mod check;
mod complaint;
mod completions;
mod cuda;
mod devices;
mod diagnostics;
mod emit;
mod exit;
mod explain;
mod fmt;
mod gradcheck;
mod machine;
mod new;
mod problem;
mod run;
mod sequence;
#[cfg(test)]
mod tests;
mod values;
mod verify;

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Parser;

use crate::data::Files;
use crate::exec::cuda::Places;
use crate::report::Look;
use args::{Args, Colour, Command, Output};
use complaint::Complaint;
pub use cuda::{kept, places};
pub use exit::Exit;
pub use machine::Machine;

/// What a command meets: streams, files, what the screen can show.
pub struct World<'a> {
    /// Standard input.
    pub input: &'a mut dyn Read,
    /// Standard output: results.
    pub out: &'a mut dyn Write,
    /// Standard error: complaints and progress.
    pub err: &'a mut dyn Write,
    /// Whether a person reads standard output, and standard error.
    pub terminal: (bool, bool),
    /// Whether the environment asks for no colour (`NO_COLOR`).
    pub colourless: bool,
    /// Columns of the screen.
    pub width: usize,
    /// Where files are read and written.
    pub files: &'a dyn Files,
    /// How many threads the machine runs at once.
    pub threads: usize,
    /// Where CUDA's libraries are looked for.
    pub cuda: Places,
    /// Where compiled kernels are kept for the next run; nowhere if that is not known.
    pub kernels: Option<PathBuf>,
    /// Set when the user presses Ctrl-C.
    pub interrupted: Arc<AtomicBool>,
}

/// How a command shows things, as its options and the streams have it.
struct Setup {
    /// Text or JSON.
    output: Output,
    /// Only results and complaints.
    quiet: bool,
    /// What standard output can show.
    look: Look,
    /// What standard error can show.
    err_look: Look,
    /// Columns that diagnostics fill.
    width: usize,
}

/// Runs the command that `arguments` name (the first is the program) and says how it ended.
pub fn run(arguments: impl IntoIterator<Item = OsString>, world: &mut World) -> Exit {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let args = match Args::try_parse_from(&arguments) {
        Ok(args) => args,
        Err(error) if !error.use_stderr() => return say(world, &error.to_string()),
        Err(error) => {
            let output = if args::wants_json(&arguments) { Output::Json } else { Output::Text };
            return Complaint::of(&error, &arguments).show(world, output);
        }
    };
    let setup = Setup::new(&args, world);
    let done = match args.command {
        Command::Explain(args) => explain::run(&args, &setup, world),
        Command::Compare(args) => Err(Complaint::not_yet("compare", &args.file)),
        Command::Sweep(args) => Err(Complaint::not_yet("sweep", &args.file)),
        Command::Verify(args) => verify::run(&args, &setup, world),
        Command::Run(args) => run::run(&args, &setup, world),
        Command::Check(args) => check::run(&args, &setup, world),
        Command::Emit(args) => emit::run(&args, &setup, world),
        Command::Gradcheck(args) => gradcheck::run(&args, &setup, world),
        Command::Fmt(args) => fmt::run(&args, &setup, world),
        Command::New(args) => new::run(&args, &setup, world),
        Command::Devices => devices::run(&setup, world),
        Command::Completions(args) => completions::run(&args, world),
    };
    done.unwrap_or_else(|complaint| complaint.show(world, setup.output))
}

impl Setup {
    fn new(args: &Args, world: &World) -> Setup {
        let colour = |terminal: bool| match args.colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => terminal && !world.colourless,
        };
        let look = |terminal: bool| Look { terminal, colour: colour(terminal) };
        Setup {
            output: args.output,
            quiet: args.quiet,
            look: look(world.terminal.0),
            err_look: look(world.terminal.1),
            width: world.width,
        }
    }
}

/// Writes results to standard output.
fn say(world: &mut World, text: &str) -> Exit {
    match world.out.write_all(text.as_bytes()).and_then(|()| world.out.flush()) {
        // The reader has seen enough: `admmc explain E0501 | head -1`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
        Err(_) => Exit::Fault,
        Ok(()) => Exit::Done,
    }
}

/// The text of an `.admm` file.
fn read(path: &Path, world: &World) -> Result<String, Complaint> {
    let mut bytes = Vec::new();
    let read = world.files.open(path).and_then(|mut file| file.read_to_end(&mut bytes));
    // What is no UTF-8 is replaced, and reported by the parser.
    read.map(|_| String::from_utf8_lossy(&bytes).into_owned())
        .map_err(|error| Complaint::unreadable(path, &error, world))
}

/// Writes an `.admm` file back.
fn write(path: &Path, text: &str, world: &World) -> Result<(), Complaint> {
    let written = world.files.write(path, text.as_bytes());
    written.map_err(|error| {
        Complaint::new(format!("`{}` can't be written: {error}", path.display())).help("check its permissions")
    })
}
