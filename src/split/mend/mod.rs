//! Repairs of a split: what is written into the file, and the problem as it will be then, which is split anew to
//! see that it holds. Only what holds is offered.
//!
//! ```text
//! a copy    var xc like x,  copy: xc − x = 0          a term or an equation reads xc in the place of x
//! a part    var s,          part: e − s = 0           a function or set reads s in the place of e
//! a side    split x, xc | z
//! ```
//!
//! `coupled` is the repair of E0401, `third` of E0403, [`behind`] of E0505 and E0601. A model without its
//! [`Layout`] gets none, which is also what ends the trial of a trial.

mod behind;
mod coupled;
mod third;

pub use behind::behind;
pub(super) use coupled::coupled;
pub(super) use third::third;

use std::sync::Arc;

use super::{automatic, coupling, ir::PlayerSplit};
use crate::catalogue::Function;
use crate::diag::{Diags, Fix, Severity};
use crate::model::ir::{Constraint, Expr, ExprKind, Leaf, Loop, Member, PlayerId, Relation, Term, Var, VarId, VarKind};
use crate::model::{Edit, Layout, Model, builtins, is_name_part};
use crate::source::Span;

/// A repair as it grows: edits of the text, and the same changes of the model.
#[derive(Clone)]
struct Draft {
    layout: Arc<Layout>,
    player: PlayerId,
    model: Model,
    edits: Vec<Edit>,
    constraints: Vec<String>,
    /// Names that join the sides of a split.
    sides: [Vec<String>; 2],
    /// Originals and what is written for them.
    copies: Vec<(VarId, VarId)>,
    taken: Vec<String>,
    /// Errors that the problem has without it.
    faults: usize,
}

impl Draft {
    /// None where a repair could break what else is stated: an update that a claim derives from the problem as
    /// it is.
    fn new(model: &Model, player: PlayerId) -> Option<Draft> {
        let layout = model.layout.clone()?;
        let this = &model.players[player.index()];
        if !this.claims.is_empty() || this.written.is_some() {
            return None;
        }
        let model = Model { layout: None, ..model.clone() };
        let faults = outcome(&model, player).2;
        let (edits, constraints, taken) = (Vec::new(), Vec::new(), Vec::new());
        let sides = [Vec::new(), Vec::new()];
        Some(Draft { layout, player, model, edits, constraints, sides, copies: Vec::new(), taken, faults })
    }

    /// A name that stands nowhere yet: `wanted`, `wanted2`, …
    fn name(&mut self, wanted: &str) -> String {
        let is_free = |name: &String| {
            !self.layout.holds(name)
                && !self.taken.contains(name)
                && Function::named(name).next().is_none()
                && builtins().all(|(signature, _)| signature.name() != name)
        };
        let names = (1..).map(|at| if at == 1 { wanted.to_string() } else { format!("{wanted}{at}") });
        let name = names.into_iter().find(is_free).expect("a file has finitely many names");
        self.taken.push(name.clone());
        name
    }

    /// The copy of a variable, declared like it and tied to it.
    fn copy(&mut self, var: VarId) -> Option<VarId> {
        if let Some(&(_, copy)) = self.copies.iter().find(|(of, _)| *of == var) {
            return Some(copy);
        }
        let like = self.model.vars[var.index()].clone();
        let name = self.name(&format!("{}c", like.name));
        self.edits.push(self.layout.declare_like(var, &name)?);
        let member = if like.family.is_some() { Member::Loop } else { Member::None };
        let of = Expr { kind: ExprKind::Leaf(Leaf::Var(var, member)), shape: like.shape.clone(), span: like.span };
        let label = self.name("copy");
        self.constraints.push(match self.layout.index(var) {
            Some((index, binder)) => format!("{label}[{binder}]: {name}[{index}] - {}[{index}] = 0", like.name),
            None => format!("{label}: {name} - {} = 0", like.name),
        });
        let copy = self.tie(Var { name, ..like }, label, of);
        self.copies.push((var, copy));
        Some(copy)
    }

