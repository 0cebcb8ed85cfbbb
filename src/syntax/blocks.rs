//! Cut pieces → items: each piece is parsed by itself, and blocks are put together again.
//!
//! An error costs its own piece only: the next statement, and every line inside a block whose
//! first line is wrong, is still read, so that one run reports all errors of a file.

use super::ast::*;
use super::expected;
use super::grammar::{Grammar, Rule};
use super::keywords;
use super::lines::{Block, Cut, MAX_ERRORS, Piece};
use super::pairs::{Build, Opening, OpeningKind, Pair, Parsed, wrap};
use crate::diag::{Code, Diag, Diags};
use crate::source::{FileId, Span};
use pest::Parser;

/// Parses every piece of a cut file.
pub fn assemble(file: FileId, text: &str, cut: Cut, diags: &mut Diags) -> Ast {
    let mut reader = Reader { file, text, diags };
    let mut ast = Ast { file, version: None, items: Vec::new(), comments: cut.comments, blanks: cut.blanks };
    let pieces = match cut.pieces.split_first() {
        Some((first, rest)) if first.word(text) == "admm" => {
            ast.version = reader.version(first);
            rest
        }
        _ => &cut.pieces,
    };
    ast.items = reader.items(pieces, Place::File);
    ast
}

/// Where a piece stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the file itself.
    File,
    /// Between the braces of a player.
    Player,
    /// Behind `subject to`, a line of its own.
    Constraints,
    /// Between the braces of `solve … as game`.
    Game,
    /// Between the braces of a method.
    Settings,
    /// Before the braces of a player or a solve.
    Head,
}

struct Reader<'a> {
    file: FileId,
    text: &'a str,
    diags: &'a mut Diags,
}

