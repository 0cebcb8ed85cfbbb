//! The errors of cutting, in words: brackets, strings, characters, nesting.

use super::lines::{MAX_CHAIN, MAX_NESTING, MAX_STATEMENT};
use crate::diag::{Code, Diag};
use crate::source::Span;

/// At most this many characters of the user's text are quoted in a message.
const QUOTED: usize = 40;

/// The text, cut where it is too long to quote, on one line.
pub fn shorten(text: &str) -> String {
    let mut words = text.split_whitespace().flat_map(|word| [" ", word]).skip(1).flat_map(str::chars);
    let mut short: String = words.by_ref().take(QUOTED).collect();
    if words.next().is_some() {
        short.push('…');
    }
    short
}

/// A bracket or a block with no end.
pub fn unclosed(opening: Span, mark: char) -> Diag {
    let (closing, what) = match mark {
        '(' => (')', "what it holds has no end"),
        '[' => (']', "what it holds has no end"),
        _ => ('}', "the block has no end"),
    };
    Diag::new(Code::UnclosedBracket, opening, format!("this `{mark}` is never closed"))
        .here("opened here")
        .help(format!("{what}; write `{closing}` where it should be"))
}

/// `(a]`
pub fn mismatched(here: Span, mark: char, opening: Span, opened: char) -> Diag {
    Diag::new(Code::UnclosedBracket, here, format!("this `{mark}` does not close the `{opened}` before it"))
        .here("closed here")
        .label(opening, "opened here")
        .help("brackets close in the reverse order of their opening; one of the two is missing or of the wrong kind")
}

/// A closing bracket that nothing opened.
pub fn closes_nothing(here: Span, mark: char) -> Diag {
    Diag::new(Code::UnclosedBracket, here, format!("this `{mark}` closes nothing"))
        .here("nothing is open here")
        .help("remove it, or write the bracket that it should close")
}

/// `{` where no block can begin.
pub fn stray_brace(here: Span) -> Diag {
    Diag::new(Code::Syntax, here, "a block can't begin here")
        .here("`{` stands only behind `player …`, `solve …` and the lines of a game")
        .help("a list of numbers takes square brackets: `[0, 1]`")
}

/// A block behind a statement that takes none.
pub fn needless_block(here: Span) -> Diag {
    Diag::new(Code::Syntax, here, "this statement takes no block")
        .here("`{` stands only behind `player …`, `solve …` and the lines of a game")
        .help("remove the braces and what they hold, or move it to the `solve` that it belongs to")
}

/// A statement of the file inside a block.
pub fn not_in_block(here: Span, word: &str) -> Diag {
    Diag::new(Code::Syntax, here, format!("`{word}` can't stand inside this block"))
        .help(format!("move the `{word}` statement out of the braces"))
}

/// `"` without its other half.
pub fn unclosed_string(here: Span) -> Diag {
    Diag::new(Code::UnclosedString, here, "this text has no closing quote")
        .here("begins here")
        .help("a text ends on its own line; write `\"` where it should end")
}

/// A character of no meaning.
pub fn unknown_character(here: Span, c: char) -> Diag {
    let shown = match unicode_width::UnicodeWidthChar::width(c) {
        Some(1..) => format!("`{c}`"),
        _ => format!("U+{:04X}, which is not seen,", u32::from(c)),
    };
    Diag::new(Code::Syntax, here, format!("the character {shown} has no meaning here"))
        .help("remove it; `admmc explain E0101` lists the marks of the language")
}

/// Brackets beyond the limit.
pub fn too_deep(here: Span) -> Diag {
    Diag::new(Code::TooDeep, here, format!("brackets are nested more than {MAX_NESTING} deep"))
        .here(format!("level {}", MAX_NESTING + 1))
        .help("give the inner parts names with `let`")
}

/// A sum or product beyond the limit.
pub fn long_chain(here: Span) -> Diag {
    Diag::new(Code::TooDeep, here, format!("this expression chains more than {MAX_CHAIN} operations"))
        .here(format!("operation {}", MAX_CHAIN + 1))
        .help("give parts of it names with `let`, or write a sum over an index: `sum(i in 1 to 8: …)`")
}

/// A statement beyond the limit.
pub fn too_long(here: Span) -> Diag {
    let limit = MAX_STATEMENT >> 20;
    Diag::new(Code::TooDeep, here, format!("this statement is more than {limit} MB long"))
        .here("begins here")
        .help("numbers in such quantity are data: put them into a file, and read it with `data A = csv(\"A.csv\")`")
}
