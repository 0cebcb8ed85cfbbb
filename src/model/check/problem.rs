//! The objective, cut into its additive terms; the split and claims.

use super::families::Run;
use super::meaning::{Index, Meaning, Scope};
use super::names::What;
use super::{Checker, shape_words};
use crate::catalogue::Function;
use crate::diag::{Code, Diag};
use crate::model::fold::is_constant;
use crate::model::ir::{Claim, Expr, ExprKind, Leaf, Loop, Member, PlayerId, Target, Term, VarId};
use crate::source::Span;
use crate::syntax::ast::{self, BinaryOp, Item, ItemKind, Sense};
use crate::tape::Shape;

/// What stands around the terms of a sum: they are put back around each.
#[derive(Clone)]
enum Factor {
    Negated,
    Times(Expr),
    TimesRight(Expr),
    Over(Expr),
}

/// Where the cutting of an objective is.
#[derive(Clone)]
struct Place<'a> {
    scope: Scope,
    /// Innermost last.
    factors: Vec<Factor>,
    label: Option<&'a ast::Ident>,
    over: Option<Loop>,
    /// The additive term around.
    span: Span,
    /// Named expressions gone into.
    depth: usize,
}

impl<'a> Checker<'a> {
    /// `minimize`, `maximize`, then what refers to the constraints.
    pub(super) fn objective(&mut self, player: PlayerId, items: impl Iterator<Item = &'a Item>) {
        let scope = Scope::of(player);
        let mut written: Option<Span> = None;
        for item in items {
            match &item.kind {
                ItemKind::Objective { sense, body } => {
                    if let Some(first) = written {
                        let whose = self.whose(player);
                        self.report(
                            Diag::new(Code::DuplicateName, item.span, format!("{whose} has two objectives"))
                                .label(first, "the first")
                                .help("add them into one, or give them to two players"),
                        );
                        continue;
                    }
                    written = Some(item.span);
                    self.player(player).maximize = *sense == Sense::Maximize;
                    // Both words have as many letters.
                    self.player(player).sense = Span { end: item.span.start + 8, ..item.span };
                    if self.model.players[player.index()].name.is_none() {
                        self.player(player).span = item.span;
                    }
                    let factors = if *sense == Sense::Maximize { vec![Factor::Negated] } else { Vec::new() };
                    let place =
                        Place { scope: scope.clone(), factors, label: None, over: None, span: body.span, depth: 0 };
                    self.cut(player, body, place);
                }
                ItemKind::Split { x, z } => self.split_of(player, x, z, item.span, &scope),
                ItemKind::Claim { target, value } => {
                    self.claim(player, target, value, item.span, &scope);
                }
                _ => {}
            }
        }
    }

    /// Cuts an objective through `+`, `-`, known factors, parentheses, sums over an index and names.
    fn cut(&mut self, player: PlayerId, body: &'a ast::Expr, place: Place<'a>) {
        use ast::ExprKind as Kind;
        match &body.kind {
            Kind::Label { name, body } => {
                let place = Place { label: Some(name), span: body.span, ..place };
                self.cut(player, body, place);
            }
            Kind::Paren(inner) => self.cut(player, inner, place),
            Kind::Neg(inner) => self.cut(player, inner, with(place, Factor::Negated)),
            Kind::Binary { op: op @ (BinaryOp::Add | BinaryOp::Sub), left, right, .. } => {
                self.cut(player, left, Place { span: left.span, ..place.clone() });
                let right_place = Place { span: right.span, ..place };
                let right_place = if *op == BinaryOp::Sub { with(right_place, Factor::Negated) } else { right_place };
                self.cut(player, right, right_place);
            }
            Kind::Binary { op: op @ (BinaryOp::Mul | BinaryOp::Div), left, right, .. }
                if additive(left) || additive(right) =>
            {
                let (sum, factor) = if additive(left) { (left, right) } else { (right, left) };
                let (Some(factor), true) = (self.tensor(factor, &place.scope), *op == BinaryOp::Mul || additive(left))
                else {
                    return self.term(player, body, place);
                };
                if !factor.shape.is_scalar() || !is_constant(&factor) {
                    return self.term(player, body, place);
                }
                let factor = match op {
                    BinaryOp::Div => Factor::Over(factor),
                    _ if additive(left) => Factor::TimesRight(factor),
                    _ => Factor::Times(factor),
                };
                self.cut(player, sum, with(place, factor));
            }
            Kind::Over { callee, binder, body: inner } if callee.key == "sum" && place.over.is_none() => {
                match self.run(binder, &[inner], &place.scope) {
                    Some(Run::Symbolic(over)) => {
                        let scope = place.scope.with(&binder.name.key, Index::Loop { count: over.count });
                        self.cut(player, inner, Place { scope, over: Some(over), ..place });
                    }
                    Some(Run::Unrolled(values)) => {
                        for value in values {
                            let scope = place.scope.with(&binder.name.key, Index::At(value));
                            self.cut(player, inner, Place { scope, ..place.clone() });
                        }
                    }
                    None => {}
                }
            }
            Kind::Name(name) if place.depth < 16 => match self.definition(name, &place.scope) {
                Some((value, scope)) => {
                    let indices = place.scope.indices.clone();
                    let scope = Scope { indices, ..scope };
                    self.cut(player, value, Place { scope, depth: place.depth + 1, ..place });
                }
                None => self.term(player, body, place),
            },
            _ => self.term(player, body, place),
        }
    }

