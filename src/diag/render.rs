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
    for drawing in Drawing::all(diag, sources) {
        handler.render_report(&mut out, &drawing).expect("writing to a string can't fail");
    }
    // miette pads a few lines; a pipe and a golden file want none of it.
    out.lines().flat_map(|line| [line.trim_end(), "\n"]).collect()
}

/// What miette draws: a message and the marks in one file.
#[derive(Debug)]
struct Drawing<'a> {
    header: Option<String>,
    severity: Severity,
    message: String,
    because: Option<Because>,
    excerpt: Option<Excerpt<'a>>,
    labels: Vec<LabeledSpan>,
    help: Option<String>,
}

impl<'a> Drawing<'a> {
    /// The diagnostic with its marks in the first file, and one drawing more for each further file.
    fn all(diag: &Diag, sources: &'a Sources) -> Vec<Drawing<'a>> {
        let mut files: Vec<FileId> = Vec::new();
        for label in &diag.labels {
            if !files.contains(&label.span.file) && sources.files().len() > label.span.file.0 as usize {
                files.push(label.span.file);
            }
        }
        let mut drawings: Vec<_> = files.iter().map(|&file| Drawing::of_file(diag, sources, file)).collect();
        if drawings.is_empty() {
            drawings.push(Drawing::without_text(diag.severity));
        }
        let first = drawings.remove(0);
        let first = Drawing {
            header: Some(format!("{} {} {}", diag.severity, diag.code, diag.code.slug())),
            message: diag.message.clone(),
            because: Because::of(&diag.certificate),
            help: help(diag),
            ..first
        };
        drawings.insert(0, first);
        drawings
    }

    fn without_text(severity: Severity) -> Drawing<'a> {
        let message = "and here".to_string();
        Drawing { header: None, severity, message, because: None, excerpt: None, labels: Vec::new(), help: None }
    }

    fn of_file(diag: &Diag, sources: &'a Sources, id: FileId) -> Drawing<'a> {
        let file = sources.file(id);
        let labels: Vec<_> = diag.labels.iter().filter(|label| label.span.file == id).collect();
        let spans: Vec<_> = labels.iter().map(|label| label.span).collect();
        if file.text.is_empty() {
            return Drawing::without_text(diag.severity);
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
        Drawing { labels: drawn.collect(), excerpt: Some(excerpt), ..Drawing::without_text(diag.severity) }
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
        self.because.as_ref().map(|because| because as _)
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
}

/// The certificate as a chain of causes, a line each.
#[derive(Debug)]
struct Because {
    line: String,
    next: Option<Box<Because>>,
}

impl Because {
    fn of(certificate: &[String]) -> Option<Because> {
        let (line, rest) = certificate.split_first()?;
        Some(Because { line: line.clone(), next: Because::of(rest).map(Box::new) })
    }
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)
    }
}

impl std::error::Error for Because {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.next.as_ref().map(|next| &**next as _)
    }
}
