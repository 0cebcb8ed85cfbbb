//! Diagnostics as data: facts first, words second, drawing last.
//!
//! A stage collects [`Diag`]s and goes on; compilation stops between stages. Every code is declared
//! once in [`codes`], has a page under `explain/`, and is drawn by [`render`] (miette on a
//! terminal, plain text in a pipe, JSON for editors).

pub mod codes;
mod excerpt;
pub mod fix;
mod json;
mod number;
mod render;
mod suggest;
#[cfg(test)]
mod tests;

use crate::source::Span;
pub use codes::Code;
pub use json::to_json;
pub use number::{digits, number, trimmed};
pub use render::{Style, render};
use std::fmt;
pub use suggest::closest;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; the run goes on.
    Note,
    /// Likely to cost the user time; the run goes on.
    Warning,
    /// The file can't be run.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        })
    }
}

/// A span with words of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What is to be seen there; may be empty.
    pub text: String,
}

/// A replacement of text that `admmc check --fix` can apply, after which the file compiles.
#[derive(Debug, Clone, PartialEq)]
pub struct Fix {
    /// What it does, in the imperative: ``write `theta2` ``.
    pub title: String,
    /// Replacements, none overlapping another.
    pub edits: Vec<(Span, String)>,
}

/// One diagnostic. The first label is the primary one.
#[derive(Debug, Clone, PartialEq)]
pub struct Diag {
    /// The code, with its slug.
    pub code: Code,
    /// Usually the code's own; a few codes come in two strengths.
    pub severity: Severity,
    /// What is wrong, in the user's names and numbers; lower case, no full stop.
    pub message: String,
    /// Where; at least one for every rejected file.
    pub labels: Vec<Label>,
    /// The numbers that prove it, a line each.
    pub certificate: Vec<String>,
    /// Why it matters and what to do.
    pub help: Option<String>,
    /// A repair that can be applied.
    pub fix: Option<Fix>,
}

impl Diag {
    /// A diagnostic of `code` at `span`, at the code's own severity.
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Diag {
        Diag {
            code,
            severity: code.severity(),
            message: message.into(),
            labels: vec![Label { span, text: String::new() }],
            certificate: Vec::new(),
            help: None,
            fix: None,
        }
    }

    /// Words for the primary label.
    pub fn here(mut self, text: impl Into<String>) -> Diag {
        self.labels[0].text = text.into();
        self
    }

    /// One more labelled span.
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Diag {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// One more line of proof.
    pub fn certify(mut self, line: impl Into<String>) -> Diag {
        self.certificate.push(line.into());
        self
    }

    /// Why it matters, and what to do.
    pub fn help(mut self, text: impl Into<String>) -> Diag {
        self.help = Some(text.into());
        self
    }

    /// A repair that replaces the text of `span`.
    pub fn fix(mut self, title: impl Into<String>, span: Span, replacement: impl Into<String>) -> Diag {
        self.fix = Some(Fix { title: title.into(), edits: vec![(span, replacement.into())] });
        self
    }

    /// The same at another severity.
    pub fn severity(mut self, severity: Severity) -> Diag {
        self.severity = severity;
        self
    }

    /// The primary span.
    pub fn span(&self) -> Span {
        self.labels[0].span
    }
}

/// The diagnostics of a compilation, in the order they were found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Diags {
    list: Vec<Diag>,
    unchecked: Vec<String>,
}

impl Diags {
    /// Adds one; an identical one is kept once.
    pub fn push(&mut self, diag: Diag) {
        if !self.list.contains(&diag) {
            self.list.push(diag);
        }
    }

    /// Adds what was not looked at, and why: `whether …: too large`.
    pub fn leave(&mut self, what: String) {
        if !self.unchecked.contains(&what) {
            self.unchecked.push(what);
        }
    }

    /// What was not looked at.
    pub fn unchecked(&self) -> &[String] {
        &self.unchecked
    }

    /// Whether any of them is an error.
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|diag| diag.severity == Severity::Error)
    }

    /// All of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Diag> {
        self.list.iter()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Puts them in the order of the text; a stage that looks at a file twice does so at its end.
    pub fn sort(&mut self) {
        self.list.sort_by_key(Diag::span);
    }

    /// Takes over all of `other`.
    pub fn extend(&mut self, other: Diags) {
        for diag in other.list {
            self.push(diag);
        }
        other.unchecked.into_iter().for_each(|what| self.leave(what));
    }
}
