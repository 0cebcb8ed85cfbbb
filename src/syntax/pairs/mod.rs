//! pest's pairs → the tree. Only this folder, `expected.rs` and `blocks.rs` know pest.
//!
//! The grammar has accepted the text, so what a rule holds is known here; children are read in
//! order, marks and most keywords left out.

mod expression;
mod network;
mod solve;
mod statement;

pub use solve::{Opening, OpeningKind, wrap};
pub use statement::Parsed;

use super::ast::*;
use super::grammar::Rule;
use crate::diag::{Code, Diag, Diags};
use crate::source::{FileId, Span};
use unicode_normalization::UnicodeNormalization;

/// A pair of this grammar.
pub type Pair<'i> = pest::iterators::Pair<'i, Rule>;

/// Builds nodes from the pairs of one statement.
pub struct Build<'d> {
    /// The file.
    pub file: FileId,
    /// Where the statement begins in it.
    pub base: usize,
    /// For what only a value can tell, as a number too large.
    pub diags: &'d mut Diags,
}

impl Build<'_> {
    /// From a pair's first token to its last; pest's own span may end with the space behind it.
    fn span(&self, pair: &Pair<'_>) -> Span {
        let mut last = pair.clone();
        while let Some(inner) = last.clone().into_inner().next_back() {
            last = inner;
        }
        Span::new(self.file, self.base + pair.as_span().start(), self.base + last.as_span().end())
    }

    fn ident(&self, pair: &Pair<'_>) -> Ident {
        Ident { text: pair.as_str().to_string(), key: normalise(pair.as_str()), span: self.span(pair) }
    }

    fn text(&self, pair: &Pair<'_>) -> Text {
        Text { value: unescape(pair.as_str()), span: self.span(pair) }
    }

    fn error(&mut self, span: Span, message: String, help: &str) {
        self.diags.push(Diag::new(Code::Syntax, span, message).help(help));
    }
}

/// The form in which names are compared.
pub fn normalise(name: &str) -> String {
    if name.is_ascii() { name.to_string() } else { name.nfkc().collect() }
}

/// What a quoted text means: `\"` and `\\` are a quote and a backslash, others stand as written.
fn unescape(quoted: &str) -> String {
    let mut rest = quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(quoted).chars();
    let mut text = String::new();
    while let Some(c) = rest.next() {
        match (c, rest.as_str().chars().next()) {
            ('\\', Some(next @ ('"' | '\\'))) => {
                text.push(next);
                rest.next();
            }
            _ => text.push(c),
        }
    }
    text
}

/// The children of a pair that carry meaning.
struct Children<'i> {
    pairs: pest::iterators::Pairs<'i, Rule>,
}

impl<'i> Children<'i> {
    fn of(pair: Pair<'i>) -> Children<'i> {
        Children { pairs: pair.into_inner() }
    }

    /// The next child, which the grammar promises.
    fn expect(&mut self) -> Pair<'i> {
        self.next().expect("the grammar has this child")
    }

    /// The next child if it is a `rule`.
    fn optional(&mut self, rule: Rule) -> Option<Pair<'i>> {
        let mut ahead = Children { pairs: self.pairs.clone() };
        let next = ahead.next().filter(|pair| pair.as_rule() == rule)?;
        self.pairs = ahead.pairs;
        Some(next)
    }
}

impl<'i> Iterator for Children<'i> {
    type Item = Pair<'i>;

    fn next(&mut self) -> Option<Pair<'i>> {
        self.pairs.find(|pair| !is_mark(pair.as_rule()))
    }
}

/// Marks and keywords that say nothing which the rule around them does not.
fn is_mark(rule: Rule) -> bool {
    use Rule::*;
    matches!(
        rule,
        EOI | equals
            | comma
            | semicolon
            | tilde
            | arrow
            | bar
            | open_round
            | close_round
            | open_square
            | close_square
            | kw_admm
            | kw_use
            | kw_param
            | kw_data
            | kw_let
            | kw_var
            | kw_net
            | kw_sample
            | kw_subject
            | kw_split
            | kw_shows
            | kw_claim
            | kw_player
            | kw_solve
            | kw_in
            | kw_to
            | kw_as
            | kw_real
            | kw_symmetric
            | kw_params
            | kw_init
            | kw_image
            | kw_batch
            | kw_fixed
            | kw_repeat
            | kw_epochs
            | kw_times
            | kw_of
            | kw_each
            | kw_every
            | kw_at
            | kw_restart
            | kw_track
            | kw_save
            | kw_images
    )
}
