//! Diagnostics, shown: drawn for people, a JSON object a line for programs.

use std::io::Write;
use std::path::Path;

use super::Setup;
use super::args::Output;
use crate::diag::{self, Diag, Diags, Severity, Style};
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

/// Writes them all, notes in a line each: what a run is begun for is its result. `check` shows them whole.
pub fn show_briefly(
    diags: &Diags,
    path: &Path,
    sources: &Sources,
    setup: &Setup,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    if setup.output == Output::Json {
        return show(diags, sources, setup, out);
    }
    let (notes, loud): (Vec<&Diag>, Vec<&Diag>) = diags.iter().partition(|diag| diag.severity == Severity::Note);
    let mut others = Diags::default();
    loud.into_iter().for_each(|diag| others.push(diag.clone()));
    show(&others, sources, setup, out)?;
    if setup.quiet || notes.is_empty() {
        return Ok(());
    }
    for diag in notes {
        writeln!(out, "note {}: {}", diag.code, diag.message)?;
    }
    writeln!(out, "  `admmc check {}` shows where, and why\n", path.display())
}

/// `2 errors, 1 warning`; empty where there is neither.
pub fn tally(diags: &Diags) -> String {
    let count = |severity| diags.iter().filter(|diag| diag.severity == severity).count();
    let part =
        |count: usize, what: &str| (count > 0).then(|| format!("{count} {what}{}", if count == 1 { "" } else { "s" }));
    let parts = [part(count(Severity::Error), "error"), part(count(Severity::Warning), "warning")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
