//! `B[k, :]` and `b[k]` in a loop over `k`: rows of a table as the members of a family, so that the loop stays
//! one.

use std::sync::Arc;

use super::meaning::{Index, Meaning, Scope};
use super::names::State;
use super::values::take_rows;
use super::{Checker, Facts};
use crate::model::ir::{Data, DataId, Expr, ExprKind, Leaf, Member};
use crate::source::Span;
use crate::syntax::ast::{self, IndexItem};

impl<'a> Checker<'a> {
    /// The table whose rows `base[key, :]` goes through, where that is what it does and it has so many.
    pub(super) fn table_of_rows(
        &self,
        base: &ast::Expr,
        at: &[IndexItem],
        (key, count): (&str, usize),
        scope: &Scope,
    ) -> Option<DataId> {
        let ast::ExprKind::Name(name) = &base.bare().kind else { return None };
        let (IndexItem::At(first), rest) = at.split_first()? else { return None };
        let by_key = matches!(&first.bare().kind, ast::ExprKind::Name(index) if index.key == key);
        if !by_key || scope.index(&name.key).is_some() || !rest.iter().all(|item| matches!(item, IndexItem::All(_))) {
            return None;
        }
        let State::Done(Some(Meaning::Expr(expr))) = &self.declarations[self.find(&name.key, scope)?].state else {
            return None;
        };
        let ExprKind::Leaf(Leaf::Data(id, Member::None)) = expr.kind else { return None };
        let shape = &self.model.data[id.index()].tensor.shape;
        (shape.rank() == at.len() && shape.0[0] >= count).then_some(id)
    }

    /// A row of a table, for every member of the loop around.
    pub(super) fn row(&mut self, base: &'a ast::Expr, at: &'a [IndexItem], span: Span, scope: &Scope) -> Option<Expr> {
        let (key, count) = scope.indices.iter().find_map(|(key, index)| match index {
            Index::Loop { count } => Some((key.clone(), *count)),
            Index::At(_) => None,
        })?;
        let table = self.table_of_rows(base, at, (&key, count), scope)?;
        let leaf = Leaf::Data(self.rows_as_family(table, count), Member::Loop);
        Some(Expr { kind: ExprKind::Leaf(leaf), shape: self.model.leaf_shape(leaf), span })
    }

    /// The first rows of a table as a family of their own, made once.
    fn rows_as_family(&mut self, table: DataId, count: usize) -> DataId {
        let known = self.families_of_rows.iter().find(|(of, rows, _)| (*of, *rows) == (table, count));
        if let Some(&(.., id)) = known {
            return id;
        }
        let whole = &self.model.data[table.index()];
        let tensor = match whole.tensor.shape.0[0] == count {
            true => Arc::clone(&whole.tensor),
            false => Arc::new(take_rows(&whole.tensor, &(0..count).collect::<Vec<_>>())),
        };
        let data = Data { name: whole.name.clone(), span: whole.span, tensor, family: Some(count), rows: None };
        let id = self.push(data, Facts::default());
        self.families_of_rows.push((table, count, id));
        id
    }
}
