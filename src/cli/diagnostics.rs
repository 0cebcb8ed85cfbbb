//! Diagnostics, shown: drawn for people, a JSON object a line for programs.

use std::io::Write;

use super::Setup;
use super::args::Output;
use crate::diag::{self, Diags, Severity, Style};
use crate::source::Sources;

/// Writes them all. What is quiet keeps its notes to itself.
pub fn show(diags: &Diags, sources: &Sources, setup: &Setup, out: &mut dyn Write) -> std::io::Result<()> {
    let style = Style { colour: setup.err_look.colour, width: setup.width };
    for diag in diags.iter().filter(|diag| !(setup.quiet && diag.severity == Severity::Note)) {
        match setup.output {
            Output::Text => writeln!(out, "{}", diag::render(diag, sources, style))?,
            Output::Json => writeln!(out, "{}", diag::to_json(diag, sources))?,
        }
    }
    Ok(())
}

/// `2 errors, 1 warning`; empty where there is neither.
pub fn tally(diags: &Diags) -> String {
    let count = |severity| diags.iter().filter(|diag| diag.severity == severity).count();
    let part =
        |count: usize, what: &str| (count > 0).then(|| format!("{count} {what}{}", if count == 1 { "" } else { "s" }));
    let parts = [part(count(Severity::Error), "error"), part(count(Severity::Warning), "warning")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
