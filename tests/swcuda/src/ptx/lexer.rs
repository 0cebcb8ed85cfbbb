//! PTX text to tokens. Comments vanish; every token keeps its line.

use super::ParseError;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Token<'a> {
    /// A name, an opcode with its modifiers, a directive or a number without sign.
    Word(&'a str),
    /// What stands between quotes.
    Text(&'a str),
    Mark(char),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Lexeme<'a> {
    pub token: Token<'a>,
    pub line: u32,
}

pub(crate) fn lex(source: &str) -> Result<Vec<Lexeme<'_>>, ParseError> {
    let bytes = source.as_bytes();
    let mut out = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < bytes.len() {
        let here = bytes[at];
        let pair = (here, bytes.get(at + 1).copied().unwrap_or(0));
        if here == b'\n' {
            line += 1;
            at += 1;
        } else if here.is_ascii_whitespace() {
            at += 1;
        } else if pair == (b'/', b'/') {
            at += bytes[at..].iter().position(|b| *b == b'\n').unwrap_or(bytes.len() - at);
        } else if pair == (b'/', b'*') {
            let length = source[at + 2..]
                .find("*/")
                .ok_or_else(|| ParseError { line, text: "a comment does not end".into() })?;
            line += source[at..at + 2 + length].matches('\n').count() as u32;
            at += length + 4;
        } else if here == b'"' {
            let length =
                source[at + 1..].find('"').ok_or_else(|| ParseError { line, text: "a string does not end".into() })?;
            out.push(Lexeme { token: Token::Text(&source[at + 1..at + 1 + length]), line });
            at += length + 2;
        } else if word_byte(here) {
            let length = word_length(&bytes[at..]);
            out.push(Lexeme { token: Token::Word(&source[at..at + length]), line });
            at += length;
        } else if here.is_ascii() {
            out.push(Lexeme { token: Token::Mark(here as char), line });
            at += 1;
        } else {
            return Err(ParseError { line, text: "a character that is not ASCII".into() });
        }
    }
    Ok(out)
}

fn word_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'$' | b'%')
}

/// A word may hold `::`, as in `.L1::no_allocate`, but a single colon ends a label.
fn word_length(bytes: &[u8]) -> usize {
    let mut at = 0;
    while at < bytes.len() {
        if word_byte(bytes[at]) {
            at += 1;
        } else if bytes[at..].starts_with(b"::") {
            at += 2;
        } else {
            break;
        }
    }
    at
}
