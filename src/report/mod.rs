//! What a person and their files get from a run: header, live line, final table, result.json,
//! trace.csv, solution.npz, networks as .safetensors, grids as PNG.
//!
//! Everything here is a function of plain values (names, numbers, tensors); nothing here knows how
//! they were computed, but for [`explain`] and the [`remarks`] on a run that came to no answer. How it looks depends
//! on a [`Look`], which `main` finds out once.

mod derivatives;
pub mod explain;
mod folder;
mod header;
pub mod load;
mod number;
pub mod png;
mod progress;
pub mod remarks;
pub mod results;
pub mod solution;
mod summary;
mod table;
mod trace;
mod watch;

pub use derivatives::Derivatives;
pub use folder::Folder;
pub use header::Header;
pub use number::{brief, number, seconds};
pub use progress::{Progress, Tick};
pub use summary::{Residual, Summary};
pub use table::{Align, Table};
pub use trace::{Trace, kept};
pub use watch::{TRACE, Watch};

/// What the reader's screen can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Look {
    /// Whether a person watches: lines are drawn and redrawn. In a pipe, plain text in columns.
    pub terminal: bool,
    /// Whether colours are wanted.
    pub colour: bool,
}

impl Look {
    /// The text in one of the eight colours, by its ANSI number (31 red, 32 green, 33 yellow).
    fn paint(self, colour: u8, text: &str) -> String {
        if self.colour { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// A recorded name as people know it.
fn shown(name: &str) -> &str {
    match name {
        "primal" => "‖r‖",
        "dual" => "‖s‖",
        "rho" => "ρ",
        "lambda_over_sd" => "‖λ‖/σ",
        name => name,
    }
}
