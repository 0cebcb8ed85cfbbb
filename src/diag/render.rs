//! A diagnostic as a person reads it: drawn by miette, in colour on a terminal and without
//! elsewhere. The width is given, never asked of a terminal, so that tests hold the drawing.

use super::excerpt::Excerpt;
use super::{Diag, Severity};
use crate::source::{FileId, Sources};
use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode, ThemeCharacters, ThemeStyles};
use std::fmt;

/// How to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether the reader sees colours.
    pub colour: bool,
    /// Columns to fill.
    pub width: usize,
}

impl Default for Style {
    /// Plain text, 100 columns: a pipe, or a test.
    fn default() -> Style {
        Style { colour: false, width: 100 }
    }
}

/// Draws a diagnostic: code, message, certificate, the marked text, help and fix.
pub fn render(diag: &Diag, sources: &Sources, style: Style) -> String {
    let styles = if style.colour { ThemeStyles::ansi() } else { ThemeStyles::none() };
    let theme = GraphicalTheme { characters: ThemeCharacters::unicode(), styles };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(style.width)
        .with_break_words(false)
        .with_links(false)
        .without_syntax_highlighting();
    let mut out = String::new();
    handler.render_report(&mut out, &Drawing::of(diag, sources)).expect("writing to a string can't fail");
    // miette pads a few lines; a pipe and a golden file want none of it.
    out.lines().flat_map(|line| [line.trim_end(), "\n"]).collect()
}

/// What miette draws.
#[derive(Debug)]
struct Drawing<'a> {
    header: Option<String>,
    severity: Severity,
    message: String,
    because: Option<Because<'a>>,
    excerpt: Option<Excerpt<'a>>,
    labels: Vec<LabeledSpan>,
    help: Option<String>,
    /// Labels in other files than the first.
    elsewhere: Vec<Drawing<'a>>,
}

impl<'a> Drawing<'a> {
    fn of(diag: &'a Diag, sources: &'a Sources) -> Drawing<'a> {
        let mut files: Vec<FileId> = Vec::new();
        for label in &diag.labels {
            if !files.contains(&label.span.file) && sources.files().len() > label.span.file.0 as usize {
                files.push(label.span.file);
            }
        }
        let mut drawings = files.iter().map(|&file| Drawing::of_file(diag, sources, file));
        let first = drawings.next();
        let elsewhere = drawings.collect();
        Drawing {
            header: Some(format!("{} {} {}", diag.severity, diag.code, diag.code.slug())),
            message: diag.message.clone(),
            because: Because::of(&diag.certificate),
            help: help(diag),
            elsewhere,
            ..first.unwrap_or_else(|| Drawing::empty(diag.severity))
        }
    }

    fn empty(severity: Severity) -> Drawing<'a> {
        Drawing {
            header: None,
            severity,
            message: String::new(),
            because: None,
            excerpt: None,
            labels: Vec::new(),
            help: None,
            elsewhere: Vec::new(),
        }
    }

    /// The marks in one file.
    fn of_file(diag: &Diag, sources: &'a Sources, id: FileId) -> Drawing<'a> {
        let file = sources.file(id);
        let labels: Vec<_> = diag.labels.iter().filter(|label| label.span.file == id).collect();
        let spans: Vec<_> = labels.iter().map(|label| label.span).collect();
        let drawing = Drawing { message: "and here".into(), ..Drawing::empty(Severity::Note) };
        if file.text.is_empty() {
            return Drawing { severity: diag.severity, ..drawing };
        }
        let excerpt = Excerpt::of(file, &spans);
        let drawn = labels.iter().enumerate().map(|(index, label)| {
            let text = Some(label.text.clone()).filter(|text| !text.is_empty());
            let place = excerpt.place(label.span);
            match index {
                0 => LabeledSpan::new_primary_with_span(text, place),
                _ => LabeledSpan::new_with_span(text, place),
            }
        });
        let labels = drawn.collect();
        Drawing { severity: diag.severity, excerpt: Some(excerpt), labels, ..drawing }
    }
}

fn help(diag: &Diag) -> Option<String> {
    let fix = diag.fix.as_ref().map(|fix| format!("{} (`admmc check --fix` does it)", fix.title));
    match (&diag.help, fix) {
        (Some(help), Some(fix)) => Some(format!("{help}\n{fix}")),
        (help, fix) => help.clone().or(fix),
    }
}

impl fmt::Display for Drawing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Drawing<'_> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        None
    }
}

impl miette::Diagnostic for Drawing<'_> {
    fn code<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        self.header.as_ref().map(|header| Box::new(header) as _)
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Note => miette::Severity::Advice,
            Severity::Warning => miette::Severity::Warning,
            Severity::Error => miette::Severity::Error,
        })
    }

    fn help<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        self.help.as_ref().map(|help| Box::new(help) as _)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.excerpt.as_ref().map(|excerpt| excerpt as _)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }

    fn related<'b>(&'b self) -> Option<Box<dyn Iterator<Item = &'b dyn miette::Diagnostic> + 'b>> {
        if self.elsewhere.is_empty() {
            return None;
        }
        Some(Box::new(self.elsewhere.iter().map(|drawing| drawing as _)))
    }

    fn diagnostic_source(&self) -> Option<&dyn miette::Diagnostic> {
        self.because.as_ref().map(|because| because as _)
    }
}

/// The certificate as miette's chain of causes, a line each.
#[derive(Debug)]
struct Because<'a> {
    line: &'a str,
    next: Option<Box<Because<'a>>>,
}

impl<'a> Because<'a> {
    fn of(certificate: &'a [String]) -> Option<Because<'a>> {
        let (line, rest) = certificate.split_first()?;
        Some(Because { line, next: Because::of(rest).map(Box::new) })
    }
}

impl fmt::Display for Because<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.line)
    }
}

impl std::error::Error for Because<'_> {}

impl miette::Diagnostic for Because<'_> {
    fn diagnostic_source(&self) -> Option<&dyn miette::Diagnostic> {
        self.next.as_ref().map(|next| &**next as _)
    }
}
