//! Expressions as text: spaces around `+`, `-`, comparisons and the elementwise `.*` and `./`,
//! none around the tighter operators.

use crate::syntax::ast::*;

/// An expression on one line.
pub(super) fn expr(e: &Expr) -> String {
    match &e.kind {
        ExprKind::Number(_, text) => text.clone(),
        ExprKind::Text(text) => quoted(text),
        ExprKind::Name(name) => name.text.clone(),
        ExprKind::Neg(inner) => format!("-{}", expr(inner)),
        ExprKind::Transpose(inner) => format!("{}'", expr(inner)),
        ExprKind::Binary { op, left, right, .. } => format!("{}{}{}", expr(left), operator(*op), expr(right)),
        ExprKind::Compare { first, rest } => {
            let more = rest.iter().map(|(op, _, right)| format!(" {} {}", comparison(*op), expr(right)));
            expr(first) + &more.collect::<String>()
        }
        ExprKind::Call { callee, args, params } => {
            let args: Vec<_> = args.iter().map(arg).collect();
            let params = if params.is_empty() { String::new() } else { format!("; {}", list(params)) };
            format!("{}({}{params})", callee.text, args.join(", "))
        }
        ExprKind::Over { callee, binder: range, body } => {
            format!("{}({}: {})", callee.text, binder(range), expr(body))
        }
        ExprKind::Index { base, at } => {
            let at: Vec<_> = at.iter().map(index_item).collect();
            format!("{}[{}]", expr(base), at.join(", "))
        }
        ExprKind::Field { base, name } => format!("{}.{}", expr(base), name.text),
        ExprKind::Label { name, body } => format!("{}: {}", name.text, expr(body)),
        ExprKind::Tuple(parts) => format!("({})", list(parts)),
        ExprKind::Matrix(rows) => {
            let rows: Vec<_> = rows.iter().map(|row| list(row)).collect();
            format!("[{}]", rows.join("; "))
        }
        ExprKind::Paren(inner) => format!("({})", expr(inner)),
    }
}

/// Expressions between commas.
pub(super) fn list(exprs: &[Expr]) -> String {
    exprs.iter().map(expr).collect::<Vec<_>>().join(", ")
}

/// `i in 1 to 8`
pub(super) fn binder(binder: &Binder) -> String {
    format!("{} in {} to {}", binder.name.text, expr(&binder.from), expr(&binder.to))
}

/// `[i in 1 to 8]`, or nothing.
pub(super) fn family(family: &Option<Binder>) -> String {
    family.as_ref().map_or_else(String::new, |range| format!("[{}]", binder(range)))
}

/// A text in its quotes.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A sum with its spaces, as between the terms of an objective; others in one piece.
pub(in crate::syntax) fn operator(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Add => " + ",
        BinaryOp::Sub => " - ",
        BinaryOp::Mul => "*",
        BinaryOp::Div => "/",
        BinaryOp::ElemMul => " .* ",
        BinaryOp::ElemDiv => " ./ ",
        BinaryOp::Pow => "^",
        BinaryOp::ElemPow => ".^",
    }
}

fn comparison(op: CompareOp) -> &'static str {
    match op {
        CompareOp::Equal => "=",
        CompareOp::LessEqual => "<=",
        CompareOp::GreaterEqual => ">=",
        CompareOp::In => "in",
    }
}

fn arg(arg: &Arg) -> String {
    match &arg.name {
        Some(name) => format!("{} = {}", name.text, expr(&arg.value)),
        None => expr(&arg.value),
    }
}

fn index_item(item: &IndexItem) -> String {
    match item {
        IndexItem::All(_) => ":".to_string(),
        IndexItem::At(at) => expr(at),
        IndexItem::Range(from, to) => format!("{} to {}", expr(from), expr(to)),
    }
}
