//! Cuts a file into statements, before any of it is parsed.
//!
//! A statement ends with its line, except inside brackets, after an operator or a comma at the
//! line's end, and where the next line begins with `+` or `-` (an objective) or `->` (a network).
//! Braces hold statements again. What is wrong with brackets, strings and spellings from other
//! languages is found here, so that one slip costs one statement; so is nesting, which is counted,
//! never recursed into.

mod brackets;
mod chain;
mod unreadable;

use super::ast::Comment;
use super::{errors, foreign, keywords};
use crate::diag::{Diag, Diags};
use crate::source::{FileId, Span};
use chain::Chain;
pub use unreadable::unreadable;

/// Brackets may nest this deep; no problem written by a person comes near.
pub const MAX_NESTING: usize = 200;

/// Operations may chain this long in one expression, since every stage walks their tree.
pub const MAX_CHAIN: usize = 1000;

/// A statement may be this many bytes long; more is data, and a megabyte takes pest 200 of memory.
pub const MAX_STATEMENT: usize = 1 << 20;

/// After so many errors more of them help nobody.
pub const MAX_ERRORS: usize = 50;

/// A statement: its text before any brace, and the block behind it.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// First byte.
    pub start: usize,
    /// One past the last byte before the brace.
    pub end: usize,
    /// The block in braces.
    pub block: Option<Block>,
    /// Whether an error in it was reported already.
    pub broken: bool,
}

/// `{ … }`
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// The offset of `{`.
    pub open: usize,
    /// One past `}`.
    pub close: usize,
    /// The statements between.
    pub pieces: Vec<Piece>,
}

impl Piece {
    /// One past the last byte, block included.
    pub fn full_end(&self) -> usize {
        self.block.as_ref().map_or(self.end, |block| block.close)
    }

    /// Its first word; empty where it begins with something else.
    pub fn word<'t>(&self, text: &'t str) -> &'t str {
        word_at(text, self.start)
    }
}

/// A file cut into statements.
#[derive(Debug, Default)]
pub struct Cut {
    /// The statements of the file.
    pub pieces: Vec<Piece>,
    /// Its comments, in order.
    pub comments: Vec<Comment>,
    /// Where runs of blank lines begin.
    pub blanks: Vec<u32>,
}

/// Cuts `text`, reporting what is wrong with its brackets, strings and characters.
pub fn cut(file: FileId, text: &str, diags: &mut Diags) -> Cut {
    let mut cutter = Cutter {
        file,
        text,
        diags,
        errors: 0,
        at: 0,
        levels: vec![Level::default()],
        brackets: Vec::new(),
        excess: 0,
        lost: false,
        chain: Chain::default(),
        piece: None,
        last: Last::Nothing,
        line: Line::default(),
        ahead: 0,
        misplaced: None,
        cut: Cut::default(),
    };
    cutter.run();
    cutter.cut
}

/// Whether `c` may begin a name.
pub fn starts_name(c: char) -> bool {
    c == '_' || unicode_ident::is_xid_start(c)
}

/// Whether `c` may stand inside a name; subscript digits may.
pub fn continues_name(c: char) -> bool {
    unicode_ident::is_xid_continue(c) || ('₀'..='₉').contains(&c)
}

/// The word that begins at `at`, or nothing.
pub fn word_at(text: &str, at: usize) -> &str {
    let rest = &text[at..];
    if !rest.starts_with(starts_name) {
        return "";
    }
    &rest[..rest.find(|c| !continues_name(c)).unwrap_or(rest.len())]
}

/// What the last token was, as far as line ends and quotes care.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Last {
    Nothing,
    /// A name, a number, a string, a closing bracket, a transpose.
    Operand,
    /// An operator, a comma or another mark or word that something must follow.
    Operator,
}

/// An open bracket.
#[derive(Debug, Clone, Copy)]
struct Bracket {
    mark: char,
    at: usize,
}

/// A block that is still open; the first level is the file.
#[derive(Debug, Default)]
struct Level {
    open: usize,
    head: Option<Piece>,
    pieces: Vec<Piece>,
}

/// What the line so far holds.
#[derive(Debug, Default)]
struct Line {
    start: usize,
    /// The first token, and where the statement stood when it came.
    first: Option<(usize, usize)>,
    comment: bool,
    after_blank: bool,
}

pub(super) struct Cutter<'a> {
    pub(super) file: FileId,
    pub(super) text: &'a str,
    diags: &'a mut Diags,
    errors: usize,
    pub(super) at: usize,
    levels: Vec<Level>,
    brackets: Vec<Bracket>,
    /// Brackets beyond the nesting limit, counted only.
    excess: usize,
    /// Whether block braces can no longer be trusted to match.
    lost: bool,
    chain: Chain,
    piece: Option<Piece>,
    pub(super) last: Last,
    line: Line,
    /// The next significant byte, as far as it was looked up.
    ahead: usize,
    /// A `}` less indented than its block, and that block's `{`: where a brace is likely missing.
    misplaced: Option<(usize, usize)>,
    cut: Cut,
}

