//! The names in statements that could not be parsed. What those would have declared is missing from
//! the tree, so that a later stage must not call it unknown: the one cause is reported already.

use std::collections::BTreeSet;

use super::ast::{Ast, Item, ItemKind};
use super::normalise;

/// The words of `text` outside every statement of its tree, as names are compared.
pub fn unread(ast: &Ast, text: &str) -> BTreeSet<String> {
    let mut read = Vec::new();
    spans(&ast.items, &mut read);
    read.extend(ast.comments.iter().map(|comment| (comment.span.start, comment.span.end)));
    read.sort_unstable();
    let mut words = BTreeSet::new();
    let mut at = 0;
    for (start, end) in read.into_iter().chain([(text.len() as u32, text.len() as u32)]) {
        let gap = text.get(at as usize..start as usize).unwrap_or("");
        let found = gap.split(|c: char| !(c.is_alphanumeric() || c == '_' || ('₀'..='₉').contains(&c)));
        words.extend(found.filter(|word| !word.is_empty()).map(normalise));
        at = at.max(end);
    }
    words
}

/// Statements, a player's by the ones inside it.
fn spans(items: &[Item], read: &mut Vec<(u32, u32)>) {
    for item in items {
        match &item.kind {
            ItemKind::Player { items, .. } => spans(items, read),
            _ => read.push((item.span.start, item.span.end)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Diags;
    use crate::source::FileId;

    fn words(text: &str) -> Vec<String> {
        let ast = super::super::parse(FileId(0), text, &mut Diags::default());
        unread(&ast, text).into_iter().collect()
    }

    #[test]
    fn names_of_broken_statements() {
        assert_eq!(words("var x: real # y\nminimize x\n"), [""; 0]);
        assert_eq!(words("var x, θ₁: real[\nparam a = 1\nminimize x\n"), ["real", "var", "x", "θ1"]);
        let player = "player p {\n    var u: real\n    var v real\n    minimize u\n}\n";
        assert_eq!(words(player), ["p", "player", "real", "v", "var"]);
    }
}
