//! `A[i, :]`, `w[3]`, `θ.layer1.weight`, `discriminator.θ`.

use super::meaning::{Family, Index, Meaning, Members, Scope};
use super::names::What;
use super::{Checker, shape_words};
use crate::diag::{Code, Diag, closest};
use crate::model::ir::{Entry, Expr, ExprKind, Leaf, Member, NetId};
use crate::source::Span;
use crate::syntax::ast::{self, Ident, IndexItem};
use crate::tape::Shape;
use crate::tape::ops::Range;

impl<'a> Checker<'a> {
    pub(super) fn index(
        &mut self,
        base: &'a ast::Expr,
        at: &'a [IndexItem],
        span: Span,
        scope: &Scope,
    ) -> Option<Meaning> {
        if let Some(row) = self.row(base, at, span, scope) {
            return Some(Meaning::Expr(row));
        }
        match self.meaning(base, scope)? {
            Meaning::Family(family) => self.member(&family, at, span, scope),
            other => {
                let base = self.as_tensor(other, base.span)?;
                self.slice(base, at, span, scope).map(Meaning::Expr)
            }
        }
    }

    /// One member of a family.
    fn member(&mut self, family: &Family, at: &'a [IndexItem], span: Span, scope: &Scope) -> Option<Meaning> {
        let Family { name, count, .. } = family;
        let [IndexItem::At(position)] = at else {
            return self.fail(
                Diag::new(Code::WrongKind, span, format!("`{name}` is a family of {count}; it takes one index"))
                    .label(family.span, "declared with an index")
                    .help(format!("write `{name}[1]` for a member, `{name}[1][1 to 5]` for a piece of it")),
            );
        };
        let index = match position.bare() {
            ast::Expr { kind: ast::ExprKind::Name(index), .. } => scope.index(&index.key),
            _ => None,
        };
        let index = match index {
            Some(index) => index,
            None => Index::At(self.whole(position, scope)?),
        };
        match index {
            Index::Loop { count: members } if members > *count => {
                return self.past_the_end(members as i64, position.span, name, *count, family.span);
            }
            Index::At(value) if value < 1 || value > *count as i64 => {
                return self.past_the_end(value, position.span, name, *count, family.span);
            }
            _ => {}
        }
        if let Members::Let(at) = family.of {
            return self.let_member(at, index, span);
        }
        let member = match index {
            Index::Loop { .. } => Member::Loop,
            Index::At(value) => Member::At(value as u32 - 1),
        };
        let leaf = match family.of {
            Members::Var(id) => Leaf::Var(id, member),
            Members::Data(id) => Leaf::Data(id, member),
            Members::Sample(id, part) => Leaf::Sample(id, part, member),
            Members::Dual(player, id) => Leaf::Dual(player, id, member),
            Members::Let(_) => unreachable!("handled above"),
        };
        if let Leaf::Data(id, member) = leaf
            && let Some(rows) = self.model.data[id.index()].rows.clone()
        {
            return self.uneven(id, member, &rows, span).map(Meaning::Expr);
        }
        let shape = self.model.leaf_shape(leaf);
        Some(Meaning::Expr(Expr { kind: ExprKind::Leaf(leaf), shape, span }))
    }

    /// A member of a family whose members differ in their rows.
    fn uneven(&mut self, id: crate::model::ir::DataId, member: Member, rows: &[usize], span: Span) -> Option<Expr> {
        let leaf = Leaf::Data(id, member);
        let whole = Expr { kind: ExprKind::Leaf(leaf), shape: self.model.leaf_shape(leaf), span };
        let Member::At(k) = member else {
            let (name, least, most) = (&self.model.data[id.index()].name, rows.iter().min(), rows.iter().max());
            let message =
                format!("the members of `{name}` have {} to {} rows", least.unwrap_or(&0), most.unwrap_or(&0));
            return self.fail(
                Diag::new(Code::NotYet, span, message)
                    .label(self.model.data[id.index()].span, "cut here")
                    .help("a sum over uneven members parses but is not executed yet; `draw` takes them, and a number of rows that divides evenly makes them even"),
            );
        };
        let mut ranges: Vec<Range> = whole.shape.0.iter().map(|&len| Range { start: 0, len, step: 1 }).collect();
        ranges[0].len = rows[k as usize];
        let shape = Shape(ranges.iter().map(|range| range.len).collect());
        Some(Expr { kind: ExprKind::Slice(Box::new(whole), ranges), shape, span })
    }

