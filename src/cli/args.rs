//! The command line, as data. The comments are the help texts.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use super::values::{self, Data, Device, Limit, Set};

/// A compiler for split optimisation problems: ADMM derived, checked and run from one .admm file
#[derive(Debug, Parser)]
#[command(name = "admmc", version, max_term_width = 100, disable_help_subcommand = true)]
pub struct Args {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
    /// How results and diagnostics are written
    #[arg(long = "format", global = true, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: Output,
    /// Colours in what is written
    #[arg(long = "color", global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub colour: Colour,
    /// Results and complaints only
    #[arg(short, long, global = true)]
    pub quiet: bool,
}

/// `--format`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Output {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

/// `--color`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Also in a pipe
    Always,
    /// Never
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Solve a problem, and write what was found
    Run(Run),
    /// Say what is wrong with files, without solving them
    Check(Check),
    /// Show the derived iteration of a file, or the page about a diagnostic's code
    Explain(Explain),
    /// Run all solve blocks of a file side by side
    Compare(Compare),
    /// Solve over a grid of parameters
    Sweep(Sweep),
    /// Print a stage of the compilation as text
    Emit(Emit),
    /// Hold every derivative of a file against differences
    Gradcheck(Gradcheck),
    /// Check a solution against the conditions of optimality
    Verify(Verify),
    /// Lay files out in the one style
    Fmt(Fmt),
    /// Begin a file from a worked example
    New(New),
    /// List the devices a problem can run on
    Devices,
    /// Print the completions of a shell
    Completions(Completions),
}

/// What a problem is made of besides its file.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Inputs {
    /// Gives a param another value: --set lambda=0.5; run takes several, one after another: --set lambda=1,0.5
    #[arg(long, value_name = "NAME=VALUE")]
    pub set: Vec<Set>,
    /// Reads data from another file: --data b=other.csv
    #[arg(long, value_name = "NAME=PATH")]
    pub data: Vec<Data>,
    /// Takes this solve block instead of the first; run takes several: --solve admm,sgd
    #[arg(long, value_name = "NAME")]
    pub solve: Option<String>,
    /// Where every random stream begins
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = values::whole)]
    pub seed: u64,
}

/// `admmc run`
#[derive(Debug, Clone, clap::Args)]
pub struct Run {
    /// The problem
    pub file: PathBuf,
    #[command(flatten)]
    pub inputs: Inputs,
    /// auto, cpu, cuda, cuda:1 or reference
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub device: Device,
    /// How many threads; results don't depend on it [default: one a core]
    #[arg(long, value_name = "N", value_parser = values::positive)]
    pub threads: Option<usize>,
    /// Where results go [default: out/NAME for NAME.admm]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Goes on from the checkpoint of an earlier run with the same --out
    #[arg(long)]
    pub resume: bool,
    /// Starts at a solution: the solution.npz of another run
    #[arg(long, value_name = "SOLUTION", conflicts_with = "resume")]
    pub start: Option<PathBuf>,
    /// Stops cleanly after this long: 60s, 5m, 1h
    #[arg(long, value_name = "TIME")]
    pub time_limit: Option<Limit>,
}

/// `admmc check`
#[derive(Debug, clap::Args)]
pub struct Check {
    /// The files
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Applies the repairs that are safe
    #[arg(long)]
    pub fix: bool,
    /// Reads no data: shapes are taken as declared
    #[arg(long)]
    pub no_data: bool,
    #[command(flatten)]
    pub inputs: Inputs,
}

/// `admmc explain`
#[derive(Debug, clap::Args)]
pub struct Explain {
    /// A file, or a code such as E0501
    #[arg(value_name = "FILE|CODE")]
    pub subject: PathBuf,
    /// Mathematics in LaTeX
    #[arg(long)]
    pub latex: bool,
    /// Counts the launches, bytes and flops of an iteration on it: cuda
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<Device>,
    #[command(flatten)]
    pub inputs: Inputs,
}

/// `admmc compare`
#[derive(Debug, clap::Args)]
pub struct Compare {
    /// The problem
    pub file: PathBuf,
    #[command(flatten)]
    pub inputs: Inputs,
}

/// `admmc sweep`
#[derive(Debug, clap::Args)]
pub struct Sweep {
    /// The problem
    pub file: PathBuf,
    /// The grid: rho=1e-3:1e3:log13
    #[arg(long, required = true, value_name = "NAME=GRID")]
    pub over: Vec<String>,
    #[command(flatten)]
    pub inputs: Inputs,
}

/// `admmc emit`
#[derive(Debug, clap::Args)]
pub struct Emit {
    /// The problem
    pub file: PathBuf,
    #[command(flatten)]
    pub stage: Stage,
    #[command(flatten)]
    pub inputs: Inputs,
}

/// Which stage `admmc emit` prints.
#[derive(Debug, Clone, Copy, clap::Args)]
#[group(required = true, multiple = false)]
pub struct Stage {
    /// The syntax tree
    #[arg(long)]
    pub ast: bool,
    /// Names, shapes, terms
    #[arg(long)]
    pub model: bool,
    /// f(x) + g(z), Ax + Bz = c
    #[arg(long)]
    pub split: bool,
    /// The tensor programs
    #[arg(long)]
    pub tape: bool,
    /// The algorithm
    #[arg(long)]
    pub schedule: bool,
    /// The kernels
    #[arg(long)]
    pub cuda: bool,
}

/// `admmc gradcheck`
#[derive(Debug, clap::Args)]
pub struct Gradcheck {
    /// The problem
    pub file: PathBuf,
    #[command(flatten)]
    pub inputs: Inputs,
}

/// `admmc verify`
#[derive(Debug, clap::Args)]
pub struct Verify {
    /// The problem
    pub file: PathBuf,
    /// The solution.npz of a run
    pub solution: PathBuf,
    #[command(flatten)]
    pub inputs: Inputs,
}

/// `admmc fmt`
#[derive(Debug, clap::Args)]
pub struct Fmt {
    /// The files; `-` stands for standard input, laid out on standard output
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Changes nothing, names the files that would change, and exits with 1 if there are any
    #[arg(long)]
    pub check: bool,
}

/// `admmc new`
#[derive(Debug, clap::Args)]
pub struct New {
    /// Which example to begin from
    pub kind: String,
    /// Name of the new file, without .admm
    pub name: String,
}

/// `admmc completions`
#[derive(Debug, clap::Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// Whether a command line that can't be read asks for JSON all the same.
pub fn wants_json(arguments: &[OsString]) -> bool {
    let follows = |pair: &[OsString]| pair[0] == "--format" && pair[1] == "json";
    arguments.windows(2).any(follows) || arguments.iter().any(|argument| argument == "--format=json")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }
}
