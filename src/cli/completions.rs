//! `admmc completions SHELL`

use clap::CommandFactory;

use super::args::{self, Args};
use super::complaint::Complaint;
use super::{Exit, World, say};

pub fn run(args: &args::Completions, world: &mut World) -> Result<Exit, Complaint> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "admmc", &mut script);
    Ok(say(world, &String::from_utf8_lossy(&script)))
}
