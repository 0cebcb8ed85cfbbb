//! The piece of a file that a drawing shows: lines too long for a terminal are cut around what is
//! marked, while line and column numbers stay those of the file.

use crate::source::{SourceFile, Span};
use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

/// Lines longer than this are cut.
const LONGEST: usize = 200;
/// So much of a cut line is kept before the first mark in it.
const BEFORE: usize = 30;
/// So much is kept from there on.
const AFTER: usize = 60;

/// A file as it is drawn.
#[derive(Debug)]
pub(super) struct Excerpt<'a> {
    file: &'a SourceFile,
    /// The text with its long lines cut.
    text: String,
    /// For each cut line: where it began, which part was kept, and where that stands now.
    cuts: Vec<Cut>,
    /// Where the primary span stands in the drawing, and in the file.
    primary: (usize, usize),
}

#[derive(Debug)]
struct Cut {
    line: usize,
    kept: std::ops::Range<usize>,
    now: usize,
    end: usize,
    line_now: usize,
}

impl<'a> Excerpt<'a> {
    /// The excerpt that shows all of `spans`, the first of which is the primary one.
    pub(super) fn of(file: &'a SourceFile, spans: &[Span]) -> Excerpt<'a> {
        let source = &*file.text;
        let mut text = String::new();
        let mut cuts = Vec::new();
        let mut start = 0;
        for line in source.split_inclusive('\n') {
            let end = start + line.len();
            if line.len() <= LONGEST {
                text.extend(line.chars().map(visible));
            } else {
                let marked = |span: &Span| (start..end).contains(&(span.start as usize));
                let mark = spans.iter().find(|span| marked(span)).map_or(start, |span| span.start as usize);
                let from = floor(source, mark.saturating_sub(BEFORE).max(start));
                let body = source[..end].trim_end_matches('\n').len();
                let to = floor(source, (mark + AFTER).min(body)).max(from);
                let line_now = text.len();
                text.push_str(if from > start { "… " } else { "" });
                cuts.push(Cut { line: start, kept: from..to, now: text.len(), end, line_now });
                text.extend(source[from..to].chars().map(visible));
                text.push_str(if to < body { " …" } else { "" });
                text.push_str(&source[body..end]);
            }
            start = end;
        }
        // A mark behind the last character needs a line to stand on.
        if !text.ends_with('\n') {
            text.push('\n');
        }
        let mut excerpt = Excerpt { file, text, cuts, primary: (0, 0) };
        if let Some(first) = spans.first() {
            excerpt.primary = (excerpt.place(*first).offset(), first.start as usize);
        }
        excerpt
    }

    /// Where a span stands in the drawing: on one line, and inside the text.
    pub(super) fn place(&self, span: Span) -> SourceSpan {
        let (start, end) = (span.start as usize, span.end as usize);
        let start = self.offset(start);
        let line_end = self.text[start..].find('\n').map_or(self.text.len(), |newline| start + newline);
        let end = self.offset(end).clamp(start, line_end);
        (start, end - start).into()
    }

    fn offset(&self, at: usize) -> usize {
        let before = self.cuts.partition_point(|cut| cut.line <= at);
        let place = match before.checked_sub(1).map(|last| &self.cuts[last]) {
            None => at,
            Some(cut) if at < cut.end => cut.now + at.clamp(cut.kept.start, cut.kept.end) - cut.kept.start,
            Some(cut) => {
                let line = self.text[cut.line_now..].find('\n').map_or(self.text.len(), |end| cut.line_now + end + 1);
                line + (at - cut.end)
            }
        };
        floor(&self.text, place)
    }
}

/// A control character would move a terminal's cursor; another of its length stands for it.
fn visible(c: char) -> char {
    match c {
        '\n' | '\t' => c,
        _ if !c.is_control() => c,
        _ if c.len_utf8() == 1 => ' ',
        _ => '·',
    }
}

/// The last character boundary at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

impl SourceCode for Excerpt<'_> {
    fn read_span<'b>(
        &'b self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'b> + 'b>, MietteError> {
        let contents = self.text.read_span(span, before, after)?;
        // The header asks for the span alone; its column is counted in characters of the file.
        let own = if span.offset() == self.primary.0 { self.primary.1 } else { span.offset() };
        let column = if before == 0 { self.file.line_column(own).1 - 1 } else { contents.column() };
        Ok(Box::new(MietteSpanContents::new_named(
            self.file.path.display().to_string(),
            contents.data(),
            *contents.span(),
            contents.line(),
            column,
            contents.line_count(),
        )))
    }
}
