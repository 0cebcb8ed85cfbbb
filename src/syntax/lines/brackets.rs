//! Brackets and braces: what they close, how deep they nest, where one is missing.

use super::{Block, Bracket, Cutter, Last, Level, MAX_NESTING, errors, indent};
use crate::diag::Diag;

impl Cutter<'_> {
    /// How many brackets and braces are open.
    fn nested(&self) -> usize {
        self.brackets.len() + self.levels.len() - 1
    }

    /// `(` or `[`, or a brace that opens no block.
    pub(super) fn open(&mut self, mark: char) {
        let at = self.at;
        let suffix = self.last == Last::Operand;
        self.take(mark.len_utf8(), Last::Operator);
        if suffix {
            self.lengthen(at, at + 1);
        }
        if self.excess > 0 || self.nested() >= MAX_NESTING {
            self.excess += 1;
            self.fault(errors::too_deep(self.span(at, at + 1)));
        } else {
            self.brackets.push(Bracket { mark, at });
            self.chain.open();
        }
    }

    /// What closes a bracket of the statement.
    pub(super) fn close(&mut self, mark: char) {
        let at = self.at;
        self.take(1, Last::Operand);
        if self.excess > 0 {
            self.excess -= 1;
            return;
        }
        let here = self.span(at, at + 1);
        match self.brackets.pop() {
            Some(bracket) => {
                self.chain.close();
                if bracket.mark != opposite(mark) {
                    self.fault(errors::mismatched(here, mark, self.span(bracket.at, bracket.at + 1), bracket.mark));
                }
            }
            None => self.fault(errors::closes_nothing(here, mark)),
        }
    }

    /// `{`: the block behind a statement's head, where one can stand.
    pub(super) fn open_brace(&mut self) {
        let at = self.at;
        if self.excess > 0 {
            return self.open('{');
        }
        if self.brackets.last().is_some_and(|bracket| bracket.at < self.line.start && bracket.mark != '{') {
            self.cut_before_line();
        }
        if self.outside() && self.piece.is_some() && self.last == Last::Operand {
            if self.nested() >= MAX_NESTING {
                self.fault(errors::too_deep(self.span(at, at + 1)));
                return self.give_up();
            }
            let head = self.piece.take();
            self.levels.push(Level { open: at, head, pieces: Vec::new() });
            self.line.first.get_or_insert((at, at));
            self.at += 1;
            self.last = Last::Nothing;
            return;
        }
        self.open('{');
        self.fault(errors::stray_brace(self.span(at, at + 1)));
    }

    /// `}`: the end of the innermost block.
    pub(super) fn close_brace(&mut self) {
        let at = self.at;
        if self.excess > 0 || self.inside('{') || (self.levels.len() == 1 && self.outside()) {
            return self.close('}');
        }
        self.unclosed_bracket();
        self.finish();
        if self.levels.len() > 1 {
            self.note_indentation(at);
            self.end_block(at + 1);
        }
        self.line.first.get_or_insert((at, at));
        self.at += 1;
        self.last = Last::Nothing;
    }

    /// Ends the innermost block at `close`.
    pub(super) fn end_block(&mut self, close: usize) {
        let Some(level) = self.levels.pop() else { return };
        let Some(mut piece) = level.head else { return };
        piece.block = Some(Block { open: level.open, close, pieces: level.pieces });
        if let Some(parent) = self.levels.last_mut() {
            parent.pieces.push(piece);
        }
    }

    /// Whether the statement before this place was a block; a comma may follow it.
    pub(super) fn after_block(&self) -> bool {
        let before = self.levels.last().and_then(|level| level.pieces.last());
        before.is_some_and(|piece| piece.block.is_some())
    }

    /// Reports the brackets of the statement that are still open, once.
    pub(super) fn unclosed_bracket(&mut self) {
        if let Some(&bracket) = self.brackets.first() {
            let span = self.span(bracket.at, bracket.at + 1);
            self.fault(errors::unclosed(span, bracket.mark));
        }
        self.brackets.clear();
        self.excess = 0;
    }

    /// The open bracket was never closed, and this line is a statement of its own.
    fn cut_before_line(&mut self) {
        let Some((first, end)) = self.line.first else { return };
        self.unclosed_bracket();
        if let Some(piece) = &mut self.piece {
            piece.end = end;
        }
        self.finish();
        let (at, last) = (self.at, self.last);
        self.begin(first);
        if let Some(piece) = &mut self.piece {
            piece.end = first + self.text[first..at].trim_end().len();
        }
        self.last = last;
    }

    /// Keeps the first `}` that is less indented than what it closes.
    fn note_indentation(&mut self, close: usize) {
        let Some(level) = self.levels.last() else { return };
        let own_line = self.text[self.line.start..close].trim().is_empty();
        if own_line && self.misplaced.is_none() && indent(self.text, close) < indent(self.text, level.open) {
            self.misplaced = Some((close, level.open));
        }
    }

    /// With the brace that gives away where one is missing, if there was one.
    pub(super) fn with_misplaced(&self, diag: Diag) -> Diag {
        match self.misplaced {
            Some((close, open)) => diag.label(self.span(open, open + 1), "this one").label(
                self.span(close, close + 1),
                "closed here, by a brace that is indented less: one may be missing before it",
            ),
            None => diag,
        }
    }
}

/// The bracket that opens what `mark` closes.
fn opposite(mark: char) -> char {
    match mark {
        ')' => '(',
        ']' => '[',
        _ => '{',
    }
}
