//! `i in 1 to m`: loops that stay loops, and those that are written out.
//!
//! A body that uses its index only to pick members (`w[i]`, `A[i]`) or [`rows`](super::rows) of data is typed
//! once, with [`Member::Loop`](crate::model::ir::Member) inside, however many members there are. Any other
//! use (`A[:, i]`, `w[i + 1]`, `i*x`, a loop inside a loop) is written out, member by member.

use super::Checker;
use super::meaning::{Index, Meaning, Scope};
use super::names::What;
use crate::catalogue::Function;
use crate::diag::{Code, Diag};
use crate::model::ir::{Expr, ExprKind, Loop};
use crate::source::Span;
use crate::syntax::ast::{self, Binder, Ident, IndexItem};

/// Members that a loop may be written out into.
const UNROLLED: usize = 4096;

/// Families defined by families, one through another, that a loop is kept through.
const DEFINITIONS: usize = 16;

/// How a loop is gone through.
pub(super) enum Run {
    /// Once, for all members.
    Symbolic(Loop),
    /// Member by member.
    Unrolled(Vec<i64>),
}

impl<'a> Checker<'a> {
    /// First and last value of an index, and how many there are.
    pub(super) fn bounds(&mut self, binder: &'a Binder, scope: &Scope) -> Option<(i64, usize)> {
        let (from, to) = (self.whole(&binder.from, scope), self.whole(&binder.to, scope));
        let (from, to) = (from?, to?);
        let count = to.checked_sub(from).and_then(|last| last.checked_add(1)).unwrap_or(i64::MAX);
        if (1..=i64::from(u32::MAX)).contains(&count) {
            return Some((from, count as usize));
        }
        let (name, message) = (&binder.name.text, if count < 1 { "is empty" } else { "is too long" });
        self.fail(Diag::new(Code::WrongKind, binder.span, format!("the range of `{name}`, {from} to {to}, {message}")))
    }

    /// Members of a declared family, which count from 1.
    pub(super) fn members(&mut self, binder: &'a Binder, scope: &Scope) -> Option<usize> {
        let (from, count) = self.bounds(binder, scope)?;
        if from == 1 {
            return Some(count);
        }
        self.fail(
            Diag::new(Code::WrongKind, binder.from.span, format!("the index of a family counts from 1, not {from}"))
                .help("members are told apart by 1, 2, 3, …; a shift belongs where they are used"),
        )
    }

