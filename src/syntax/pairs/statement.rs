//! The statements of a file or of a player, except networks and blocks.

use super::{Build, Children, Pair};
use crate::source::Span;
use crate::syntax::ast::*;
use crate::syntax::grammar::Rule;

/// A statement, or the file's language version.
pub enum Parsed {
    /// A statement.
    Item(Box<ItemKind>),
    /// `admm 1`
    Version(Option<u32>, Span),
}

impl Build<'_> {
    /// `statement`
    pub fn statement(&mut self, pair: Pair<'_>) -> Parsed {
        let pair = Children::of(pair).expect();
        let rule = pair.as_rule();
        if rule == Rule::version {
            let number = Children::of(pair).expect();
            return Parsed::Version(number.as_str().parse().ok(), self.span(&number));
        }
        if rule == Rule::net {
            return Parsed::Item(Box::new(self.net(pair)));
        }
        let mut children = Children::of(pair);
        Parsed::Item(Box::new(match rule {
            Rule::use_file => ItemKind::Use { path: self.text(&children.expect()) },
            Rule::param => {
                let name = self.ident(&children.expect());
                ItemKind::Param { name, value: self.expr(children.expect()) }
            }
            Rule::data => {
                let name = self.ident(&children.expect());
                let family = children.optional(Rule::family).map(|family| self.family(family));
                let _colon = children.optional(Rule::colon);
                let ty = children.optional(Rule::kind).map(|ty| self.type_expr(ty));
                ItemKind::Data { name, family, ty, value: self.expr(children.expect()) }
            }
            Rule::let_value => {
                let (names, tuple, family) = self.names(&mut children);
                ItemKind::Let { names, tuple, family, value: self.expr(children.expect()) }
            }
            Rule::var => self.var(children),
            Rule::sample => {
                let (names, tuple, family) = self.names(&mut children);
                let source = self.expr(children.expect());
                let size = self.sample_size(children.expect());
                ItemKind::Sample { names, tuple, family, source, size }
            }
            Rule::objective => self.objective(children),
            Rule::subject_to => {
                let constraints = children.next().map_or_else(Vec::new, |pair| self.constraints(pair));
                ItemKind::SubjectTo { constraints }
            }
            Rule::split => {
                let x = self.list(children.expect());
                ItemKind::Split { x, z: self.list(children.expect()) }
            }
            Rule::shows => {
                let name = self.ident(&children.expect());
                ItemKind::Shows { name, value: self.expr(children.expect()) }
            }
            Rule::claim => {
                let target = self.expr(children.expect());
                ItemKind::Claim { target, value: self.expr(children.expect()) }
            }
            rule => unreachable!("the grammar has no statement `{rule:?}`"),
        }))
    }

    /// `constraint_line`, or the `constraints` of a `subject to`.
    pub fn constraints(&mut self, pair: Pair<'_>) -> Vec<Constraint> {
        match pair.as_rule() {
            Rule::constraint_line => self.constraints(Children::of(pair).expect()),
            _ => Children::of(pair).map(|constraint| self.constraint(constraint)).collect(),
        }
    }

    fn constraint(&mut self, pair: Pair<'_>) -> Constraint {
        let span = self.span(&pair);
        let mut children = Children::of(pair);
        let label = children.optional(Rule::name).map(|name| self.ident(&name));
        let family = children.optional(Rule::family).map(|family| self.family(family));
        let _colon = children.optional(Rule::colon);
        Constraint { label, family, body: self.expr(children.expect()), span }
    }

    fn objective(&mut self, mut children: Children<'_>) -> ItemKind {
        let sense = match children.expect().as_rule() {
            Rule::kw_minimize => Sense::Minimize,
            _ => Sense::Maximize,
        };
        let mut body = self.labelled(children.expect());
        while let Some(op) = children.next() {
            let term = self.labelled(children.expect());
            body = self.join(body, &op, term);
        }
        ItemKind::Objective { sense, body }
    }

    fn labelled(&mut self, pair: Pair<'_>) -> Expr {
        let span = self.span(&pair);
        let mut children = Children::of(pair);
        let label = children.optional(Rule::name).map(|name| self.ident(&name));
        let _colon = children.optional(Rule::colon);
        let body = self.expr(children.expect());
        match label {
            Some(name) => Expr { kind: ExprKind::Label { name, body: Box::new(body) }, span },
            None => body,
        }
    }

    fn var(&mut self, mut children: Children<'_>) -> ItemKind {
        let mut names = Vec::new();
        while let Some(name) = children.optional(Rule::name) {
            names.push(self.ident(&name));
        }
        let family = children.optional(Rule::family).map(|family| self.family(family));
        let _colon = children.optional(Rule::colon);
        let ty = self.type_expr(children.expect());
        let init = children.next().map(|init| self.expr(init));
        ItemKind::Var { names, family, ty, init }
    }

    /// `(a, b)`, or `a` with or without a family; whether it was the former.
    fn names(&mut self, children: &mut Children<'_>) -> (Vec<Ident>, bool, Option<Binder>) {
        let first = children.expect();
        if first.as_rule() == Rule::names {
            return (Children::of(first).map(|name| self.ident(&name)).collect(), true, None);
        }
        let family = children.optional(Rule::family).map(|family| self.family(family));
        (vec![self.ident(&first)], false, family)
    }

    fn type_expr(&mut self, pair: Pair<'_>) -> TypeExpr {
        let span = self.span(&pair);
        let kind = Children::of(pair).expect();
        let rule = kind.as_rule();
        let mut children = Children::of(kind);
        let kind = match rule {
            Rule::real => TypeKind::Real(children.next().map_or_else(Vec::new, |sizes| self.list(sizes))),
            Rule::symmetric => TypeKind::Symmetric(Box::new(self.expr(children.expect()))),
            _ => TypeKind::Params(self.ident(&children.expect())),
        };
        TypeExpr { kind, span }
    }

    fn sample_size(&mut self, pair: Pair<'_>) -> SampleSize {
        let rule = pair.as_rule();
        let mut children = Children::of(pair);
        let size = self.expr(children.expect());
        match rule {
            Rule::batch => SampleSize::Batch { size, keep: children.optional(Rule::kw_keep).is_some() },
            _ => SampleSize::Fixed(size),
        }
    }
}