    /// The definition of a name that stands for a sum of variables.
    fn definition(&mut self, name: &'a ast::Ident, scope: &Scope) -> Option<(&'a ast::Expr, Scope)> {
        if scope.index(&name.key).is_some() {
            return None;
        }
        let at = self.find(&name.key, scope)?;
        let What::Let { value, family: None, part: None, .. } = self.declarations[at].what else { return None };
        if !additive(value) {
            return None;
        }
        // Its own faults and cycles are found here.
        let meaning = self.resolve(at)?;
        let known = matches!(&meaning, Meaning::Expr(expr) if is_constant(expr));
        let owner = self.declarations[at].player;
        (!known).then(|| (value, owner.map_or_else(|| self.top(), Scope::of)))
    }

    /// One additive term.
    fn term(&mut self, player: PlayerId, body: &'a ast::Expr, place: Place<'a>) {
        let Some(mut expr) = self.tensor(body, &place.scope) else { return };
        if !expr.shape.is_scalar() {
            let (text, words) = (self.text(body.span), shape_words(&expr.shape));
            let mut diag = Diag::new(
                Code::WrongKind,
                body.span,
                format!("a term of an objective is a number; `{text}` is {words}"),
            );
            diag = self.with_sources(diag, &[&expr]);
            return self.report(diag.help("take its `sum`, its `mean`, or a norm of it"));
        }
        for factor in place.factors.into_iter().rev() {
            expr = wrapped(expr, factor, place.span);
        }
        let label = place.label.map(|label| label.text.clone());
        let terms = &mut self.player(player).terms;
        let name = match (&label, terms.last()) {
            (Some(label), _) => label.clone(),
            (None, Some(last)) if last.label.is_none() && last.span == place.span => last.name.clone(),
            (None, _) => {
                let mut named: Vec<&str> = terms.iter().map(|term| term.name.as_str()).collect();
                named.dedup();
                format!("term {}", named.len() + 1)
            }
        };
        terms.push(Term { label, name, expr, over: place.over, span: place.span });
    }

    /// `split x | z`
    fn split_of(&mut self, player: PlayerId, x: &'a [ast::Expr], z: &'a [ast::Expr], span: Span, scope: &Scope) {
        let mut sides: [Vec<VarId>; 2] = [Vec::new(), Vec::new()];
        let mut sound = true;
        for (side, ast) in x.iter().map(|ast| (0, ast)).chain(z.iter().map(|ast| (1, ast))) {
            match self.variable(player, ast, scope) {
                Some(id) if sides.iter().flatten().any(|&other| other == id) => {
                    let text = self.text(ast.span);
                    sound = false;
                    self.report(Diag::new(
                        Code::DuplicateName,
                        ast.span,
                        format!("`{text}` stands in the split twice"),
                    ));
                }
                Some(id) => sides[side].push(id),
                None => sound = false,
            }
        }
        let left_out: Vec<(String, Span)> = self.model.players[player.index()]
            .vars
            .iter()
            .filter(|id| !sides.iter().flatten().any(|other| other == *id))
            .map(|id| (self.model.vars[id.index()].name.clone(), self.model.vars[id.index()].span))
            .collect();
        if sound && !left_out.is_empty() {
            let names: Vec<String> = left_out.iter().map(|(name, _)| name.clone()).collect();
            let mut diag =
                Diag::new(Code::WrongKind, span, format!("the split leaves out {}", super::index::listed(&names)));
            for (name, span) in left_out {
                diag = diag.label(span, format!("`{name}` is on neither side"));
            }
            return self.report(diag.help("a stated split puts every variable on one side"));
        }
        let [x, z] = sides;
        if sound {
            self.player(player).split = Some((x, z));
        }
    }