    /// A box of a tensor.
    fn slice(&mut self, base: Expr, at: &'a [IndexItem], span: Span, scope: &Scope) -> Option<Expr> {
        let shape = base.shape.clone();
        if at.len() != shape.rank() {
            let text = self.text(base.span);
            let wanted = match shape.rank() {
                0 => "no index".to_owned(),
                1 => "one index".to_owned(),
                n => format!("{n} indices, such as `[{}]`", vec![":"; n].join(", ")),
            };
            let mut diag = Diag::new(
                Code::WrongKind,
                span,
                format!("`{text}` is {}; it takes {wanted}, not {}", shape_words(&shape), at.len()),
            );
            diag = self.with_sources(diag, &[&base]);
            return self.fail(diag);
        }
        let mut ranges = Vec::new();
        let mut kept = Vec::new();
        for (axis, (item, &extent)) in at.iter().zip(&shape.0).enumerate() {
            let (first, last) = match item {
                IndexItem::All(_) => (1, extent as i64),
                IndexItem::At(position) => {
                    let value = self.whole(position, scope)?;
                    (value, value)
                }
                IndexItem::Range(first, last) => (self.whole(first, scope)?, self.whole(last, scope)?),
            };
            let at = match item {
                IndexItem::All(at) => *at,
                IndexItem::At(position) => position.span,
                IndexItem::Range(first, last) => first.span.to(last.span),
            };
            if first < 1 || last > extent as i64 || last < first {
                return self.outside(&base, axis, (first, last), at);
            }
            ranges.push(Range { start: first as usize - 1, len: (last - first + 1) as usize, step: 1 });
            if !matches!(item, IndexItem::At(_)) {
                kept.push((last - first + 1) as usize);
            }
        }
        if base.factored().is_some() {
            return self.piece(base, ranges, Shape(kept), span);
        }
        Some(Expr { kind: ExprKind::Slice(Box::new(base), ranges), shape: Shape(kept), span })
    }

    /// An index outside a tensor.
    fn outside<T>(&mut self, base: &Expr, axis: usize, (first, last): (i64, i64), at: Span) -> Option<T> {
        let extent = base.shape.0[axis] as i64;
        let text = self.text(base.span);
        let what = match (base.shape.rank(), axis) {
            (1, _) => "elements",
            (_, 0) => "rows",
            (2, 1) => "columns",
            _ => "positions along this axis",
        };
        let message = if last < first {
            format!("the range {first} to {last} is empty")
        } else if first < 1 {
            format!("the index {first} is before the first: indices count from 1")
        } else {
            format!("the index {last} is past the end: `{text}` has {extent} {what}")
        };
        let mut diag = Diag::new(Code::WrongKind, at, message);
        diag = self.with_sources(diag, &[base]);
        self.fail(diag)
    }

    fn past_the_end<T>(&mut self, value: i64, at: Span, name: &str, count: usize, declared: Span) -> Option<T> {
        self.fail(
            Diag::new(Code::WrongKind, at, format!("there is no `{name}[{value}]`: its index goes from 1 to {count}"))
                .label(declared, "declared here"),
        )
    }

    /// A whole number known when the file is compiled, of either sign.
    pub(super) fn whole(&mut self, ast: &'a ast::Expr, scope: &Scope) -> Option<i64> {
        let value = self.known_number(ast, scope)?;
        if value.fract() == 0.0 && value.abs() < 1e15 {
            return Some(value as i64);
        }
        let text = self.text(ast.span);
        self.fail(Diag::new(Code::WrongKind, ast.span, format!("`{text}` is {value}; an index is a whole number")))
    }

    pub(super) fn field(&mut self, base: &'a ast::Expr, name: &'a Ident, span: Span, scope: &Scope) -> Option<Meaning> {
        match self.meaning(base, scope)? {
            Meaning::Player(player) => {
                let of = Scope::of(player);
                let own = self.find(&name.key, &of).filter(|&at| self.declarations[at].player == Some(player));
                let Some(at) = own else {
                    let names: Vec<String> = self
                        .declarations
                        .iter()
                        .filter(|other| other.player == Some(player))
                        .map(|other| other.name.text.clone())
                        .collect();
                    let whose = self.whose(player);
                    let diag = Diag::new(Code::UnknownName, name.span, format!("{whose} has no `{}`", name.text));
                    let near = closest(&name.text, names.iter().map(String::as_str)).map(str::to_owned);
                    let help = format!("it has {}", listed(&names));
                    return self.fail(super::names::suggest(diag, name.span, near, &help));
                };
                Some(self.resolve(at)?.with_span(span))
            }
            Meaning::Layer { params, net, layer } => {
                let inner = format!("{layer}.{}", name.key);
                if self.model.nets[net.index()].entries.iter().any(|entry| is_inside(&entry.layer, &inner)) {
                    return Some(Meaning::Layer { params, net, layer: inner });
                }
                self.entry(params, net, &layer, name, span).map(Meaning::Expr)
            }
            Meaning::Expr(params) if self.params_of(&params).is_some() => {
                let net = self.params_of(&params)?;
                let layers = layer_names(&self.model.nets[net.index()]);
                if layers.contains(&name.key) {
                    return Some(Meaning::Layer { params, net, layer: name.key.clone() });
                }
                let text = self.text(base.span);
                let diag = Diag::new(Code::UnknownName, name.span, format!("`{text}` has no layer `{}`", name.text))
                    .label(self.model.nets[net.index()].span, "its network");
                let near = closest(&name.text, layers.iter().map(String::as_str)).map(str::to_owned);
                let help = format!("it has {}", listed(&layers));
                self.fail(super::names::suggest(diag, name.span, near, &help))
            }
            other => {
                let (text, words) = (self.text(base.span), other.words());
                self.fail(
                    Diag::new(Code::WrongKind, span, format!("`{text}` is {words}; it has no `{}`", name.text))
                        .help("a dot follows a player, or the parameters of a network"),
                )
            }
        }
    }

