//! Two operands that fit once one of them is transposed, or they change places: `A*x` for `A'*x`, `x*A` for
//! `A*x`. Where more than one of these would do, the user knows which is meant.

use crate::catalogue::Function;
use crate::diag::Fix;
use crate::model::ir::Expr;
use crate::model::is_name_part;
use crate::source::{Sources, Span};
use crate::tape::Shape;

/// The one change that makes the operands of a product fit.
pub(super) fn turned(sources: &Sources, function: Function, args: &[Expr]) -> Option<Fix> {
    let (Function::Mul, [left, right]) = (function, args) else { return None };
    let fits = |a: &Shape, b: &Shape| function.shape(&[a.clone(), b.clone()]).is_ok();
    let [a, b] = [left, right].map(|operand| operand.shape.clone());
    let text =
        |operand: &Expr| Some(sources.text(operand.span)).filter(|text| !text.is_empty() && !text.contains('\n'));
    let (left_text, right_text) = (text(left)?, text(right)?);
    // Of a vector, what is transposed is the matrix on the other side.
    let matrices = a.rank() == 2 && b.rank() == 2;
    let mut ways: Vec<(Span, String)> = Vec::new();
    if a.rank() == 2 && fits(&transposed(&a), &b) {
        ways.push((left.span, transpose(left_text)));
    }
    if matrices && fits(&a, &transposed(&b)) {
        ways.push((right.span, transpose(right_text)));
    }
    if a.rank() == 1 && b.rank() == 2 {
        let both = left.span.to(right.span);
        let (x, m) = (closed(left_text), closed(right_text));
        if fits(&b, &a) {
            ways.push((both, format!("{m}*{x}")));
        }
        if fits(&transposed(&b), &a) {
            ways.push((both, format!("{}*{x}", transpose(right_text))));
        }
    }
    match &ways[..] {
        [(span, text)] => {
            let title = format!("write `{text}` for `{}`", sources.text(*span));
            Some(Fix { title, edits: vec![(*span, text.clone())] })
        }
        _ => None,
    }
}

fn transposed(shape: &Shape) -> Shape {
    Shape(shape.0.iter().rev().copied().collect())
}

/// `A'` of `A`, and `A` of `A'`.
fn transpose(text: &str) -> String {
    match text.strip_suffix('\'') {
        Some(bare) if closed(bare) == bare => bare.to_string(),
        _ => format!("{}'", closed(text)),
    }
}

/// In parentheses, unless it is a name.
fn closed(text: &str) -> String {
    let is_whole = text.starts_with('(') && text.ends_with(')') && text.matches('(').count() == 1;
    match is_whole || text.chars().all(is_name_part) {
        true => text.to_string(),
        false => format!("({text})"),
    }
}
