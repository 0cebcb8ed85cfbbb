//! Text → [`Ast`](ast::Ast).

pub mod ast;
