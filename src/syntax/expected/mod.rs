//! What was expected, in words: pest knows how far it came and which rules could have begun there;
//! the statement's own keyword says what it should look like.

mod first_word;
mod phrases;
mod refusal;

use super::blocks::Place;
use super::grammar::Rule;
use super::keywords::{self, STEPS};
use super::lines::Piece;
use crate::diag::{Code, Diag};
use crate::source::{FileId, Span};
use pest::error::Error;
use refusal::Refusal;

/// The diagnostic for a piece that pest refused.
pub fn explain(file: FileId, text: &str, piece: &Piece, place: Place, error: &Error<Rule>) -> Diag {
    let refusal = Refusal::of(text, piece, error);
    let span = |start: usize, end: usize| Span::new(file, start, end);
    let misspelt = first_word::is_misspelt_statement(text, piece) || first_word::is_misspelt_step(text, piece, place);
    if misspelt || refusal.at == piece.start {
        return first_word::first_word(text, piece, place, &span);
    }
    let here = span(refusal.at, refusal.at + refusal.found.len());
    let mut diag = Diag::new(Code::Syntax, here, refusal.message());
    if let Some((at, word, meant)) = refusal.misspelt() {
        diag = diag.fix(format!("write `{meant}`"), span(at, at + word.len()), meant);
    }
    let written = || form(text, piece, place).map(|form| format!("it is written `{form}`"));
    match refusal.help().or_else(written) {
        Some(help) => diag.help(help),
        None => diag,
    }
}

/// The shape of the statement that the piece begins.
fn form(text: &str, piece: &Piece, place: Place) -> Option<&'static str> {
    let word = piece.word(text);
    match place {
        Place::Game => {
            let step = STEPS.iter().find(|&&(step, _)| step == word);
            Some(step.map_or("restart critic`, `track loss = …` or `adam critic { rate = 1e-3 }", |&(_, form)| form))
        }
        Place::Settings => Some("rho = auto, tol = 1e-6"),
        Place::Constraints => Some("x - z = 0`, `0 <= x <= 1` or `z in simplex"),
        _ if word == "solve" && text[piece.start..piece.end].contains(" as") => Some("solve play as game { … }"),
        _ => keywords::statement(word).map(|statement| statement.form),
    }
}
