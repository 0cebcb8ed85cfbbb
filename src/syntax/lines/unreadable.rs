//! Bytes that are no text.

use crate::diag::{Code, Diag};
use crate::source::{FileId, Span};

/// A file that is not text at all: one error, and nothing else is said about it.
pub fn unreadable(file: FileId, text: &str) -> Option<Diag> {
    let (at, c) =
        text.char_indices().find(|&(_, c)| c == '\u{fffd}' || (c.is_control() && !"\n\r\t\u{c}".contains(c)))?;
    let span = Span::new(file, at, at + c.len_utf8());
    let diag = |message: String, help: &str| Some(Diag::new(Code::UnreadableText, span, message).help(help));
    match c {
        '\0' => diag(
            format!("the file is not text: byte {at} is zero"),
            "a problem file is plain text in UTF-8; this may be a binary file, or UTF-16: save it again as UTF-8",
        ),
        '\u{fffd}' => diag(
            format!("the file is not UTF-8 from byte {at} on"),
            "a problem file is plain text in UTF-8; open it in an editor and save it again with that encoding",
        ),
        _ => diag(
            format!("the file holds the control character U+{:04X} at byte {at}", u32::from(c)),
            "a problem file is plain text; this character can't be seen in an editor, so delete it and what surrounds it",
        ),
    }
}
