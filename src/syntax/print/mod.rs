//! The formatter: a tree back to text, with its comments, one blank line where there were any.
//!
//! Statements go on one line, except where the user broke an objective, a network or a method's
//! settings: there each term, layer or setting gets its own. Nothing is aligned. A comment stays
//! on its line, or before the statement that it interrupts. What is printed parses to the same
//! tree, and printing that changes nothing more; `tests.rs` holds both on random trees.

mod expression;
mod statement;

use super::ast::{Ast, Comment, Item};
#[cfg(test)]
pub(super) use expression::operator;

/// One step of indentation.
const INDENT: &str = "    ";

/// Writes the tree of `text` in the one layout of the language.
pub fn print(ast: &Ast, text: &str) -> String {
    let mut printer =
        Printer { text, comments: &ast.comments, blanks: &ast.blanks, out: String::new(), depth: 0, fresh: true };
    if let Some((version, span)) = ast.version {
        printer.line(span.start, span.end, &format!("admm {version}"));
    }
    printer.items(&ast.items);
    printer.comments_before(u32::MAX);
    printer.out
}

struct Printer<'a> {
    text: &'a str,
    /// Comments not printed yet.
    comments: &'a [Comment],
    /// Blank lines not passed yet.
    blanks: &'a [u32],
    out: String,
    depth: usize,
    /// Whether a block has just begun, where no blank line is kept.
    fresh: bool,
}

impl<'a> Printer<'a> {
    fn items(&mut self, items: &[Item]) {
        for item in items {
            self.item(item);
        }
    }

    /// One line of output, which stands for the source from `start` to `end`: comments before it
    /// and inside it, the text, and a comment behind it.
    fn line(&mut self, start: u32, end: u32, text: &str) {
        self.comments_before(start);
        self.blank_before(start);
        while let Some(comment) = self.next_comment(end) {
            self.own_line(&comment.text);
        }
        self.blanks = &self.blanks[self.blanks.partition_point(|&blank| blank < end)..];
        self.own_line(text);
        self.trailing_comment(end);
    }

    /// `{`, what `body` prints, and `}`; `end` is where the block ends in the source.
    fn block(&mut self, end: u32, body: impl FnOnce(&mut Self)) {
        self.depth += 1;
        self.fresh = true;
        body(self);
        self.comments_before(end);
        self.depth -= 1;
        self.fresh = false;
        self.blanks = &self.blanks[self.blanks.partition_point(|&blank| blank < end)..];
        self.own_line("}");
        self.trailing_comment(end);
    }

    fn own_line(&mut self, text: &str) {
        self.out.extend(std::iter::repeat_n(INDENT, self.depth));
        self.out.push_str(text);
        self.out.push('\n');
        self.fresh = false;
    }

    /// The next comment, if it begins before `position`.
    fn next_comment(&mut self, position: u32) -> Option<&'a Comment> {
        let (comment, rest) = self.comments.split_first().filter(|(comment, _)| comment.span.start < position)?;
        self.comments = rest;
        Some(comment)
    }

    fn comments_before(&mut self, position: u32) {
        while let Some(comment) = self.comments.first().filter(|comment| comment.span.start < position) {
            self.blank_before(comment.span.start);
            self.comments = &self.comments[1..];
            self.own_line(&comment.text);
        }
    }

    fn blank_before(&mut self, position: u32) {
        let passed = self.blanks.partition_point(|&blank| blank < position);
        if passed > 0 && !self.fresh {
            self.out.push('\n');
        }
        self.blanks = &self.blanks[passed..];
    }

    /// A comment behind `end` on its line joins the line printed last.
    fn trailing_comment(&mut self, end: u32) {
        let Some(comment) = self.comments.first() else { return };
        let between = self.text.get(end as usize..comment.span.start as usize);
        if comment.trailing && between.is_some_and(|text| text.chars().all(|c| " \t\r,{".contains(c))) {
            self.comments = &self.comments[1..];
            self.out.pop();
            self.out.push_str("  ");
            self.out.push_str(&comment.text);
            self.out.push('\n');
        }
    }

    /// Whether the source breaks the line somewhere in the range.
    fn is_broken(&self, start: u32, end: u32) -> bool {
        self.text.get(start as usize..end as usize).is_some_and(|text| text.contains('\n'))
    }
}
