//! Text → [`Ast`], and back.
//!
//! In reading order: [`keywords`] is the table of words; `lines` cuts the text into statements and
//! finds what is wrong with brackets, strings and `foreign` spellings; `grammar` is what pest makes
//! of `grammar/admm.pest`; `blocks` parses each statement by itself and puts blocks together;
//! `pairs` turns what pest found into the tree; `expected` says in words what pest refused;
//! [`print()`] writes a tree as text again and is the formatter.
//!
//! A new statement is a rule of the grammar, a line of [`keywords`], a variant of
//! [`ast::ItemKind`], an arm in `pairs/statement.rs` and one in `print/statement.rs`; the round-trip
//! tests then cover it.

pub mod ast;
mod blocks;
mod errors;
mod expected;
mod foreign;
mod grammar;
pub mod keywords;
mod lines;
mod pairs;
mod print;
mod tree;
mod unread;

use crate::diag::{Code, Diag, Diags};
use crate::source::{FileId, Span};
use ast::Ast;
pub use pairs::normalise;
pub use print::print;
pub use unread::unread;

/// Reads a file. Statements with an error are left out of the tree, and every error is reported.
pub fn parse(file: FileId, text: &str, diags: &mut Diags) -> Ast {
    let empty = Ast { file, version: None, items: Vec::new(), comments: Vec::new(), blanks: Vec::new() };
    if let Some(diag) = lines::unreadable(file, text) {
        diags.push(diag);
        return empty;
    }
    let mut own = Diags::default();
    let cut = lines::cut(file, text, &mut own);
    if cut.pieces.is_empty() && own.is_empty() {
        let what = if text.trim().is_empty() { "the file is empty" } else { "the file holds only comments" };
        own.push(Diag::new(Code::Syntax, Span::new(file, 0, 0), what).help(
            "a problem needs variables and something to minimize; `admmc new ridge my.admm` writes one to start from",
        ));
    }
    let ast = with_deep_stack(|| blocks::assemble(file, text, cut, &mut own));
    own.sort();
    diags.extend(own);
    ast
}

/// The parser recurses some 10 KB per bracket, and a thread of the user's may have little stack:
/// with the limits of `lines`, 8 MB are reached at worst; the checker, which walks the tree, needs as
/// much again for its own limit. Only pages that are touched cost memory.
pub(crate) fn with_deep_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    const STACK: usize = 64 << 20;
    std::thread::scope(|scope| {
        let worker = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        match worker.expect("the system has room for one thread").join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

#[cfg(test)]
mod tests;