impl<'a> Cutter<'a> {
    fn run(&mut self) {
        self.chain.clear();
        while let Some(c) = self.peek() {
            match c {
                '\n' => self.newline(),
                '#' => self.comment(),
                '"' => self.string(),
                '(' | '[' => self.open(c),
                ')' | ']' => self.close(c),
                '{' => self.open_brace(),
                '}' => self.close_brace(),
                _ if c.is_whitespace() || c == '\u{feff}' => self.at += c.len_utf8(),
                _ if c.is_ascii_digit() => foreign::number(self),
                _ if starts_name(c) => self.word(),
                _ => self.mark(c),
            }
        }
        self.end_of_file();
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, start, end)
    }

    /// The rest of the line from `at`, without its line end.
    pub(super) fn rest_of_line(&self) -> &'a str {
        self.rest().split('\n').next().unwrap_or("")
    }

    /// Whether the innermost open bracket is `mark`.
    pub(super) fn inside(&self, mark: char) -> bool {
        self.brackets.last().is_some_and(|bracket| bracket.mark == mark)
    }

    /// Whether the statement begins with `word`.
    pub(super) fn in_statement(&self, word: &str) -> bool {
        self.piece.as_ref().is_some_and(|piece| piece.word(self.text) == word)
    }

    /// Whether no bracket of the statement is open.
    pub(super) fn outside(&self) -> bool {
        self.brackets.is_empty()
    }

    // ---- Errors ----

    /// Reports the statement's first error; later ones would be its echo.
    pub(super) fn fault(&mut self, diag: Diag) {
        if !self.piece.as_ref().is_some_and(|piece| piece.broken) {
            self.report(diag);
        }
    }

    /// Reports an error that has nothing to do with others of the statement.
    pub(super) fn report(&mut self, diag: Diag) {
        self.errors += 1;
        if self.errors <= MAX_ERRORS {
            self.diags.push(diag);
        }
        if let Some(piece) = &mut self.piece {
            piece.broken = true;
        }
    }

    /// Beyond a limit, which bracket closes what can't be told any more: the last thing is said.
    fn give_up(&mut self) {
        self.lost = true;
        self.brackets.clear();
        self.at = self.text.len();
    }

    // ---- Tokens ----

    /// Takes `length` bytes as one token, which begins a statement if none is open.
    pub(super) fn take(&mut self, length: usize, last: Last) {
        let (start, end) = (self.at, self.at + length);
        if self.piece.is_none() {
            self.begin(start);
        }
        let piece = self.piece.get_or_insert(Piece { start, end, block: None, broken: false });
        if self.line.first.is_none() {
            self.line.first = Some((start, piece.end));
        }
        piece.end = end;
        let (from, length) = (piece.start, end - piece.start);
        self.at = end;
        self.last = last;
        if length > MAX_STATEMENT {
            self.fault(errors::too_long(self.span(from, from + word_at(self.text, from).len().min(40))));
            self.give_up();
        }
    }

    /// A statement begins. One that can't stand in the open block either says that the block was not
    /// closed, or, where it is indented like what is in the block, is in the wrong place.
    fn begin(&mut self, start: usize) {
        let misplaced = self.levels.len() > 1 && self.begins_statement_of_file(start);
        let word = self.span(start, start + word_at(self.text, start).len());
        let inside = misplaced && indent(self.text, start) > indent(self.text, self.levels[1].open);
        if misplaced && !inside {
            let open = self.levels[self.levels.len() - 1].open;
            let diag = errors::unclosed(self.span(open, open + 1), '{');
            self.report(self.with_misplaced(diag.label(word, "this can't stand in that block")));
            while self.levels.len() > 1 {
                self.end_block(start);
            }
        }
        self.piece = Some(Piece { start, end: start, block: None, broken: false });
        self.chain.clear();
        if inside {
            self.fault(errors::not_in_block(word, word_at(self.text, start)));
        }
    }

    fn begins_statement_of_file(&self, at: usize) -> bool {
        let word = word_at(self.text, at);
        let in_player = self.levels.get(1).and_then(|level| level.head.as_ref()).map(|head| head.word(self.text));
        match word {
            "player" | "solve" => true,
            _ => in_player != Some("player") && keywords::begins_statement(word),
        }
    }

    /// Whether a word that only a statement or a step can begin with stands at `at`.
    fn begins_statement(&self, at: usize) -> bool {
        let word = word_at(self.text, at);
        let step = self.levels.len() > 1
            && keywords::STEPS.iter().any(|&(step, _)| step == word)
            && self.text[at + word.len()..].trim_start().starts_with(|c: char| c.is_alphanumeric());
        step || keywords::begins_statement(word)
    }

    fn word(&mut self) {
        let word = word_at(self.text, self.at);
        if foreign::word(self, word) {
            return;
        }
        let opener = self.piece.is_none() && matches!(word, "minimize" | "maximize");
        // Behind `subject to` nothing has to follow: each further line is a constraint by itself.
        let subject_to = word == "to" && self.outside() && self.in_statement("subject");
        let between = keywords::BETWEEN.contains(&word) && !subject_to;
        self.take(word.len(), if opener || between { Last::Operator } else { Last::Operand });
    }

    fn string(&mut self) {
        let line = self.rest_of_line();
        let mut escaped = false;
        let end = line[1..].char_indices().find(|&(_, c)| {
            let closes = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            closes
        });
        match end {
            Some((at, _)) => self.take(at + 2, Last::Operand),
            None => {
                let (start, length) = (self.at, line.trim_end().len());
                self.take(length, Last::Operand);
                self.fault(errors::unclosed_string(self.span(start, start + length)));
            }
        }
    }

    fn comment(&mut self) {
        let text = self.rest_of_line();
        let kept = text.trim_end();
        self.cut.comments.push(Comment {
            text: kept.to_string(),
            span: self.span(self.at, self.at + kept.len()),
            trailing: self.line.first.is_some(),
        });
        self.line.comment = true;
        self.at += text.len();
    }

    fn mark(&mut self, c: char) {
        if foreign::mark(self, c) {
            return;
        }
        let rest = self.rest();
        let two = ["<=", ">=", ".*", "./", ".^", "->"].into_iter().find(|&mark| rest.starts_with(mark));
        let length = two.map_or(c.len_utf8(), str::len);
        match c {
            ',' if self.piece.is_none() && self.after_block() => self.at += 1,
            ',' => {
                self.take(1, Last::Operator);
                self.chain.comma();
            }
            '\'' => self.operation(1, Last::Operand),
            '.' if two.is_none() => self.operation(1, Last::Operator),
            '+' | '-' | '*' | '/' | '.' | '^' | '−' if two != Some("->") => self.operation(length, Last::Operator),
            '=' | '<' | '>' | '≤' | '≥' | '∈' | ':' | ';' | '|' | '~' | '-' => self.take(length, Last::Operator),
            _ => {
                let start = self.at;
                self.take(length, Last::Operand);
                self.fault(errors::unknown_character(self.span(start, start + length), c));
            }
        }
    }

    fn operation(&mut self, length: usize, last: Last) {
        let start = self.at;
        self.take(length, last);
        self.lengthen(start, start + length);
    }

    /// The expression's tree is one operation deeper.
    fn lengthen(&mut self, start: usize, end: usize) {
        if self.chain.operation() > MAX_CHAIN {
            self.fault(errors::long_chain(self.span(start, end)));
        }
    }

    // ---- Lines ----

    fn newline(&mut self) {
        let blank = self.line.first.is_none() && !self.line.comment;
        if blank && !self.line.after_blank {
            self.cut.blanks.push(self.line.start as u32);
        }
        self.at += 1;
        self.line = Line { start: self.at, after_blank: blank, ..Line::default() };
        if self.piece.is_some() && !self.goes_on() {
            self.unclosed_bracket();
            self.finish();
        }
    }

    /// Whether the statement goes on in the line that begins here.
    fn goes_on(&mut self) -> bool {
        if !self.outside() || self.excess > 0 {
            let line = self.rest_of_line();
            let indent = line.len() - line.trim_start().len();
            return !self.begins_statement(self.at + indent);
        }
        let next = self.next_significant();
        let rest = &self.text[next..];
        match self.last {
            Last::Operator => !rest.is_empty() && !rest.starts_with('}') && !self.begins_statement(next),
            _ if rest.starts_with('{') => true,
            _ => match self.piece.as_ref().map_or("", |piece| piece.word(self.text)) {
                "minimize" | "maximize" => rest.starts_with(['+', '-', '−']) && !rest.starts_with("->"),
                "net" => rest.starts_with("->"),
                _ => false,
            },
        }
    }

    /// The offset of the next byte that is neither space nor comment; looked up once.
    fn next_significant(&mut self) -> usize {
        let mut at = self.ahead.max(self.at);
        loop {
            let rest = &self.text[at..];
            at += rest.len() - rest.trim_start().len();
            if !self.text[at..].starts_with('#') {
                self.ahead = at;
                return at;
            }
            at += self.text[at..].find('\n').unwrap_or(self.text.len() - at);
        }
    }

    /// Ends the statement, if one is open.
    fn finish(&mut self) {
        if let Some(piece) = self.piece.take()
            && let Some(level) = self.levels.last_mut()
        {
            level.pieces.push(piece);
        }
        self.last = Last::Nothing;
    }

    fn end_of_file(&mut self) {
        self.unclosed_bracket();
        self.finish();
        if self.levels.len() > 1 && !self.lost {
            let open = self.levels[self.levels.len() - 1].open;
            let diag = errors::unclosed(self.span(open, open + 1), '{');
            self.report(self.with_misplaced(diag));
        }
        while self.levels.len() > 1 {
            self.end_block(self.text.len());
        }
        self.cut.pieces = self.levels.pop().map_or_else(Vec::new, |level| level.pieces);
    }
}

/// How far the line that holds `at` is indented.
fn indent(text: &str, at: usize) -> usize {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let line = &text[start..at];
    line.len() - line.trim_start().len()
}
