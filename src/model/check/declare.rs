//! The meaning of a declaration.

use super::meaning::{Family, Index, Meaning, Members, Scope};
use super::names::What;
use super::{Checker, Facts};
use crate::diag::{Code, Diag};
use crate::model::fold::fold;
use crate::model::ir::{DataId, Expr, ExprKind, Leaf, Member};
use crate::source::Span;
use crate::syntax::ast;
use crate::tape::Tensor;

impl<'a> Checker<'a> {
    /// Gives declaration `at` its meaning.
    pub(super) fn declare(&mut self, at: usize) -> Option<Meaning> {
        let declaration = &self.declarations[at];
        let (ident, what, player) = (declaration.name, declaration.what, declaration.player);
        let scope = player.map_or_else(|| self.top(), Scope::of);
        match what {
            What::Param(value) => self.param(ident, value, &scope),
            What::Data { family: None, ty, value } => self.data(ident, ty, value, &scope),
            What::Data { family: Some(binder), ty, value } => self.data_family(ident, binder, ty, value, &scope),
            What::Let { family: Some(binder), value, .. } => {
                let count = self.members(binder, &scope)?;
                // Members are defined where they are asked for; the first one here, so that a fault shows.
                let first = self.let_member(at, Index::At(1), ident.span)?;
                self.keep_family(at, (binder, value), count, &first)?;
                let (name, span) = (ident.text.clone(), ident.span);
                Some(Meaning::Family(Family { name, span, count, of: Members::Let(at) }))
            }
            What::Let { family: None, value, part: None, .. } => {
                let before = self.model.data.len();
                let meaning = self.meaning(value, &scope)?;
                let meaning = self.named(meaning, ident, value.span, before)?;
                self.keep_named(&meaning, ident, player);
                Some(meaning)
            }
            What::Let { family: None, value, part: Some(part), first } => {
                let meaning = self.part(ident, value, part, first, &scope)?;
                self.keep_named(&meaning, ident, player);
                Some(meaning)
            }
            What::Var { family, ty, init, stream } => self.var(ident, family, ty, (init, stream), &scope),
            What::Net { input, layers } => self.net(ident, input, layers, &scope),
            What::Sample { names, family, source, size, part, first } => {
                if part > 0 {
                    // The first name's declaration makes the sample.
                    return match self.resolve(first)? {
                        Meaning::Family(Family { of: Members::Sample(id, _), .. })
                        | Meaning::Expr(Expr { kind: ExprKind::Leaf(Leaf::Sample(id, ..)), .. }) => {
                            Some(self.sample_part(id, part as u32, ident.span))
                        }
                        _ => unreachable!("a sample means a sample"),
                    };
                }
                let id = self.sample(names, family, source, size, &scope)?;
                Some(self.sample_part(id, 0, ident.span))
            }
            What::Shows(value) => self.tensor(value, &scope).map(Meaning::Expr),
            What::Player(player) => Some(Meaning::Player(player)),
        }
    }

    fn param(&mut self, ident: &'a ast::Ident, value: &'a ast::Expr, scope: &Scope) -> Option<Meaning> {
        if let Some(set) = self.set(&ident.text, ident.span) {
            return Some(Meaning::Expr(super::names::number(set?, ident.span)));
        }
        let before = self.model.data.len();
        let meaning = self.meaning(value, scope)?;
        let expr = self.as_tensor(meaning, value.span)?;
        self.known_value(&expr)?;
        self.named(Meaning::Expr(expr), ident, value.span, before)
    }

    /// A value under a name: known ones are computed here, once.
    pub(super) fn named(&mut self, meaning: Meaning, ident: &ast::Ident, span: Span, before: usize) -> Option<Meaning> {
        let meaning = match meaning {
            Meaning::Trained(named) => Meaning::Expr(self.only_tensor(&named, ident, span)?),
            other => other,
        };
        let Meaning::Expr(expr) = meaning else { return Some(meaning) };
        let expr = self.bounded(expr, span)?;
        if let Some(matrix) = expr.factored() {
            // A sparse matrix stays one, and its parts are named after it.
            if let (ExprKind::Sparse(_), true) = (&expr.kind, is_new(&matrix.matrix[2], before)) {
                self.rename_sparse(&matrix.matrix.clone(), ident);
            }
            return Some(Meaning::Expr(expr));
        }
        if let ExprKind::Leaf(Leaf::Data(id, Member::None)) = expr.kind {
            if id.index() >= before {
                self.rename(id, ident);
            }
            return Some(Meaning::Expr(expr));
        }
        let value = fold(&self.model, &expr);
        if value.as_ref().is_some_and(|value| !value.is_finite()) && !self.inside_domains(&expr, None) {
            return None;
        }
        Some(Meaning::Expr(match value {
            Some(value) if value.shape.is_scalar() => self.constant(value, ident.span),
            Some(value) => {
                let facts = Facts { net: self.params_of(&expr), ..Facts::default() };
                self.add_data(ident.text.clone(), ident.span, value, facts)
            }
            None => expr,
        }))
    }

    pub(super) fn rename(&mut self, id: DataId, ident: &ast::Ident) {
        let data = &mut self.model.data[id.index()];
        data.name = ident.text.clone();
        data.span = ident.span;
    }

    /// A file that holds one tensor.
    pub(super) fn only_tensor(&mut self, named: &[(String, Tensor)], ident: &ast::Ident, span: Span) -> Option<Expr> {
        if let [(_, tensor)] = named {
            return Some(self.add_data(ident.text.clone(), ident.span, tensor.clone(), Facts::default()));
        }
        let names: Vec<String> = named.iter().map(|(name, _)| name.clone()).collect();
        self.fail(
            Diag::new(Code::WrongKind, span, format!("the file holds {} tensors: {}", names.len(), super::index::listed(&names)))
                .help(format!("a trained network is declared with its type, `data {}: params(C) = load(…)`; `key = \"…\"` picks a tensor", ident.text)),
        )
    }

    /// One name of `let (a, b) = …`.
    fn part(
        &mut self,
        ident: &'a ast::Ident,
        value: &'a ast::Expr,
        part: usize,
        first: usize,
        scope: &Scope,
    ) -> Option<Meaning> {
        if !self.tuples.contains_key(&first) {
            let parts = self.tuple(value, first, scope);
            self.tuples.insert(first, parts);
        }
        let meaning = self.tuples[&first].as_ref()?.get(part)?.clone();
        // What is known is named after its part.
        let before = match &meaning {
            Meaning::Expr(Expr { kind: ExprKind::Leaf(Leaf::Data(id, _)), .. }) => id.index(),
            _ => self.model.data.len(),
        };
        self.named(meaning, ident, value.span, before)
    }

    fn tuple(&mut self, value: &'a ast::Expr, first: usize, scope: &Scope) -> Option<Vec<Meaning>> {
        let is_part = |what: &What| matches!(what, What::Let { part: Some(_), first: of, .. } if *of == first);
        let names = self.declarations.iter().filter(|other| is_part(&other.what)).count();
        let words = match self.meaning(value, scope)? {
            Meaning::Tuple(parts) if parts.len() == names => return Some(parts),
            other => other.words(),
        };
        let text = self.text(value.span);
        self.fail(
            Diag::new(Code::WrongArguments, value.span, format!("`{text}` is {words}, for {names} names"))
                .help("as many names as values stand in the parentheses: `let (train, held) = split(table, 1000)`"),
        )
    }
}

/// Whether data was added since there were so many.
fn is_new(expr: &Expr, before: usize) -> bool {
    matches!(expr.kind, ExprKind::Leaf(Leaf::Data(id, _)) if id.index() >= before)
}
