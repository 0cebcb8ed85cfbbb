//! The program `admmc`: hands the world to the library. Only this file exits or reads the
//! environment.

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use admmc::cli::{self, Exit, World};
use admmc::data::Disk;

fn main() -> ExitCode {
    let interrupted = Arc::new(AtomicBool::new(false));
    let pressed = Arc::clone(&interrupted);
    // The first press asks the run to end with what it has; the second does not ask. Without a
    // handler (another one is installed, the system refuses) Ctrl-C ends the program, as anywhere.
    let _ = ctrlc::set_handler(move || {
        if pressed.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(u8::from(Exit::Interrupted)));
        }
    });
    // The paths that a variable lists.
    let paths = |name: &str| -> Vec<PathBuf> {
        std::env::var_os(name).iter().flat_map(|value| std::env::split_paths(value)).collect()
    };
    let mut world = World {
        input: &mut io::stdin().lock(),
        out: &mut io::stdout().lock(),
        err: &mut io::stderr(),
        terminal: (io::stdout().is_terminal(), io::stderr().is_terminal()),
        colourless: std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()),
        width: terminal_size::terminal_size().map_or(100, |(width, _)| usize::from(width.0).clamp(40, 120)),
        files: &Disk,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        cuda: cli::places(paths, &Disk),
        kernels: cli::kept(paths),
        interrupted,
    };
    ExitCode::from(u8::from(cli::run(std::env::args_os(), &mut world)))
}
