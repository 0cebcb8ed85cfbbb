//! What the language offers, a member a file.

/// A function of the language: a position in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Function(pub u16);