    /// How a loop over `bodies` is gone through.
    pub(super) fn run(&mut self, binder: &'a Binder, bodies: &[&'a ast::Expr], scope: &Scope) -> Option<Run> {
        let (from, count) = self.bounds(binder, scope)?;
        let nested = scope.indices.iter().any(|(_, index)| matches!(index, Index::Loop { .. }));
        let inside = scope.with(&binder.name.key, Index::Loop { count });
        let key = binder.name.key.as_str();
        // A loop over rows alone may as well be written out, where that is not too long: each is then a term of
        // its own.
        let rows = count > UNROLLED || bodies.iter().any(|body| self.picks_a_family(body, key, &inside));
        if from == 1 && !nested && bodies.iter().all(|body| self.picks_members(body, (key, rows), &inside, 0)) {
            return Some(Run::Symbolic(Loop { count }));
        }
        if count <= UNROLLED {
            return Some(Run::Unrolled((from..from + count as i64).collect()));
        }
        self.fail(
            Diag::new(
                Code::NotYet,
                binder.span,
                format!("a loop of {count} members that has to be written out is not executed yet"),
            )
            .help(format!(
                "up to {UNROLLED} are; a body that uses `{0}` only as `w[{0}]` or to pick rows of data stays a loop of any length",
                binder.name.text
            )),
        )
    }

    /// Whether a member of a declared family is picked by `key`.
    fn picks_a_family(&self, ast: &ast::Expr, key: &str, scope: &Scope) -> bool {
        any(ast, &|part| match &part.kind {
            ast::ExprKind::Index { base, at } => is_key(at, key) && self.family_declaration(base, scope).is_some(),
            _ => false,
        })
    }

    /// Whether `key` occurs only as the index of families, and where that counts, of rows; `depth` counts
    /// definitions gone into.
    pub(super) fn picks_members(
        &self,
        ast: &'a ast::Expr,
        (key, rows): (&str, bool),
        scope: &Scope,
        depth: usize,
    ) -> bool {
        use ast::ExprKind as Kind;
        let all =
            |parts: &[&'a ast::Expr]| parts.iter().all(|part| self.picks_members(part, (key, rows), scope, depth));
        match &ast.kind {
            Kind::Number(..) | Kind::Text(_) => true,
            Kind::Name(name) => name.key != key,
            Kind::Neg(a)
            | Kind::Transpose(a)
            | Kind::Paren(a)
            | Kind::Field { base: a, .. }
            | Kind::Label { body: a, .. } => all(&[a]),
            Kind::Binary { left, right, .. } => all(&[left, right]),
            Kind::Compare { first, rest } => all(&[first]) && rest.iter().all(|(_, _, part)| all(&[part])),
            Kind::Call { args, params, .. } => {
                args.iter().all(|arg| all(&[&arg.value])) && params.iter().all(|part| all(&[part]))
            }
            Kind::Over { binder, body, .. } => {
                // A loop inside is written out, which needs the outer index as a number if it is used.
                !mentions(&binder.from, key)
                    && !mentions(&binder.to, key)
                    && (binder.name.key == key || !mentions(body, key))
            }
            Kind::Tuple(parts) => parts.iter().all(|part| all(&[part])),
            Kind::Matrix(rows) => rows.iter().flatten().all(|part| all(&[part])),
            Kind::Index { base, at } => {
                let picked = is_key(at, key);
                let count = match scope.index(key) {
                    Some(Index::Loop { count }) => count,
                    _ => 1,
                };
                if picked && let Some(declaration) = self.family_declaration(base, scope) {
                    return match self.declarations[declaration].what {
                        What::Let { family: Some(binder), value, .. } => {
                            let inside = scope.with(&binder.name.key, Index::Loop { count });
                            depth < DEFINITIONS
                                && self.picks_members(value, (&binder.name.key, rows), &inside, depth + 1)
                        }
                        _ => true,
                    };
                }
                if picked && is_dual(base) {
                    return true;
                }
                if rows && self.table_of_rows(base, at, (key, count), scope).is_some() {
                    return true;
                }
                all(&[base])
                    && at.iter().all(|item| match item {
                        IndexItem::All(_) => true,
                        IndexItem::At(at) => all(&[at]),
                        IndexItem::Range(from, to) => all(&[from, to]),
                    })
            }
        }
    }

    /// `sum(i in 1 to m: body)` inside an expression.
    pub(super) fn over(
        &mut self,
        callee: &'a Ident,
        binder: &'a Binder,
        body: &'a ast::Expr,
        span: Span,
        scope: &Scope,
    ) -> Option<Expr> {
        self.summed(callee)?;
        match self.run(binder, &[body], scope)? {
            Run::Symbolic(over) => {
                let inside = scope.with(&binder.name.key, Index::Loop { count: over.count });
                let body = self.tensor(body, &inside)?;
                let shape = body.shape.clone();
                Some(Expr { kind: ExprKind::Over(over, Box::new(body)), shape, span })
            }
            Run::Unrolled(values) => {
                let mut sum: Option<Expr> = None;
                for value in values {
                    let inside = scope.with(&binder.name.key, Index::At(value));
                    let member = self.tensor(body, &inside)?;
                    sum = Some(match sum {
                        None => member,
                        Some(sum) => self.apply(Function::Add, vec![sum, member], body.span, span)?,
                    });
                }
                sum
            }
        }
    }

    /// Only sums go over an index.
    pub(super) fn summed(&mut self, callee: &'a Ident) -> Option<()> {
        if callee.key == "sum" {
            return Some(());
        }
        self.fail(
            Diag::new(
                Code::WrongArguments,
                callee.span,
                format!("`{}` does not go over an index; `sum` does", callee.text),
            )
            .help("write `sum(i in 1 to m: …)`, divided by `m` for a mean"),
        )
    }

    /// `u[i]` of `let u[i in 1 to m] = …`: its definition, at that index.
    pub(super) fn let_member(&mut self, at: usize, index: Index, span: Span) -> Option<Meaning> {
        let declaration = &self.declarations[at];
        let What::Let { family: Some(binder), value, .. } = declaration.what else {
            unreachable!("a family of named expressions is declared by `let`")
        };
        let scope = declaration.player.map_or_else(|| self.top(), Scope::of).with(&binder.name.key, index);
        Some(self.meaning(value, &scope)?.with_span(span))
    }
}

fn is_dual(base: &ast::Expr) -> bool {
    match &base.bare().kind {
        ast::ExprKind::Call { callee, .. } => callee.key == "dual",
        ast::ExprKind::Name(name) => name.key == "λ",
        _ => false,
    }
}

/// Whether a name occurs anywhere in an expression.
fn mentions(ast: &ast::Expr, key: &str) -> bool {
    any(ast, &|part| matches!(&part.kind, ast::ExprKind::Name(name) if name.key == key))
}

/// Whether an expression or a part of it is such.
fn any(ast: &ast::Expr, such: &impl Fn(&ast::Expr) -> bool) -> bool {
    use ast::ExprKind as Kind;
    let one = |part: &ast::Expr| any(part, such);
    such(ast)
        || match &ast.kind {
            Kind::Number(..) | Kind::Text(_) | Kind::Name(_) => false,
            Kind::Neg(a)
            | Kind::Transpose(a)
            | Kind::Paren(a)
            | Kind::Field { base: a, .. }
            | Kind::Label { body: a, .. } => one(a),
            Kind::Binary { left, right, .. } => one(left) || one(right),
            Kind::Compare { first, rest } => one(first) || rest.iter().any(|(_, _, part)| one(part)),
            Kind::Call { args, params, .. } => args.iter().any(|arg| one(&arg.value)) || params.iter().any(one),
            Kind::Over { binder, body, .. } => one(&binder.from) || one(&binder.to) || one(body),
            Kind::Tuple(parts) => parts.iter().any(one),
            Kind::Matrix(rows) => rows.iter().flatten().any(one),
            Kind::Index { base, at } => {
                one(base)
                    || at.iter().any(|item| match item {
                        IndexItem::All(_) => false,
                        IndexItem::At(at) => one(at),
                        IndexItem::Range(from, to) => one(from) || one(to),
                    })
            }
        }
}

/// Whether an index is a name and nothing else.
fn is_key(at: &[IndexItem], key: &str) -> bool {
    matches!(at, [IndexItem::At(ast)] if matches!(&ast.bare().kind, ast::ExprKind::Name(name) if name.key == key))
}
