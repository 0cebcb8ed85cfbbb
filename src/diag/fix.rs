//! Applying fixes to a text.

use super::Fix;
use crate::source::{FileId, Span};

/// The text of `file` after all fixes that fit together, see [`fitting`].
pub fn apply(fixes: &[Fix], file: FileId, text: &str) -> String {
    let fitting = fitting(fixes, file, text);
    let mut edits: Vec<&(Span, String)> =
        fitting.into_iter().flat_map(|fix| &fix.edits).filter(|(span, _)| span.file == file).collect();
    edits.sort_by_key(|(span, _)| *span);
    let mut fixed = String::with_capacity(text.len());
    let mut from = 0;
    for (span, replacement) in edits {
        fixed.push_str(&text[from..span.start as usize]);
        fixed.push_str(replacement);
        from = span.end as usize;
    }
    fixed + &text[from..]
}

/// Those of the fixes that change `file`, and fit together: of two that touch the same place, the first wins and
/// the other waits for the next run. A fix is applied whole or not at all.
pub fn fitting<'f>(fixes: &'f [Fix], file: FileId, text: &str) -> Vec<&'f Fix> {
    let mut taken: Vec<Span> = Vec::new();
    let mut fitting = Vec::new();
    for fix in fixes {
        let own: Vec<Span> = fix.edits.iter().map(|(span, _)| *span).filter(|span| span.file == file).collect();
        let fits = own.iter().all(|span| {
            text.get(span.start as usize..span.end as usize).is_some()
                && taken.iter().all(|other| !overlap(*span, *other))
        });
        if fits && !own.is_empty() {
            taken.extend(own);
            fitting.push(fix);
        }
    }
    fitting
}

/// Whether two edits touch the same text, or insert at the same place.
fn overlap(a: Span, b: Span) -> bool {
    a.start == b.start || (a.start < b.end && b.start < a.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fix(edits: &[(usize, usize, &str)]) -> Fix {
        let edits = edits.iter().map(|&(start, end, text)| (Span::new(FileId(0), start, end), text.to_string()));
        Fix { title: String::new(), edits: edits.collect() }
    }

    #[test]
    fn edits_apply_wherever_they_stand() {
        let fixes = [fix(&[(6, 8, "=")]), fix(&[(0, 0, "let ")])];
        assert_eq!(apply(&fixes, FileId(0), "n = m == 2"), "let n = m = 2");
    }

    #[test]
    fn the_first_of_two_at_one_place_wins_and_the_other_is_left_out_whole() {
        let fixes = [fix(&[(0, 1, "x")]), fix(&[(0, 1, "y"), (2, 3, "z")]), fix(&[(2, 3, "w")])];
        assert_eq!(apply(&fixes, FileId(0), "a b"), "x w");
    }

    #[test]
    fn edits_of_other_files_and_beyond_the_text_change_nothing() {
        assert_eq!(apply(&[fix(&[(1, 9, "x")])], FileId(0), "abc"), "abc");
        assert_eq!(apply(&[fix(&[(1, 2, "x")])], FileId(1), "abc"), "abc");
    }
}