impl<'a> Reader<'a> {
    /// Parses the text of a piece before its brace; an error is reported once.
    fn parse(&mut self, rule: Rule, piece: &Piece, place: Place) -> Option<Pair<'a>> {
        if piece.broken {
            return None;
        }
        match Grammar::parse(rule, &self.text[piece.start..piece.end]) {
            Ok(mut pairs) => pairs.next(),
            Err(error) => {
                let diag = expected::explain(self.file, self.text, piece, place, &error);
                self.report(diag);
                None
            }
        }
    }

    fn report(&mut self, diag: Diag) {
        if self.diags.len() < MAX_ERRORS {
            self.diags.push(diag);
        }
    }

    fn build(&mut self, piece: &Piece) -> Build<'_> {
        Build { file: self.file, base: piece.start, diags: self.diags }
    }

    fn span(&self, piece: &Piece) -> Span {
        Span::new(self.file, piece.start, piece.full_end())
    }

    // ---- Items ----

    fn version(&mut self, piece: &Piece) -> Option<(u32, Span)> {
        let pair = self.parse(Rule::statement, piece, Place::File)?;
        let Parsed::Version(number, span) = self.build(piece).statement(pair) else { return None };
        if number != Some(1) {
            let diag = Diag::new(Code::Syntax, span, "this compiler knows version 1 of the language only");
            self.report(diag.help("write `admm 1`, or install a newer admmc"));
        }
        number.map(|number| (number, self.span(piece)))
    }

    fn items(&mut self, pieces: &[Piece], place: Place) -> Vec<Item> {
        let mut items: Vec<Item> = Vec::new();
        // Lines that begin with no keyword belong to the `subject to` before them, even one with an error.
        let mut in_subject = false;
        for piece in pieces {
            let word = piece.word(self.text);
            let keyword = keywords::is_reserved(word) || (word == "split" && self.is_split(piece));
            if !keyword && in_subject {
                if let Some(pair) = self.parse(Rule::constraint_line, piece, Place::Constraints) {
                    self.no_block(piece);
                    let more = self.build(piece).constraints(pair);
                    if let Some(Item { kind: ItemKind::SubjectTo { constraints }, span }) = items.last_mut() {
                        constraints.extend(more);
                        span.end = piece.end as u32;
                    }
                }
                continue;
            }
            in_subject = word == "subject" || (in_subject && !keyword);
            if let Some(kind) = self.item(piece, word, place) {
                items.push(Item { kind, span: self.span(piece) });
            } else if word == "subject" {
                // Its further lines need a home, so that their own errors are found.
                items.push(Item { kind: ItemKind::SubjectTo { constraints: Vec::new() }, span: self.span(piece) });
            }
        }
        items
    }

    /// Whether `split` begins a statement here, rather than a call of the function.
    fn is_split(&self, piece: &Piece) -> bool {
        !self.text[piece.start + "split".len()..piece.end].trim_start().starts_with(['(', ':', '['])
    }

    fn item(&mut self, piece: &Piece, word: &str, place: Place) -> Option<ItemKind> {
        match word {
            "player" if place == Place::File => self.player(piece),
            "solve" if place == Place::File => self.solve(piece),
            _ => {
                let pair = self.parse(Rule::statement, piece, place)?;
                self.no_block(piece);
                match self.build(piece).statement(pair) {
                    Parsed::Item(kind) => Some(*kind),
                    Parsed::Version(_, span) => {
                        let diag = Diag::new(Code::Syntax, span, "the language version stands in the first line");
                        self.report(diag.help("move `admm 1` to the top of the file, or remove it"));
                        None
                    }
                }
            }
        }
    }

    /// This statement takes no block, so a brace behind it is an error.
    fn no_block(&mut self, piece: &Piece) {
        if let Some(block) = &piece.block {
            let open = Span::new(self.file, block.open, block.open + 1);
            self.report(super::errors::needless_block(open));
        }
    }

    fn need_block<'p>(&mut self, piece: &'p Piece, form: &str) -> Option<&'p Block> {
        if piece.block.is_none() && !piece.broken {
            let here = Span::new(self.file, piece.start, piece.end);
            let diag = Diag::new(Code::Syntax, here, "expected `{` and a block behind this line");
            self.report(diag.help(format!("it is written `{form}`")));
        }
        piece.block.as_ref()
    }

    // ---- Blocks ----

    fn player(&mut self, piece: &Piece) -> Option<ItemKind> {
        let head = self.parse(Rule::player_head, piece, Place::Head);
        let name = head.map(|pair| self.build(piece).player_head(pair));
        let block = self.need_block(piece, "player generator { … }")?;
        let items = self.items(&block.pieces, Place::Player);
        Some(ItemKind::Player { name: name?, items })
    }

    fn solve(&mut self, piece: &Piece) -> Option<ItemKind> {
        let head = self.parse(Rule::solve_head, piece, Place::Head);
        let head = head.map(|pair| self.build(piece).solve_head(pair));
        let game = match &head {
            Some((_, method)) => method.key == "game",
            // The head is wrong; what the block is can still be told from its words.
            None => self.text[piece.start..piece.end].split_whitespace().any(|word| word == "game"),
        };
        let pieces = piece.block.as_ref().map_or(&[][..], |block| &block.pieces);
        let body = if game { SolveBody::Game(self.steps(pieces)) } else { SolveBody::Options(self.settings(pieces)) };
        let (name, method) = head?;
        Some(ItemKind::Solve { name, method, body })
    }

    fn settings(&mut self, pieces: &[Piece]) -> Vec<Setting> {
        let mut settings = Vec::new();
        for piece in pieces {
            if let Some(pair) = self.parse(Rule::settings, piece, Place::Settings) {
                self.no_block(piece);
                settings.extend(self.build(piece).settings(pair));
            }
        }
        settings
    }

    fn steps(&mut self, pieces: &[Piece]) -> Vec<Step> {
        let mut steps = Vec::new();
        for piece in pieces {
            match &piece.block {
                Some(block) => self.block_step(piece, block, &mut steps),
                None => {
                    if let Some(pair) = self.parse(Rule::steps, piece, Place::Game) {
                        steps.extend(self.build(piece).steps(pair));
                    }
                }
            }
        }
        steps
    }

    fn block_step(&mut self, piece: &Piece, block: &Block, steps: &mut Vec<Step>) {
        let Some(pair) = self.parse(Rule::step_head, piece, Place::Game) else {
            let words = &self.text[piece.start..piece.end];
            let loops = words.split_whitespace().any(|word| matches!(word, "repeat" | "each" | "epochs" | "times"));
            if loops || block.pieces.iter().any(|inner| inner.block.is_some()) {
                self.steps(&block.pieces);
            } else if !piece.broken {
                self.settings(&block.pieces);
            }
            return;
        };
        let (before, Opening { kind, whens, span }) = self.build(piece).step_head(pair);
        steps.extend(before);
        let kind = match kind {
            OpeningKind::RepeatEpochs { count, sample } => {
                StepKind::RepeatEpochs { count, sample, body: self.steps(&block.pieces) }
            }
            OpeningKind::RepeatTimes { count } => StepKind::RepeatTimes { count, body: self.steps(&block.pieces) },
            OpeningKind::EachBatch => StepKind::EachBatch { body: self.steps(&block.pieces) },
            OpeningKind::Method { method, player } => {
                StepKind::Method { method, player, settings: self.settings(&block.pieces) }
            }
        };
        steps.push(wrap(whens, Step { kind, span: Span { end: block.close as u32, ..span } }));
    }
}
