//! A statement that fails at its first word: a slip, a word of another language, or a constraint
//! with no `subject to` before it.

use super::phrases::list_of;
use super::refusal::found_at;
use crate::diag::{Code, Diag, closest};
use crate::source::Span;
use crate::syntax::blocks::Place;
use crate::syntax::errors::shorten;
use crate::syntax::keywords::{self, STATEMENTS, STEPS};
use crate::syntax::lines::{Piece, continues_name, word_at};

/// Whether the piece begins with a word that is nearly a statement's, followed by what only a
/// statement could be followed by.
pub(super) fn is_misspelt_statement(text: &str, piece: &Piece) -> bool {
    let word = piece.word(text);
    meant(word).is_some() && keywords::statement(word).is_none() && begins_like_statement(text, piece, word)
}

pub(super) fn is_misspelt_step(text: &str, piece: &Piece, place: Place) -> bool {
    let word = piece.word(text);
    place == Place::Game
        && closest(word, STEPS.iter().map(|&(step, _)| step)).is_some()
        && !STEPS.iter().any(|&(step, _)| step == word)
        && begins_like_statement(text, piece, word)
}

/// A word and then a name, a number, a text or `s.t.`, rather than an operator.
fn begins_like_statement(text: &str, piece: &Piece, word: &str) -> bool {
    let rest = &text[piece.start + word.len()..piece.end];
    let next = rest.trim_start();
    let spaced = rest.starts_with(char::is_whitespace);
    (spaced
        && next.starts_with(|c: char| continues_name(c) || matches!(c, '"' | '-' | '('))
        && !matches!(word_at(next, 0), "in" | "to"))
        || rest.starts_with(".t.")
        || next.is_empty()
}

/// The statement that a misspelt or foreign first word means.
fn meant(word: &str) -> Option<&'static str> {
    let lower = word.to_lowercase();
    let alias =
        STATEMENTS.iter().find(|statement| statement.aliases.contains(&lower.as_str()) || lower == statement.word);
    let near = || closest(word, STATEMENTS.iter().map(|statement| statement.word).filter(|_| word.len() > 2));
    if word == "s" { Some("subject") } else { alias.map(|statement| statement.word).or_else(near) }
}

/// The piece fails at its first word.
pub(super) fn first_word(text: &str, piece: &Piece, place: Place, span: &dyn Fn(usize, usize) -> Span) -> Diag {
    let word = piece.word(text);
    let here = span(piece.start, piece.start + word.len().max(found_at(text, piece.start, piece.end).len()));
    let quoted = shorten(word);
    if place == Place::Game {
        let diag = Diag::new(
            Code::Syntax,
            here,
            format!("expected a step of the game, found `{}`", shorten(found_at(text, piece.start, piece.end))),
        );
        return match closest(word, STEPS.iter().map(|&(step, _)| step)) {
            Some(step) => {
                let form = STEPS.iter().find(|&&(name, _)| name == step).map_or("", |&(_, form)| form);
                diag.help(format!("it is written `{form}`")).fix(format!("write `{step}`"), here, step)
            }
            None => diag.help("a step is `repeat …`, `each batch …`, `every …`, `at …`, `restart …`, `track …`, `save images …`, a method as `adam generator { … }`, or a setting as `precision = f32`"),
        };
    }
    if let Some(form) = CONTROL.iter().find(|(control, _)| *control == word).map(|(_, form)| form) {
        return Diag::new(
            Code::Syntax,
            here,
            format!("`{word}` is no statement: a problem is declared, not programmed"),
        )
        .help(*form);
    }
    if let Some(statement) = meant(word).filter(|_| begins_like_statement(text, piece, word)) {
        let phrase = if statement == "subject" { "subject to" } else { statement };
        let end = foreign_phrase_end(text, piece, word, statement);
        let shape = keywords::statement(statement).map_or("", |statement| statement.form);
        let here = span(piece.start, end);
        return Diag::new(
            Code::Syntax,
            here,
            format!("`{}` begins no statement; `{phrase}` is meant", shorten(&text[piece.start..end])),
        )
        .help(format!("it is written `{shape}`"))
        .fix(format!("write `{phrase}`"), here, phrase);
    }
    let found = found_at(text, piece.start, piece.end);
    let behind = text[piece.start + word.len()..piece.end].trim_start();
    if place == Place::Settings {
        return Diag::new(Code::Syntax, here, format!("expected a setting, found `{}`", shorten(found)))
            .help("a setting is a name and a value, as `rho = auto`");
    }
    if !word.is_empty() && behind.starts_with('=') && place != Place::Constraints {
        return Diag::new(Code::Syntax, here, format!("`{quoted}` is not declared by this line: a statement begins with its keyword"))
            .help("`let` names a value, `param` names a number that the command line can change; a constraint stands under `subject to`")
            .fix("write `let`", span(piece.start, piece.start), "let ");
    }
    if ["<=", ">=", "≤", "≥", " in ", "="].iter().any(|mark| text[piece.start..piece.end].contains(mark)) {
        return Diag::new(Code::Syntax, span(piece.start, piece.end), "a constraint stands under `subject to`")
            .help("write `subject to` before the first constraint; further ones follow, a line each");
    }
    Diag::new(Code::Syntax, here, format!("expected a statement, found `{}`", shorten(found))).help(format!(
        "a statement begins with {}",
        list_of(&STATEMENTS.iter().map(|statement| format!("`{}`", statement.word)).collect::<Vec<_>>())
    ))
}

/// Words of programming languages, with what is written instead.
const CONTROL: &[(&str, &str)] = &[
    (
        "for",
        "a family stands for a loop: `var w[i in 1 to 8]: real[n]`, `sum(i in 1 to 8: …)`, `link[i in 1 to 8]: w[i] - z = 0`",
    ),
    ("while", "what repeats stands in `solve`: `iterations = 1000`, or `repeat 10 times { … }` in a game"),
    ("if", "there are no cases; a parameter may scale a term away: `w*norm1(x)` with `param w = 0`"),
    ("function", "a value with a name is declared by `let`"),
    ("print", "what a run shows is listed in the game's `track …`; results are written by `admmc run --out DIR`"),
];

/// Where `s.t.`, `such that` or `subject to` ends.
fn foreign_phrase_end(text: &str, piece: &Piece, word: &str, statement: &str) -> usize {
    let end = piece.start + word.len();
    let rest = &text[end..piece.end];
    if statement != "subject" {
        return end;
    }
    if rest.starts_with(".t.") {
        return end + 3;
    }
    let next = rest.trim_start();
    let second = word_at(next, 0);
    if matches!(second, "to" | "that") { piece.end - next.len() + second.len() } else { end }
}
