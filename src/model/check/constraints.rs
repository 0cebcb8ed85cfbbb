//! `subject to`: equations, inequalities, memberships, alone or in families.

use super::Checker;
use super::families::Run;
use super::meaning::{Index, Scope};
use super::names::suggest;
use crate::catalogue::{Function, announced, announced_names};
use crate::diag::{Code, Diag, closest};
use crate::model::ir::{Constraint, Expr, ExprKind, Leaf, Loop, PlayerId, Relation};
use crate::source::Span;
use crate::syntax::ast::{self, CompareOp, Item, ItemKind};

impl<'a> Checker<'a> {
    /// The constraints of a player.
    pub(super) fn constraints(&mut self, player: PlayerId, items: impl Iterator<Item = &'a Item>) {
        let scope = Scope::of(player);
        let mut labels: Vec<&'a ast::Ident> = Vec::new();
        for item in items {
            let ItemKind::SubjectTo { constraints } = &item.kind else { continue };
            for constraint in constraints {
                if let Some(label) = &constraint.label {
                    match labels.iter().find(|other| other.key == label.key) {
                        Some(first) => {
                            let span = first.span;
                            self.report(
                                Diag::new(
                                    Code::DuplicateName,
                                    label.span,
                                    format!("`{}` labels two constraints", label.text),
                                )
                                .label(span, "first here")
                                .help("`dual(label)` must mean one of them"),
                            );
                        }
                        None => labels.push(label),
                    }
                }
                self.constraint(player, constraint, &scope);
            }
        }
    }

    fn constraint(&mut self, player: PlayerId, constraint: &'a ast::Constraint, scope: &Scope) {
        let ast::ExprKind::Compare { first, rest } = &constraint.body.bare().kind else {
            let text = self.text(constraint.body.span);
            return self.report(
                Diag::new(Code::WrongKind, constraint.body.span, format!("`{text}` says nothing that could hold"))
                    .help("a constraint is an equation, an inequality or a membership: `x - z = 0`, `x >= 0`, `x in simplex`"),
            );
        };
        let label = constraint.label.as_ref().map(|label| label.text.clone());
        let bodies: Vec<&'a ast::Expr> =
            std::iter::once(&**first).chain(rest.iter().map(|(_, _, body)| body)).collect();
        let members: Vec<(Scope, Option<String>, Option<Loop>)> = match &constraint.family {
            None => vec![(scope.clone(), label, None)],
            Some(binder) => match self.run(binder, &bodies, scope) {
                Some(Run::Symbolic(over)) => {
                    let inside = scope.with(&binder.name.key, Index::Loop { count: over.count });
                    vec![(inside, label, Some(over))]
                }
                Some(Run::Unrolled(values)) => {
                    let member = |value: i64| {
                        let label = label.as_ref().map(|label| format!("{label}[{value}]"));
                        (scope.with(&binder.name.key, Index::At(value)), label, None)
                    };
                    values.into_iter().map(member).collect()
                }
                None => return,
            },
        };
        for (scope, label, over) in members {
            // `a <= x <= b` is two relations.
            for (left, (op, at, right)) in bodies.iter().zip(rest) {
                if let Some(relation) = self.relation(left, *op, *at, right, constraint.span, &scope) {
                    let constraint = Constraint { label: label.clone(), relation, over, span: constraint.span };
                    self.player(player).constraints.push(constraint);
                }
            }
        }
    }

    fn relation(
        &mut self,
        left: &'a ast::Expr,
        op: CompareOp,
        op_span: Span,
        right: &'a ast::Expr,
        span: Span,
        scope: &Scope,
    ) -> Option<Relation> {
        if op == CompareOp::In {
            self.tensor(left, scope);
            return self.membership(right);
        }
        let (a, b) = (self.tensor(left, scope), self.tensor(right, scope));
        let (a, b) = match op {
            CompareOp::GreaterEqual => (b?, a?),
            _ => (a?, b?),
        };
        let expr = self.difference(a, b, op_span, span)?;
        let mut touched = false;
        expr.leaves(&mut |leaf| touched |= matches!(leaf, Leaf::Var(..)));
        if !touched {
            let text = self.text(span);
            return self.fail(
                Diag::new(Code::WrongKind, span, format!("the constraint `{text}` touches no variable"))
                    .help("nothing can be chosen so that it holds; it is true or false already"),
            );
        }
        Some(if op == CompareOp::Equal { Relation::Zero(expr) } else { Relation::NonPositive(expr) })
    }

    /// `a - b`, where a zero is left out.
    fn difference(&mut self, a: Expr, b: Expr, at: Span, span: Span) -> Option<Expr> {
        let zero = |expr: &Expr| matches!(expr.kind, ExprKind::Number(number) if number == 0.0);
        if zero(&b) {
            return Some(a);
        }
        if zero(&a) {
            return self.apply(Function::Neg, vec![b], at, span);
        }
        self.apply(Function::Sub, vec![a, b], at, span)
    }

    /// `x in simplex`: sets are known by name, and not executed yet.
    fn membership(&mut self, set: &'a ast::Expr) -> Option<Relation> {
        let name = match &set.bare().kind {
            ast::ExprKind::Name(name) => name,
            ast::ExprKind::Call { callee, .. } => callee,
            _ => {
                let text = self.text(set.span);
                return self.fail(
                    Diag::new(Code::WrongKind, set.span, format!("`{text}` is no set"))
                        .help("behind `in` stands the name of a set: `nonneg`, `box(0, 1)`, `simplex`"),
                );
            }
        };
        if let Some(known) = announced(&name.key, true) {
            return self.fail(
                Diag::new(Code::NotYet, set.span, format!("`in {}` parses but is not executed yet", known.signature.0))
                    .help("it belongs to the language; this version has no step for it"),
            );
        }
        let near = closest(&name.text, announced_names(true)).map(str::to_owned);
        let diag = Diag::new(Code::UnknownName, name.span, format!("there is no set `{}`", name.text));
        let names: Vec<String> = announced_names(true).map(str::to_owned).collect();
        let help = format!("there are {}", super::index::listed(&names));
        self.fail(suggest(diag, name.span, near, &help))
    }
}