    /// A variable for an expression: a copy where that is a variable itself.
    fn part(&mut self, subject: &Expr) -> Option<VarId> {
        if let ExprKind::Leaf(Leaf::Var(var, _)) = subject.kind {
            return self.copy(var);
        }
        let text = self.layout.text(subject.span).to_string();
        if text.is_empty() || text.contains(['\n', '#']) {
            return None;
        }
        let name = self.name("s");
        self.edits.push(self.layout.declare(self.player, &name, &subject.shape)?);
        let label = self.name("part");
        self.constraints.push(format!("{label}: {text} - {name} = 0"));
        let like = self.model.vars[self.model.players[self.player.index()].vars.first()?.index()].clone();
        let span = like.span;
        let var = Var { name, shape: subject.shape.clone(), kind: VarKind::Real, family: None, ..like };
        // What is read there stays, when the part is written elsewhere.
        Some(self.tie(var, label, Expr { span, ..subject.clone() }))
    }

    /// Adds a variable to the model, and that it equals `of`.
    fn tie(&mut self, var: Var, label: String, of: Expr) -> VarId {
        let id = VarId(self.model.vars.len() as u32);
        let (span, over) = (var.span, var.family.map(|count| Loop { count }));
        let member = if over.is_some() { Member::Loop } else { Member::None };
        let own = Expr { kind: ExprKind::Leaf(Leaf::Var(id, member)), shape: var.shape.clone(), span };
        let rows = Expr { shape: var.shape.clone(), span, kind: ExprKind::Apply(Function::Sub, vec![own, of]) };
        self.model.vars.push(var);
        let this = &mut self.model.players[self.player.index()];
        this.vars.push(id);
        this.constraints.push(Constraint {
            label: Some(label),
            relation: Relation::Zero(rows),
            over,
            span,
            removal: None,
        });
        id
    }

    /// Puts a new variable on a side of the split that is written, if one is.
    fn side(&mut self, var: VarId, side: usize) {
        if let Some((x, z)) = &mut self.model.players[self.player.index()].split {
            [x, z][side].push(var);
            self.sides[side].push(self.model.vars[var.index()].name.clone());
        }
    }

    /// States a split where none is written.
    fn state(&mut self, x: Vec<VarId>, z: Vec<VarId>) {
        let name = |var: &VarId| self.model.vars[var.index()].name.clone();
        self.sides = [x.iter().map(name).collect(), z.iter().map(name).collect()];
        self.model.players[self.player.index()].split = Some((x, z));
    }

    /// Writes `by` wherever `var` stands in a term or constraint.
    fn write(&mut self, place: Span, var: VarId, by: VarId) -> Option<()> {
        let is = |expr: &Expr| matches!(expr.kind, ExprKind::Leaf(Leaf::Var(own, _)) if own == var);
        let known = self.model.vars[var.index()].name.clone();
        self.replace(place, &is, by, |layout, expr| word(layout.text(expr.span), expr, &known))
    }

    /// Writes `by` wherever an expression stands in a term or constraint.
    fn write_part(&mut self, place: Span, subject: &Expr, by: VarId) -> Option<()> {
        if let ExprKind::Leaf(Leaf::Var(var, _)) = subject.kind {
            return self.write(place, var, by);
        }
        self.replace(place, &|expr: &Expr| expr.same(subject), by, |layout, expr| {
            Some((0, layout.text(expr.span).len()))
        })
    }

    /// Writes `by` where an expression of a term or constraint `is` it. `at` says which bytes of its text. None
    /// where it stands elsewhere, in a `let` say.
    fn replace(
        &mut self,
        place: Span,
        is: &impl Fn(&Expr) -> bool,
        by: VarId,
        at: impl Fn(&Layout, &Expr) -> Option<(usize, usize)>,
    ) -> Option<()> {
        let mut found: Vec<Expr> = Vec::new();
        self.each(&mut |span, expr| {
            if span == place {
                all(expr, is, &mut found);
            }
        });
        let name = self.model.vars[by.index()].name.clone();
        let within = |span: Span| span.file == place.file && span.start >= place.start && span.end <= place.end;
        if found.is_empty() || !found.iter().all(|expr| within(expr.span)) {
            return None;
        }
        for expr in &found {
            let (from, to) = at(&self.layout, expr)?;
            let start = expr.span.start as usize;
            let edit = (Span::new(place.file, start + from, start + to), name.clone());
            if !self.edits.contains(&edit) {
                self.edits.push(edit);
            }
        }
        // What is written at one place may be read at many.
        let spans: Vec<Span> = found.iter().map(|expr| expr.span).collect();
        self.each(&mut |_, expr| put(expr, &spans, is, by));
        Some(())
    }