    /// An expression that must be a variable of the player.
    fn variable(&mut self, player: PlayerId, ast: &'a ast::Expr, scope: &Scope) -> Option<VarId> {
        let meaning = self.meaning(ast, scope)?;
        let id = match &meaning {
            Meaning::Expr(Expr { kind: ExprKind::Leaf(Leaf::Var(id, Member::None)), .. }) => Some(*id),
            Meaning::Family(super::Family { of: super::meaning::Members::Var(id), .. }) => Some(*id),
            _ => None,
        };
        if let Some(id) = id.filter(|id| self.model.vars[id.index()].player == player) {
            return Some(id);
        }
        let (text, whose) = (self.text(ast.span), self.whose(player));
        self.fail(Diag::new(Code::WrongKind, ast.span, format!("`{text}` is no variable of {whose}")))
    }

    /// What a claim updates: a variable of the player, or the multiplier of one of its constraints.
    fn claimed(&mut self, player: PlayerId, ast: &'a ast::Expr, scope: &Scope) -> Option<Target> {
        let bare = ast.bare();
        let named = matches!(&bare.kind, ast::ExprKind::Name(name) if matches!(name.key.as_str(), "λ" | "lambda") && self.find(&name.key, scope).is_none());
        let called = matches!(&bare.kind, ast::ExprKind::Call { callee, .. } if callee.key == "dual");
        if !named && !called {
            return self.variable(player, ast, scope).map(Target::Var);
        }
        let (of, id) = match self.meaning(ast, scope)? {
            Meaning::Expr(Expr { kind: ExprKind::Leaf(Leaf::Dual(of, id, _)), .. }) => (of, id),
            Meaning::Family(super::Family { of: super::meaning::Members::Dual(of, id), .. }) => (of, id),
            _ => return self.variable(player, ast, scope).map(Target::Var),
        };
        if of == player {
            return Some(Target::Dual(id));
        }
        let (text, whose) = (self.text(ast.span), self.whose(player));
        self.fail(Diag::new(Code::WrongKind, ast.span, format!("`{text}` is no multiplier of {whose}")))
    }

    /// `claim θ2 = (θ1 - λ)/(1 + ρ)`, `claim λ = λ + ρ*(θ2 - θ1)`
    fn claim(
        &mut self,
        player: PlayerId,
        target: &'a ast::Expr,
        value: &'a ast::Expr,
        span: Span,
        scope: &Scope,
    ) -> Option<()> {
        let of = self.claimed(player, target, scope);
        let expr = self.tensor(value, scope);
        let (of, expr) = (of?, expr?);
        let shape = match of {
            Target::Var(id) => self.model.vars[id.index()].shape.clone(),
            Target::Dual(id) => self.player(player).constraints[id.index()].relation.expr().shape.clone(),
        };
        if expr.shape != shape {
            let text = self.text(target.span);
            let message =
                format!("`{text}` is {} and its claimed update {}", shape_words(&shape), shape_words(&expr.shape));
            let mut diag = Diag::new(Code::ShapeMismatch, value.span, message).label(target.span, shape.to_string());
            diag = self.with_sources(diag, &[&expr]);
            return self.fail(diag);
        }
        self.player(player).claims.push(Claim { target: of, value: expr, span });
        Some(())
    }
}

fn with(place: Place<'_>, factor: Factor) -> Place<'_> {
    let mut place = place;
    match (place.factors.last(), &factor) {
        (Some(Factor::Negated), Factor::Negated) => {
            place.factors.pop();
        }
        _ => place.factors.push(factor),
    }
    place
}

/// A term with a factor around it.
fn wrapped(expr: Expr, factor: Factor, span: Span) -> Expr {
    let (function, args) = match factor {
        Factor::Negated => match expr.kind {
            ExprKind::Apply(Function::Neg, mut args) => return args.remove(0),
            _ => (Function::Neg, vec![expr]),
        },
        Factor::Times(factor) => (Function::Mul, vec![factor, expr]),
        Factor::TimesRight(factor) => (Function::Mul, vec![expr, factor]),
        Factor::Over(factor) => (Function::Div, vec![expr, factor]),
    };
    Expr { kind: ExprKind::Apply(function, args), shape: Shape::scalar(), span }
}

/// Whether an expression is written as several terms.
fn additive(ast: &ast::Expr) -> bool {
    use ast::ExprKind as Kind;
    match &ast.kind {
        Kind::Binary { op: BinaryOp::Add | BinaryOp::Sub, .. } | Kind::Label { .. } => true,
        Kind::Over { callee, .. } => callee.key == "sum",
        Kind::Paren(inner) | Kind::Neg(inner) => additive(inner),
        Kind::Binary { op: BinaryOp::Mul | BinaryOp::Div, left, right, .. } => additive(left) || additive(right),
        _ => false,
    }
}
