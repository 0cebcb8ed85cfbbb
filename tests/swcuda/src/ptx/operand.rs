//! Operands of a statement, before their names are resolved.

use super::lexer::{Lexeme, Token};

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Operand<'a> {
    /// A register, a symbol or a label, with what is added to it.
    Name(&'a str, i64),
    Number(u64),
    Inverted(&'a str),
    /// `p|q`.
    Pair(&'a str, &'a str),
    /// `{a, b}` or `(a, b)`.
    List(Vec<Operand<'a>>),
    /// `[a + offset]`.
    Memory(Box<Operand<'a>>),
}

/// The operands of a statement, from its tokens without the closing `;`.
pub(crate) fn operands<'a>(tokens: &[Lexeme<'a>]) -> Result<Vec<Operand<'a>>, String> {
    let mut cursor = Cursor { tokens, at: 0 };
    let mut out = Vec::new();
    while cursor.at < tokens.len() {
        out.push(cursor.operand()?);
        if cursor.at < tokens.len() && !cursor.take(',') {
            return Err("a comma is missing".into());
        }
    }
    Ok(out)
}

struct Cursor<'a, 't> {
    tokens: &'t [Lexeme<'a>],
    at: usize,
}

impl<'a> Cursor<'a, '_> {
    fn take(&mut self, mark: char) -> bool {
        let found = self.tokens.get(self.at).is_some_and(|t| t.token == Token::Mark(mark));
        self.at += found as usize;
        found
    }

    fn word(&mut self) -> Result<&'a str, String> {
        match self.tokens.get(self.at).map(|t| t.token) {
            Some(Token::Word(word)) => {
                self.at += 1;
                Ok(word)
            }
            other => Err(format!("a name was expected, not {other:?}")),
        }
    }

    fn list(&mut self, close: char) -> Result<Operand<'a>, String> {
        let mut parts = Vec::new();
        while !self.take(close) {
            parts.push(self.operand()?);
            if !self.take(',') && self.tokens.get(self.at).is_none_or(|t| t.token != Token::Mark(close)) {
                return Err(format!("`{close}` is missing"));
            }
        }
        Ok(Operand::List(parts))
    }

    fn operand(&mut self) -> Result<Operand<'a>, String> {
        if self.take('{') {
            return self.list('}');
        }
        if self.take('(') {
            return self.list(')');
        }
        if self.take('[') {
            let inner = self.operand()?;
            return if self.take(']') { Ok(Operand::Memory(Box::new(inner))) } else { Err("`]` is missing".into()) };
        }
        if self.take('!') {
            return Ok(Operand::Inverted(self.word()?));
        }
        if self.take('-') {
            let word = self.word()?;
            return number(word).map(|n| Operand::Number(n.wrapping_neg())).ok_or(format!("`-{word}`"));
        }
        let word = self.word()?;
        if let Some(n) = number(word) {
            return Ok(Operand::Number(n));
        }
        if self.take('|') {
            return Ok(Operand::Pair(word, self.word()?));
        }
        let mut offset = 0i64;
        while self.take('+') {
            let negative = self.take('-');
            let word = self.word()?;
            let n = number(word).ok_or_else(|| format!("the offset `{word}`"))? as i64;
            offset = offset.wrapping_add(if negative { n.wrapping_neg() } else { n });
        }
        Ok(Operand::Name(word, offset))
    }
}

/// A number without its sign: decimal, hexadecimal, octal, or the bits of a float.
pub(crate) fn number(word: &str) -> Option<u64> {
    let bits = |w: &str, n: usize| (w.len() == n).then(|| u64::from_str_radix(w, 16).ok()).flatten();
    if let Some(hex) = word.strip_prefix("0f").or(word.strip_prefix("0F")) {
        return bits(hex, 8);
    }
    if let Some(hex) = word.strip_prefix("0d").or(word.strip_prefix("0D")) {
        return bits(hex, 16);
    }
    if word == "WARP_SZ" {
        return Some(32);
    }
    let word = word.strip_suffix('U').unwrap_or(word);
    if let Some(hex) = word.strip_prefix("0x").or(word.strip_prefix("0X")) {
        return u64::from_str_radix(hex, 16).ok();
    }
    if word.len() > 1 && word.starts_with('0') && word.bytes().all(|b| b.is_ascii_digit()) {
        return u64::from_str_radix(word, 8).ok();
    }
    word.parse().ok()
}
