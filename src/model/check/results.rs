//! Named expressions of variables, whose values are results.

use super::Checker;
use super::expression::{NODES, measure};
use super::meaning::{Index, Meaning, Scope};
use crate::model::ir::{Expr, ExprKind, Leaf, Loop, Member, Named, PlayerId};
use crate::syntax::ast::{self, Binder};
use crate::tape::Shape;

impl<'a> Checker<'a> {
    /// Notes what stands under a name, where it is an expression of variables.
    pub(super) fn keep_named(&mut self, meaning: &Meaning, ident: &ast::Ident, player: Option<PlayerId>) {
        if let Meaning::Expr(expr) = meaning
            && self.is_result(expr)
        {
            self.note(expr.clone(), None, ident, player);
        }
    }

    /// Notes the family that declaration `at` defines, of which this is the first member: as a loop where its index
    /// only picks members and rows, else its members one above another, where they have one shape and are together
    /// no more than an expression may be.
    pub(super) fn keep_family(
        &mut self,
        at: usize,
        (binder, value): (&'a Binder, &'a ast::Expr),
        count: usize,
        first: &Meaning,
    ) -> Option<()> {
        let Meaning::Expr(first) = first else { return Some(()) };
        if !self.is_result(first) {
            return Some(());
        }
        let declaration = &self.declarations[at];
        let (ident, player) = (declaration.name, declaration.player);
        let scope = player.map_or_else(|| self.top(), Scope::of).with(&binder.name.key, Index::Loop { count });
        if !self.is_uneven(first) && self.picks_members(value, (&binder.name.key, true), &scope, 0) {
            let Meaning::Expr(member) = self.let_member(at, Index::Loop { count }, ident.span)? else {
                return Some(());
            };
            self.note(member, Some(Loop { count }), ident, player);
            return Some(());
        }
        if measure(first).0.saturating_mul(count) > NODES {
            return Some(());
        }
        let shape = Shape([&[1], &first.shape.0[..]].concat());
        let mut members = Vec::with_capacity(count);
        for i in 1..=count as i64 {
            match self.let_member(at, Index::At(i), ident.span)? {
                Meaning::Expr(member) if member.shape == first.shape => members.push(Expr {
                    shape: shape.clone(),
                    span: member.span,
                    kind: ExprKind::Reshape(Box::new(member)),
                }),
                _ => return Some(()),
            }
        }
        let shape = Shape([&[count], &first.shape.0[..]].concat());
        self.note(Expr { kind: ExprKind::Concat(members, 0), shape, span: ident.span }, None, ident, player);
        Some(())
    }

    fn note(&mut self, expr: Expr, over: Option<Loop>, ident: &ast::Ident, player: Option<PlayerId>) {
        let owner = player.and_then(|player| self.model.players[player.index()].name.as_deref());
        let name = owner.map_or_else(|| ident.text.clone(), |owner| format!("{owner}.{}", ident.text));
        self.model.named.push(Named { name, span: ident.span, expr, over });
    }

    /// Whether it holds variables, and no random batch.
    fn is_result(&self, expr: &Expr) -> bool {
        let mut varies = false;
        expr.leaves(&mut |leaf| varies |= matches!(leaf, Leaf::Var(..)));
        varies && !self.model.is_random(expr)
    }

    /// Whether it reads a member of data whose members differ in their rows.
    fn is_uneven(&self, expr: &Expr) -> bool {
        let mut uneven = false;
        expr.leaves(&mut |leaf| {
            uneven |= matches!(leaf, Leaf::Data(id, Member::At(_)) if self.model.data[id.index()].rows.is_some());
        });
        uneven
    }
}