    /// Every term and constraint, with its place.
    fn each(&mut self, visit: &mut impl FnMut(Span, &mut Expr)) {
        let this = &mut self.model.players[self.player.index()];
        for Term { span, expr, .. } in &mut this.terms {
            visit(*span, expr);
        }
        for Constraint { span, relation, .. } in &mut this.constraints {
            match relation {
                Relation::Zero(expr) | Relation::NonPositive(expr) | Relation::In { expr, .. } => visit(*span, expr),
            }
        }
    }

    /// Whether it mends what it is for: fewer errors, and where none is left a rule for every step.
    fn holds(&self) -> bool {
        let (model, split, faults) = outcome(&self.model, self.player);
        match faults {
            0 => automatic::is_executable(&model, &split),
            faults => faults < self.faults,
        }
    }

    /// The repair, where it holds and can be written.
    fn fix(mut self, title: impl Into<String>) -> Option<Fix> {
        if !self.holds() {
            return None;
        }
        if !self.constraints.is_empty() {
            self.edits.push(self.layout.constrain(self.player, &self.constraints)?);
        }
        if self.sides.iter().any(|side| !side.is_empty()) {
            self.edits.extend(self.layout.split(self.player, &self.sides)?);
        }
        let mut edits: Vec<Edit> = Vec::new();
        for (span, text) in self.edits {
            match edits.iter_mut().find(|(other, _)| span.is_empty() && *other == span) {
                Some((_, before)) => before.push_str(&text),
                None => edits.push((span, text)),
            }
        }
        let file = edits.first()?.0.file;
        let one_file = edits.iter().all(|(span, _)| span.file == file);
        one_file.then(|| Fix { title: title.into(), edits })
    }
}

/// A player's problem in the form that is stepped, its split, and how many errors there are.
fn outcome(model: &Model, player: PlayerId) -> (Model, PlayerSplit, usize) {
    let normal = automatic::normalise(model);
    let mut diags = Diags::default();
    let equations = coupling::read(&normal, player, &mut diags);
    let split = super::player(&normal, player, equations, &mut diags);
    let faults = diags.iter().filter(|diag| diag.severity == Severity::Error).count();
    (normal, split, faults)
}

/// The outermost expressions inside that are looked for.
fn all(expr: &Expr, is: &impl Fn(&Expr) -> bool, found: &mut Vec<Expr>) {
    if is(expr) {
        return found.push(expr.clone());
    }
    expr.children().into_iter().for_each(|child| all(child, is, found));
}

/// Puts the variable `by` there.
fn put(expr: &mut Expr, spans: &[Span], is: &impl Fn(&Expr) -> bool, by: VarId) {
    if spans.contains(&expr.span) && is(expr) {
        let member = match expr.kind {
            ExprKind::Leaf(Leaf::Var(_, member)) => member,
            _ => Member::None,
        };
        expr.kind = ExprKind::Leaf(Leaf::Var(by, member));
        return;
    }
    expr.children_mut().into_iter().for_each(|child| put(child, spans, is, by));
}

/// The name in the text of a variable, which may have parentheses around it and an index behind.
fn word(text: &str, expr: &Expr, name: &str) -> Option<(usize, usize)> {
    let start = text.len() - text.trim_start_matches(|c: char| c == '(' || c.is_whitespace()).len();
    let rest = &text[start..];
    let len = rest.find(|c| !is_name_part(c)).unwrap_or(rest.len());
    let (word, behind) = rest.split_at(len);
    let ends = behind.chars().all(|c| c == ')' || c.is_whitespace());
    let is_member = matches!(expr.kind, ExprKind::Leaf(Leaf::Var(_, member)) if member != Member::None);
    let is_it = crate::model::is_same_name(word, name);
    (len > 0 && (ends && !is_member || is_it && is_member && behind.starts_with('['))).then_some((start, start + len))
}
