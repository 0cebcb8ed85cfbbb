//! What pest said, in terms of the file: how far it came, what stands there, what could have.

use super::phrases::{keyword, list_of, phrase};
use crate::diag::closest;
use crate::syntax::errors::shorten;
use crate::syntax::grammar::Rule;
use crate::syntax::keywords::{self, LAYER_OPTIONS};
use crate::syntax::lines::{Piece, continues_name};
use pest::error::{Error, ErrorVariant, InputLocation};

/// Where and why a piece makes no sense.
pub(super) struct Refusal<'t> {
    /// Where the text stops making sense.
    pub(super) at: usize,
    /// What stands there; empty at the statement's end.
    pub(super) found: &'t str,
    /// What stands before it.
    before: &'t str,
    /// Where `before` begins.
    before_at: usize,
    /// An operator that ends the line above, where `before` begins its line.
    carried: Option<&'t str>,
    expected: Vec<Rule>,
}

impl<'t> Refusal<'t> {
    pub(super) fn of(text: &'t str, piece: &Piece, error: &Error<Rule>) -> Refusal<'t> {
        let offset = match error.location {
            InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
        };
        let reached = (piece.start + offset).min(piece.end);
        let mut at = skip_space(text, reached, piece.end);
        let mut found = found_at(text, at, piece.end);
        if let Some(block) = piece.block.as_ref().filter(|_| found.is_empty()) {
            (at, found) = (block.open, "{");
        }
        let before = before_at(text, piece.start, reached);
        let before_at = text[piece.start..reached].trim_end().len() + piece.start - before.len();
        let above = text[piece.start..before_at].trim_end_matches([' ', '\t']);
        let carried = above
            .ends_with('\n')
            .then(|| last_token(above.trim_end()))
            .filter(|token| token.chars().all(|c| !continues_name(c) && !"([".contains(c)));
        let expected = match &error.variant {
            ErrorVariant::ParsingError { positives, .. } => positives.clone(),
            ErrorVariant::CustomError { .. } => Vec::new(),
        };
        Refusal { at, found, before, before_at, carried, expected }
    }

    /// What is wrong, in one line.
    pub(super) fn message(&self) -> String {
        if self.is_reserved_name() {
            return format!("`{}` is a word of the language, so it can't be a name", self.found);
        }
        let (found, before) = (shorten(self.found), shorten(self.before));
        if self.stands_beside() || (self.phrases().is_empty() && !self.found.is_empty()) {
            return format!("`{found}` can't stand right after `{before}`");
        }
        let expected = list_of(&self.phrases());
        let after = if before.is_empty() { String::new() } else { format!(" after `{before}`") };
        match self.found {
            "" => format!("expected {expected}{after}, but the statement ends here"),
            _ => format!("expected {expected}{after}, found `{found}`"),
        }
    }

    /// What could have stood here.
    fn phrases(&self) -> Vec<String> {
        let mut words: Vec<String> = Vec::new();
        for &rule in &self.expected {
            // A call or an index could follow any name; it is what was meant only if nothing else was.
            let suffix = matches!(rule, Rule::open_round | Rule::open_square) && self.expected.len() > 1;
            if let Some(word) = phrase(rule).filter(|word| !suffix && !words.contains(word)) {
                words.push(word);
            }
        }
        let closes = [Rule::EOI, Rule::close_round, Rule::close_square].iter().any(|rule| self.expected.contains(rule));
        if self.expected.contains(&Rule::compare_op) && !closes {
            words.push("a comparison (`=`, `<=`, `>=` or `in`)".into());
        }
        if self.expected.contains(&Rule::EOI) && !words.is_empty() {
            words.push("the end of the statement".into());
        }
        words
    }

    fn is_reserved_name(&self) -> bool {
        keywords::is_reserved(self.found) && self.expected.contains(&Rule::name)
    }

    /// Whether two values stand side by side, where an operator, a comma or a bracket could be.
    fn stands_beside(&self) -> bool {
        let operand = self.found.starts_with(|c: char| continues_name(c) || matches!(c, '(' | '"' | '['));
        let value = self.before.ends_with(|c: char| continues_name(c) || matches!(c, ')' | ']' | '\'' | '"'));
        let only_between = self.expected.iter().all(|&rule| {
            use Rule::*;
            let between = matches!(rule, comma | semicolon | equals | compare_op | kw_in | EOI);
            between || matches!(rule, open_round | open_square | close_round | close_square) || phrase(rule).is_none()
        });
        operand && value && only_between && self.expected.contains(&Rule::mul_op)
    }

    /// A word that is nearly the one that was expected: where it stands, and the right one.
    pub(super) fn misspelt(&self) -> Option<(usize, &'t str, &'static str)> {
        let keywords = self.expected.iter().filter_map(|&rule| keyword(rule));
        if let Some(keyword) = closest(self.found, keywords) {
            return Some((self.at, self.found, keyword));
        }
        let in_layer = self.expected.contains(&Rule::arrow) && self.found.starts_with(|c: char| c.is_ascii_digit());
        let option = closest(self.before, LAYER_OPTIONS.iter().copied()).filter(|_| in_layer)?;
        Some((self.before_at, self.before, option))
    }

    /// Help that knows more than the statement's shape.
    pub(super) fn help(&self) -> Option<String> {
        let help = if self.is_reserved_name() {
            "choose another name; the language reference lists all words of the language"
        } else if let Some(operator) = self.carried {
            return Some(format!("the line above ends with `{operator}`, so the statement goes on in this one"));
        } else if self.stands_beside() {
            "an operator or a comma is missing between the two; a product is written out, `2*x`"
        } else if self.found == "=" && self.phrases().is_empty() {
            "a definition has one `=`; an equation is a constraint and stands under `subject to`"
        } else if self.before == "+" && self.expected.contains(&Rule::name) && self.found == "+" {
            "a sign `+` before a value is left out"
        } else if matches!(self.before, "real" | "symmetric") && self.found == "(" {
            "sizes stand in square brackets, as `real[3]`"
        } else if self.before == "params" && self.found == "[" {
            "the network stands in parentheses, as `params(D)`"
        } else if self.found == "|" && self.expected.contains(&Rule::comma) {
            "there are two blocks, since ADMM over three in turn can diverge (`admmc explain E0403`); put the third \
             beside another, as `split x, y | z`"
        } else if self.found == "[" && self.expected.contains(&Rule::colon) && self.expected.contains(&Rule::comma) {
            "a family is declared on a line of its own, as `var w[i in 1 to 8]: real[n]`"
        } else {
            return None;
        };
        Some(help.into())
    }
}

fn last_token(text: &str) -> &str {
    before_at(text, 0, text.len())
}

/// The token at `at`: a word, a number, or a mark.
pub(super) fn found_at(text: &str, at: usize, end: usize) -> &str {
    let rest = &text[at.min(end)..end];
    let Some(first) = rest.chars().next() else { return "" };
    if first.is_ascii_digit() {
        let mut before = first;
        let in_number = |c: char| {
            let sign = matches!(c, '+' | '-') && matches!(before, 'e' | 'E');
            before = c;
            sign || c == '.' || continues_name(c)
        };
        return &rest[..rest.len() - rest.trim_start_matches(in_number).len()];
    }
    if continues_name(first) {
        return &rest[..rest.find(|c| !continues_name(c)).unwrap_or(rest.len())];
    }
    if first == '"' {
        return &rest[..rest[1..].find('"').map_or(rest.len(), |quote| quote + 2)];
    }
    let two = ["<=", ">=", ".*", "./", ".^", "->"].into_iter().find(|&mark| rest.starts_with(mark));
    &rest[..two.map_or(first.len_utf8(), str::len)]
}

/// The token that ends before `at`.
fn before_at(text: &str, start: usize, at: usize) -> &str {
    let before = text[start..at].trim_end();
    let Some(last) = before.chars().next_back() else { return "" };
    if continues_name(last) {
        let in_number = |c: char| last.is_ascii_digit() && c == '.';
        let from = before
            .rfind(|c| !continues_name(c) && !in_number(c))
            .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
        return &before[from..];
    }
    &before[before.len() - if before.ends_with("->") { 2 } else { last.len_utf8() }..]
}

/// The next byte from `at` on that is neither space nor comment.
fn skip_space(text: &str, mut at: usize, end: usize) -> usize {
    loop {
        let rest = &text[at..end];
        at += rest.len() - rest.trim_start().len();
        if !text[at..end].starts_with('#') {
            return at;
        }
        at += text[at..end].find('\n').unwrap_or(end - at);
    }
}
