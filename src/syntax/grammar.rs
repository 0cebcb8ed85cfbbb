//! The parser that pest makes of `grammar/admm.pest`.

use pest_derive::Parser;

/// See `grammar/admm.pest`; its rules are [`Rule`]'s variants.
#[derive(Parser)]
#[grammar = "../grammar/admm.pest"]
pub struct Grammar;