    /// `θ.layer1.weight`
    fn entry(&mut self, params: Expr, net: NetId, layer: &str, name: &Ident, span: Span) -> Option<Expr> {
        let entries = &self.model.nets[net.index()].entries;
        let Some(entry) = entries.iter().find(|entry| entry.layer == layer && entry.name == name.key) else {
            let piece = |entry: &Entry| {
                let inner = entry.layer.strip_prefix(layer).and_then(|rest| rest.strip_prefix('.'));
                let own = (entry.layer == layer).then(|| entry.name.clone());
                inner.and_then(|rest| rest.split('.').next()).map(str::to_owned).or(own)
            };
            let mut names: Vec<String> = entries.iter().filter_map(piece).collect();
            names.dedup();
            let diag = Diag::new(Code::UnknownName, name.span, format!("`{layer}` has no `{}`", name.text));
            let near = closest(&name.text, names.iter().map(String::as_str)).map(str::to_owned);
            let help = format!("it has {}", listed(&names));
            return self.fail(super::names::suggest(diag, name.span, near, &help));
        };
        let (offset, shape) = (entry.offset, entry.shape.clone());
        let piece = segment(params, offset, shape.numel(), span);
        Some(Expr { kind: ExprKind::Reshape(Box::new(piece)), shape, span })
    }

    /// All parameters of a layer, as a vector.
    pub(super) fn layer(&mut self, params: &Expr, net: NetId, layer: &str, span: Span) -> Expr {
        let entries = self.model.nets[net.index()].entries.iter().filter(|entry| is_inside(&entry.layer, layer));
        let (mut start, mut end) = (usize::MAX, 0);
        for entry in entries {
            start = start.min(entry.offset);
            end = end.max(entry.offset + entry.shape.numel());
        }
        segment(params.clone(), start.min(end), end - start.min(end), span)
    }

    /// The network whose parameters an expression holds, entry by entry.
    pub(super) fn params_of(&self, expr: &Expr) -> Option<NetId> {
        match &expr.kind {
            ExprKind::Leaf(Leaf::Var(id, _)) => match self.model.vars[id.index()].kind {
                crate::model::ir::VarKind::Params(net) => Some(net),
                _ => None,
            },
            ExprKind::Leaf(Leaf::Data(id, _)) => self.facts[id.index()].net,
            ExprKind::Leaf(Leaf::Dual(player, id, _)) => {
                let relation = &self.model.players[player.index()].constraints[id.index()].relation;
                self.params_of(relation.expr())
            }
            ExprKind::Apply(_, args) if args.iter().all(|arg| arg.shape.is_scalar() || arg.shape == expr.shape) => {
                args.iter().find_map(|arg| self.params_of(arg))
            }
            _ => None,
        }
    }

    /// Whether a name stands for a family whose members can be taken by a loop's index.
    pub(super) fn family_declaration(&self, base: &ast::Expr, scope: &Scope) -> Option<usize> {
        let at = match &base.bare().kind {
            ast::ExprKind::Name(name) if scope.index(&name.key).is_none() => self.find(&name.key, scope)?,
            ast::ExprKind::Field { base, name } => {
                let ast::ExprKind::Name(owner) = &base.bare().kind else { return None };
                let What::Player(player) = self.declarations[self.find(&owner.key, scope)?].what else { return None };
                self.find(&name.key, &Scope::of(player))?
            }
            _ => return None,
        };
        self.declarations[at].what.family().map(|_| at)
    }
}

fn segment(params: Expr, start: usize, len: usize, span: Span) -> Expr {
    let kind = ExprKind::Slice(Box::new(params), vec![Range { start, len, step: 1 }]);
    Expr { kind, shape: Shape::vector(len), span }
}

fn layer_names(net: &crate::model::ir::Net) -> Vec<String> {
    let first = |entry: &Entry| entry.layer.split('.').next().map(str::to_owned);
    let mut names: Vec<String> = net.entries.iter().filter_map(first).collect();
    names.dedup();
    names
}

/// Whether a layer is that one, or lies inside it.
fn is_inside(layer: &str, outer: &str) -> bool {
    layer.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Names in a sentence.
pub(super) fn listed(names: &[String]) -> String {
    const MOST: usize = 8;
    if names.is_empty() {
        return "none".to_owned();
    }
    let mut shown: Vec<String> = names.iter().take(MOST).map(|name| format!("`{name}`")).collect();
    if names.len() > MOST {
        shown.push(format!("{} more", names.len() - MOST));
    }
    shown.join(", ")
}
