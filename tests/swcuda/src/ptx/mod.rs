//! PTX text to code that the machine runs.
//!
//! `lexer` cuts the text into words, `parser` reads the module's items, `builder` walks a kernel's body
//! (registers, symbols, labels, calls, which are expanded in place), `decode` turns one statement into one
//! instruction of `ir`. What isn't understood is an error with its line, never skipped.
//! Source: Parallel Thread Execution ISA, versions 7.0 to 9.0.

mod builder;
mod decode;
mod decode_alu;
pub(crate) mod ir;
mod kernel;
mod lexer;
mod operand;
mod parser;

pub(crate) use parser::parse;

/// Why a module can't be read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ParseError {
    pub line: u32,
    pub text: String,
}

impl std::fmt::Display for ParseError {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "PTX line {}: {}", self.line, self.text)
    }
}
