//! Expressions; their precedence is the grammar's.

use super::{Build, Children, Pair};
use crate::syntax::ast::*;
use crate::syntax::grammar::Rule;

impl Build<'_> {
    /// `comparison`, `relation` or any rule below them.
    pub(super) fn expr(&mut self, pair: Pair<'_>) -> Expr {
        let span = self.span(&pair);
        let kind = match pair.as_rule() {
            Rule::comparison | Rule::relation => return self.comparison(pair),
            Rule::sum | Rule::product | Rule::power => return self.binary(pair),
            Rule::unary => return self.unary(pair),
            Rule::postfix => return self.postfix(pair),
            Rule::number => {
                let value = pair.as_str().parse().unwrap_or(f64::NAN);
                if !f64::is_finite(value) {
                    self.error(
                        span,
                        format!("{} is beyond the largest number", pair.as_str()),
                        "numbers end near 1.8e308",
                    );
                }
                ExprKind::Number(value, pair.as_str().to_string())
            }
            Rule::string => ExprKind::Text(self.text(&pair).value),
            Rule::name => ExprKind::Name(self.ident(&pair)),
            Rule::call => self.call(pair),
            Rule::over => {
                let mut children = Children::of(pair);
                let callee = self.ident(&children.expect());
                let binder = self.binder(children.expect());
                let _colon = children.optional(Rule::colon);
                ExprKind::Over { callee, binder, body: Box::new(self.expr(children.expect())) }
            }
            Rule::paren => {
                let mut parts: Vec<_> = Children::of(pair).map(|child| self.expr(child)).collect();
                match parts.len() {
                    1 => ExprKind::Paren(Box::new(parts.remove(0))),
                    _ => ExprKind::Tuple(parts),
                }
            }
            Rule::matrix => ExprKind::Matrix(Children::of(pair).map(|row| self.list(row)).collect()),
            rule => unreachable!("the grammar has no expression `{rule:?}`"),
        };
        Expr { kind, span }
    }

    /// `list`: expressions between commas.
    pub(super) fn list(&mut self, pair: Pair<'_>) -> Vec<Expr> {
        Children::of(pair).map(|child| self.expr(child)).collect()
    }

    /// `binder`: `i in 1 to 8`.
    pub(super) fn binder(&mut self, pair: Pair<'_>) -> Binder {
        let span = self.span(&pair);
        let mut children = Children::of(pair);
        let name = self.ident(&children.expect());
        let from = Box::new(self.expr(children.expect()));
        Binder { name, from, to: Box::new(self.expr(children.expect())), span }
    }

    /// `family`: a binder in brackets.
    pub(super) fn family(&mut self, pair: Pair<'_>) -> Binder {
        self.binder(Children::of(pair).expect())
    }

    fn comparison(&mut self, pair: Pair<'_>) -> Expr {
        let mut children = Children::of(pair);
        let first = self.expr(children.expect());
        let mut rest = Vec::new();
        while let Some(op) = children.next() {
            let kind = match op.as_str() {
                "<=" | "≤" => CompareOp::LessEqual,
                ">=" | "≥" => CompareOp::GreaterEqual,
                "=" => CompareOp::Equal,
                _ => CompareOp::In,
            };
            let span = self.span(&op);
            rest.push((kind, span, self.expr(children.expect())));
        }
        match rest.last() {
            None => first,
            Some((_, _, last)) => {
                let span = first.span.to(last.span);
                Expr { kind: ExprKind::Compare { first: Box::new(first), rest }, span }
            }
        }
    }

    /// Operands with operators between, from the left; a power's right side is a whole `unary`.
    fn binary(&mut self, pair: Pair<'_>) -> Expr {
        let mut children = Children::of(pair);
        let mut left = self.expr(children.expect());
        while let Some(op) = children.next() {
            let right = self.expr(children.expect());
            left = self.join(left, &op, right);
        }
        left
    }

    /// `left op right`
    pub(super) fn join(&self, left: Expr, op: &Pair<'_>, right: Expr) -> Expr {
        let kind = match op.as_str() {
            "+" => BinaryOp::Add,
            "*" => BinaryOp::Mul,
            "/" => BinaryOp::Div,
            ".*" => BinaryOp::ElemMul,
            "./" => BinaryOp::ElemDiv,
            "^" => BinaryOp::Pow,
            ".^" => BinaryOp::ElemPow,
            _ => BinaryOp::Sub,
        };
        let span = left.span.to(right.span);
        let kind = ExprKind::Binary { op: kind, op_span: self.span(op), left: Box::new(left), right: Box::new(right) };
        Expr { kind, span }
    }

    fn unary(&mut self, pair: Pair<'_>) -> Expr {
        let mut minuses = Vec::new();
        let mut operand = None;
        for child in Children::of(pair) {
            match child.as_rule() {
                Rule::minus => minuses.push(self.span(&child)),
                _ => operand = Some(self.expr(child)),
            }
        }
        let operand = operand.expect("a unary has an operand");
        minuses.into_iter().rev().fold(operand, |inner, minus| {
            let span = minus.to(inner.span);
            Expr { kind: ExprKind::Neg(Box::new(inner)), span }
        })
    }

    fn postfix(&mut self, pair: Pair<'_>) -> Expr {
        let mut children = Children::of(pair);
        let mut base = self.expr(children.expect());
        for suffix in children {
            let span = base.span.to(self.span(&suffix));
            let inner = Box::new(base);
            let kind = match suffix.as_rule() {
                Rule::transpose => ExprKind::Transpose(inner),
                Rule::field => ExprKind::Field { base: inner, name: self.ident(&Children::of(suffix).expect()) },
                _ => ExprKind::Index {
                    base: inner,
                    at: Children::of(suffix).map(|item| self.index_item(item)).collect(),
                },
            };
            base = Expr { kind, span };
        }
        base
    }

    fn index_item(&mut self, pair: Pair<'_>) -> IndexItem {
        let mut children = Children::of(pair);
        let first = children.expect();
        if first.as_rule() == Rule::colon {
            return IndexItem::All(self.span(&first));
        }
        let from = self.expr(first);
        match children.next() {
            Some(to) => IndexItem::Range(from, self.expr(to)),
            None => IndexItem::At(from),
        }
    }

    fn call(&mut self, pair: Pair<'_>) -> ExprKind {
        let mut children = Children::of(pair);
        let callee = self.ident(&children.expect());
        let (mut args, mut params) = (Vec::new(), Vec::new());
        for child in children {
            match child.as_rule() {
                Rule::arg => args.push(self.arg(child)),
                _ => params = self.list(child),
            }
        }
        ExprKind::Call { callee, args, params }
    }

    fn arg(&mut self, pair: Pair<'_>) -> Arg {
        let mut children = Children::of(pair);
        let name = children.optional(Rule::name).map(|name| self.ident(&name));
        Arg { name, value: self.expr(children.expect()) }
    }
}
