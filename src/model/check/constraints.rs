//! `subject to`: equations, inequalities, memberships, alone or in families.

use super::Checker;
use super::families::Run;
use super::meaning::{Index, Scope};
use crate::catalogue::Function;
use crate::diag::{Code, Diag};
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
            for (at, constraint) in constraints.iter().enumerate() {
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
                let removal = self.removal(constraints, at);
                self.constraint(player, constraint, removal, &scope);
            }
        }
    }

    /// What to take out of the text for a list without one of its constraints: with it the comma on one side, if
    /// nothing else stands there; or the constraint with its line, where others stand on lines of their own.
    fn removal(&self, constraints: &[ast::Constraint], at: usize) -> Option<Span> {
        let own = constraints[at].span;
        let text = |from: u32, to: u32| self.sources.text(Span { start: from, end: to, ..own });
        let before = at.checked_sub(1).map(|before| constraints[before].span);
        let after = constraints.get(at + 1).map(|after| after.span);
        match (before, after) {
            (Some(before), _) if text(before.end, own.start).trim() == "," => Some(Span { start: before.end, ..own }),
            (None, Some(after)) if text(own.end, after.start).trim() == "," => Some(Span { end: after.start, ..own }),
            (None, None) => None,
            _ => {
                let code = |line: &str| line.split('#').next().is_some_and(|code| code.contains(','));
                let lined = |gap: &str| gap.contains('\n') && !gap.lines().any(code);
                let first = before.is_none_or(|before| lined(text(before.end, own.start)));
                let last = after.is_none_or(|after| lined(text(own.end, after.start)));
                (first && last).then(|| self.with_line(own))
            }
        }
    }

    /// A span with the start of its line and the break before, where nothing else stands on the line.
    fn with_line(&self, span: Span) -> Span {
        let text = &self.sources.file(span.file).text;
        let (before, after) = (&text[..span.start as usize], &text[span.end as usize..]);
        let alone = after.lines().next().is_none_or(|rest| rest.trim().is_empty());
        match before.trim_end_matches([' ', '\t']).strip_suffix('\n') {
            Some(before) if alone => Span { start: before.trim_end_matches('\r').len() as u32, ..span },
            _ => span,
        }
    }

    fn constraint(&mut self, player: PlayerId, constraint: &'a ast::Constraint, removal: Option<Span>, scope: &Scope) {
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
                let relations = self.relations(left, *op, *at, right, constraint.span, &scope);
                for relation in relations.into_iter().flatten() {
                    let span = constraint.span;
                    let constraint = Constraint { label: label.clone(), relation, over, span, removal };
                    self.player(player).constraints.push(constraint);
                }
            }
        }
    }

    /// One relation; of a set that is an intersection, one for each of its pieces.
    fn relations(
        &mut self,
        left: &'a ast::Expr,
        op: CompareOp,
        op_span: Span,
        right: &'a ast::Expr,
        span: Span,
        scope: &Scope,
    ) -> Option<Vec<Relation>> {
        if op == CompareOp::In {
            return self.membership(left, right, span, scope);
        }
        let (a, b) = (self.tensor(left, scope), self.tensor(right, scope));
        let (a, b) = match op {
            CompareOp::GreaterEqual => (b?, a?),
            _ => (a?, b?),
        };
        let expr = self.difference(a, b, op_span, span)?;
        self.touches_a_variable(&expr, span)?;
        self.finite(&expr, span)?;
        Some(vec![if op == CompareOp::Equal { Relation::Zero(expr) } else { Relation::NonPositive(expr) }])
    }

    /// What a constraint speaks of holds something that can be chosen.
    pub(super) fn touches_a_variable(&mut self, expr: &Expr, span: Span) -> Option<()> {
        let mut touched = false;
        expr.leaves(&mut |leaf| touched |= matches!(leaf, Leaf::Var(..)));
        if touched {
            return Some(());
        }
        let text = self.text(span);
        self.fail(
            Diag::new(Code::WrongKind, span, format!("the constraint `{text}` touches no variable"))
                .help("nothing can be chosen so that it holds; it is true or false already"),
        )
    }

    /// Both sides of an equation or inequality are finite; only a set has infinite bounds.
    fn finite(&mut self, expr: &Expr, span: Span) -> Option<()> {
        if self.is_finite(expr) {
            return Some(());
        }
        let text = self.text(span);
        self.fail(
            Diag::new(Code::WrongKind, span, format!("`{text}` compares with an infinite number"))
                .help("a bound that is infinite is left out; `x in box(lower, upper)` takes some that are"),
        )
    }

    fn is_finite(&self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Number(number) => number.is_finite(),
            ExprKind::Leaf(Leaf::Data(id, _)) => self.model.data[id.index()].tensor.is_finite(),
            _ => expr.children().into_iter().all(|part| self.is_finite(part)),
        }
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
}
