//! The split that the compiler makes by itself: `minimize Q(v) + Σ φⱼ(Kⱼv + kⱼ)` becomes
//!
//! ```text
//! minimize  Q(v) + Σ φⱼ(zⱼ)        subject to  Kⱼv + kⱼ − zⱼ = 0
//! ```
//!
//! v keeps the quadratic terms and the equations, whose step is a linear system, and what else is smooth;
//! every atom — a function or set of the catalogue, a bound — gets a zⱼ. What it is of may be smooth in the
//! place of affine, a network's outputs say: `e(v) − zⱼ = 0`. Atoms of the same expression
//! share it. One atom stays with v where that leaves v's step a proximal map. A split that is written
//! stays as it is, unless a constraint or a term of it has no rule; then the whole problem is split anew,
//! and the equations go with v.

use super::atoms::{self, Atom, AtomShape, Piece, Place};
use super::ir::{Component, Coupling, PlayerSplit};
use super::scalar::Phi;
use super::{composite, coupling, is_exact, proximal, variables};
use crate::catalogue::Function;
use crate::diag::Diags;
use crate::model::Model;
use crate::model::ir::{
    Constraint, ConstraintId, DescentKind, Expr, ExprKind, Init, Leaf, Loop, Member, Method, PlayerId, Relation,
    SolveBody, Step, StepKind, Var, VarId, VarKind, Written,
};
use crate::source::Span;
use crate::tape::Shape;

/// The model with every player in a form that can be stepped, as far as the compiler can bring it there;
/// what it can't is left as written, for `steps` to refuse in words.
pub fn normalise(model: &Model) -> Model {
    let mut normal = model.clone();
    // What is wrong is only counted here, so no repair is looked for.
    let bare = Model { layout: None, ..model.clone() };
    for at in 0..model.players.len() {
        let player = PlayerId(at as u32);
        let mut trial = Diags::default();
        let equations = coupling::read(&bare, player, &mut trial);
        let written = super::player(&bare, player, equations, &mut trial);
        if trial.has_errors() || model.players[at].split.is_some() || is_stepped(model, &written) {
            continue;
        }
        rewrite(&mut normal, player);
    }
    normal
}

/// Whether every step of a split has a rule, and everything lies in one.
fn is_stepped(model: &Model, split: &PlayerSplit) -> bool {
    let this = &model.players[split.player.index()];
    let inner = Named::of(model);
    let named = !inner.0.is_empty();
    let has_rule = |component: &Component| {
        let terms = component.terms.iter();
        let smooth = component.constraints.is_empty()
            && split.is_split()
            && terms.map(|&at| (at, atoms::of_term(model, split.player, at))).all(|(at, piece)| match piece {
                Piece::Quadratic => true,
                Piece::Atom(_) => named || atoms::kink(model, split.player, &this.terms[at].expr).is_none(),
                Piece::Other { smooth, .. } => named || smooth,
            });
        smooth || is_closed_or_composite(model, split, component, &inner)
    };
    is_placed(model, split) && split.x.components.iter().chain(&split.z.components).all(has_rule)
}

/// The same, where no step may follow gradients across a kink and none reads a batch without a method that is
/// named: what a repair has to reach.
pub(super) fn is_executable(model: &Model, split: &PlayerSplit) -> bool {
    let this = &model.players[split.player.index()];
    let inner = Named::of(model);
    let has_rule = |component: &Component| {
        let named = inner.0.iter().any(|(is_x, _)| *is_x == split.x.components.contains(component));
        let is_smooth = |&at: &usize| {
            let expr = &this.terms[at].expr;
            atoms::kink(model, split.player, expr).is_none() && (named || !model.is_random(expr))
        };
        let smooth = component.constraints.is_empty() && component.terms.iter().all(is_smooth);
        smooth || is_closed_or_composite(model, split, component, &inner)
    };
    is_placed(model, split) && split.x.components.iter().chain(&split.z.components).all(has_rule)
}

/// Whether every constraint couples the blocks or lies within one.
fn is_placed(model: &Model, split: &PlayerSplit) -> bool {
    let this = &model.players[split.player.index()];
    let within = |id: ConstraintId| {
        let vars = variables(this.constraints[id.index()].relation.expr());
        [&split.x, &split.z].iter().any(|block| vars.iter().all(|var| block.vars.contains(var)))
    };
    let coupled = |id: ConstraintId| split.couplings.iter().any(|coupling| coupling.constraint == id);
    (0..this.constraints.len()).map(|at| ConstraintId(at as u32)).all(|id| coupled(id) || within(id))
}

/// Whether a step is in closed form, or what a named method keeps in one step, which is not taken apart.
fn is_closed_or_composite(model: &Model, split: &PlayerSplit, component: &Component, inner: &Named) -> bool {
    let is_x = split.x.components.contains(component);
    let composite = || split.is_split() && inner.is_proximal(is_x) && is_composite(model, split.player, component);
    is_exact(model, split.player, component, &split.couplings) || composite()
}

/// Whether a component is a smooth function and a proximal map, in some metric.
fn is_composite(model: &Model, player: PlayerId, component: &Component) -> bool {
    composite::parts(model, player, component, 1.0, &|n| Some(vec![0.0; n])).is_ok()
}

/// The inner methods that solve blocks name, each with whether it is that of block x: a step without a rule
/// of its own takes it.
#[derive(Default)]
struct Named(Vec<(bool, DescentKind)>);

impl Named {
    fn of(model: &Model) -> Named {
        let mut named = Named::default();
        for solve in &model.solves {
            match &solve.body {
                SolveBody::Method(method) => named.method(method),
                SolveBody::Game(steps) => named.steps(steps),
            }
        }
        named
    }

    fn method(&mut self, method: &Method) {
        let Method::Admm(admm) = method else { return };
        let inner = [(true, &admm.x_step), (false, &admm.z_step)];
        self.0.extend(inner.iter().filter_map(|(is_x, step)| Some((*is_x, step.as_ref()?.descent()?.kind))));
    }

    fn steps(&mut self, steps: &[Step]) {
        for step in steps {
            match &step.kind {
                StepKind::Epochs { body, .. } | StepKind::Times { body, .. } | StepKind::EachBatch { body } => {
                    self.steps(body);
                }
                StepKind::When { body, .. } => self.steps(std::slice::from_ref(body)),
                StepKind::Method { method, .. } => self.method(method),
                StepKind::Restart { .. } | StepKind::Track { .. } | StepKind::SaveImages { .. } => {}
            }
        }
    }

    /// Whether a block names a method whose steps may end in a proximal map, and no other.
    fn is_proximal(&self, is_x: bool) -> bool {
        let mut own = self.0.iter().filter(|(side, _)| *side == is_x).peekable();
        own.peek().is_some() && own.all(|(_, kind)| !matches!(kind, DescentKind::Lbfgs { .. } | DescentKind::Newton))
    }
}

/// An expression that gets a variable of its own, and the atoms on it.
struct Part {
    subject: Expr,
    over: Option<Loop>,
    atoms: Vec<Atom>,
}

impl Part {
    /// Whether the atom is on the same expression and its step joins theirs: a bound lies on top of bounds
    /// and of one separable convex function.
    fn takes(&self, atom: &Atom) -> bool {
        if self.over != atom.over || !self.subject.same(&atom.subject) {
            return false;
        }
        let (mut functions, mut bears_bounds) = (0, true);
        let mut bounds: Vec<(&[f64], &[f64])> = Vec::new();
        for atom in self.atoms.iter().chain([atom]) {
            match &atom.shape {
                AtomShape::Bounds { lower, upper } => bounds.push((lower, upper)),
                AtomShape::Function { phi, .. } => {
                    functions += 1;
                    bears_bounds &= phi.facts().convex && phi.facts().separable;
                }
            }
        }
        // Bounds that leave no room between them are no step: apart, a run proves it of their rows.
        let room = |at: usize| {
            let low = bounds.iter().fold(f64::NEG_INFINITY, |low, (lower, _)| low.max(lower[at]));
            bounds.iter().all(|(_, upper)| low <= upper[at])
        };
        functions <= 1 && (bounds.is_empty() || bears_bounds) && (0..self.subject.shape.numel()).all(room)
    }
}

/// Splits a player; leaves it alone where a piece is neither quadratic, nor an atom, nor smooth.
fn rewrite(model: &mut Model, player: PlayerId) {
    let Some((mut parts, kept)) = parts(model, player) else { return };
    if let Some(stays) = stays(model, player, &parts, &kept) {
        parts.remove(stays);
    }
    if parts.is_empty() {
        return;
    }
    let this = &model.players[player.index()];
    let written = Written { vars: this.vars.clone(), terms: this.terms.clone(), constraints: this.constraints.clone() };
    let x = this.vars.clone();
    let mut z = Vec::new();
    for part in &parts {
        let id = VarId(model.vars.len() as u32);
        let label = name_of(model, player, part);
        let name = format!("z.{label}");
        let span = part.subject.span;
        model.vars.push(Var {
            name: unique(model, name),
            span,
            player,
            shape: part.subject.shape.clone(),
            kind: VarKind::Real,
            family: part.over.map(|over| over.count),
            init: Init::Zeros,
            stream: id.0,
        });
        z.push(id);
        let member = if part.over.is_some() { Member::Loop } else { Member::None };
        let leaf = ExprKind::Leaf(Leaf::Var(id, member));
        let this = &mut model.players[player.index()];
        let copy = Expr { kind: leaf, shape: part.subject.shape.clone(), span };
        for atom in &part.atoms {
            match (atom.place, &atom.shape) {
                // Written anew: a spelling, or a composition, need not hold the subject.
                (Place::Term(at), AtomShape::Function { phi, args, weight }) => {
                    let expr = &mut this.terms[at].expr;
                    *expr = of_copy(phi, args, *weight, &copy, expr.span);
                }
                (Place::Term(_), AtomShape::Bounds { .. }) => {
                    unreachable!("a term is a function (atoms::of_term)")
                }
                (Place::Constraint(id), _) => match &mut this.constraints[id.index()].relation {
                    Relation::Zero(expr) | Relation::NonPositive(expr) | Relation::In { expr, .. } => {
                        replace(expr, &part.subject, &copy.kind);
                    }
                },
            }
        }
        let rows =
            Expr { kind: ExprKind::Apply(Function::Sub, vec![part.subject.clone(), copy]), ..part.subject.clone() };
        let relation = Relation::Zero(rows);
        this.constraints.push(Constraint { label: Some(label), relation, over: part.over, span, removal: None });
        this.vars.push(id);
    }
    let this = &mut model.players[player.index()];
    this.split = Some((x, z));
    this.written = Some(Box::new(written));
}

/// `w φ(z; arguments)`
fn of_copy(phi: &Phi, args: &[Expr], weight: f64, copy: &Expr, span: Span) -> Expr {
    let number = |kind: ExprKind| Expr { kind, shape: Shape::scalar(), span };
    // An elementwise atom stands for the sum over its elements.
    let mut value = match phi {
        Phi::Member(function) => {
            let mut args = args.to_vec();
            args[phi.facts().subject] = copy.clone();
            let shape = if function.is_elementwise() { copy.shape.clone() } else { Shape::scalar() };
            Expr { kind: ExprKind::Apply(*function, args), shape, span }
        }
        Phi::Scalar(scalar) => {
            let mut summand = scalar.summand.clone();
            replace(&mut summand, &scalar.subject, &copy.kind);
            if scalar.negated {
                let shape = summand.shape.clone();
                summand = Expr { kind: ExprKind::Apply(Function::Neg, vec![summand]), shape, span };
            }
            summand
        }
    };
    if !value.shape.is_scalar() {
        value = number(ExprKind::Apply(Function::Sum, vec![value]));
    }
    if weight == 1.0 {
        return value;
    }
    number(ExprKind::Apply(Function::Mul, vec![number(ExprKind::Number(weight)), value]))
}

/// What a part is called: by the first label on it, else by where the first of its atoms stands.
fn name_of(model: &Model, player: PlayerId, part: &Part) -> String {
    let this = &model.players[player.index()];
    let label = |atom: &Atom| match atom.place {
        Place::Term(at) => this.terms[at].label.clone(),
        Place::Constraint(id) => this.constraints[id.index()].label.clone(),
    };
    part.atoms.iter().find_map(label).unwrap_or_else(|| match part.atoms[0].place {
        Place::Term(at) => format!("term{}", at + 1),
        Place::Constraint(id) => this.constraints[id.index()].name(id),
    })
}

fn unique(model: &Model, mut name: String) -> String {
    while model.vars.iter().any(|var| var.name == name) {
        name.push('\'');
    }
    name
}

/// The parts, and what stays with v: positions of terms, and the equations. `None` where a piece has no
/// place.
fn parts(model: &Model, player: PlayerId) -> Option<(Vec<Part>, Kept)> {
    let this = &model.players[player.index()];
    let mut parts: Vec<Part> = Vec::new();
    let mut kept = Kept::default();
    let mut add = |atom: Atom| match parts.iter_mut().find(|part| part.takes(&atom)) {
        Some(part) => part.atoms.push(atom),
        None => parts.push(Part { subject: atom.subject.clone(), over: atom.over, atoms: vec![atom] }),
    };
    let terms: Vec<Piece> = (0..this.terms.len()).map(|at| atoms::of_term(model, player, at)).collect();
    let constraints = (0..this.constraints.len()).map(|at| ConstraintId(at as u32));
    let constraints: Vec<(ConstraintId, Piece)> =
        constraints.map(|id| (id, atoms::of_constraint(model, player, id))).collect();
    let is_curved = |piece: &Piece| matches!(piece, Piece::Atom(atom) if atom.affine.is_curved());
    kept.smooth = terms.iter().chain(constraints.iter().map(|(_, piece)| piece)).any(is_curved);
    for (at, piece) in terms.into_iter().enumerate() {
        match piece {
            Piece::Quadratic => kept.terms.push(at),
            // A coupling has one right side for all members.
            Piece::Atom(atom) if atom.differs => return None,
            Piece::Atom(atom) => add(*atom),
            Piece::Other { smooth: true, .. } => {
                kept.terms.push(at);
                kept.smooth = true;
            }
            Piece::Other { .. } => return None,
        }
    }
    for (id, piece) in constraints {
        // A linear system takes equations along; a descent doesn't.
        if matches!(this.constraints[id.index()].relation, Relation::Zero(_)) && !kept.smooth {
            kept.constraints.push(id);
            continue;
        }
        match piece {
            Piece::Atom(atom) => add(*atom),
            Piece::Quadratic | Piece::Other { .. } => return None,
        }
    }
    Some((parts, kept))
}

/// What stays with v.
#[derive(Default)]
struct Kept {
    terms: Vec<usize>,
    constraints: Vec<ConstraintId>,
    smooth: bool,
}

/// The part whose atoms can stay with v, so that v's step is a proximal map and no system is solved.
fn stays(model: &Model, player: PlayerId, parts: &[Part], kept: &Kept) -> Option<usize> {
    if kept.smooth || !kept.constraints.is_empty() {
        return None;
    }
    let vars = model.players[player.index()].vars.clone();
    let couplings: Vec<Coupling> = parts
        .iter()
        .map(|part| Coupling {
            constraint: ConstraintId(0),
            name: String::new(),
            span: part.subject.span,
            over: part.over.map(|over| over.count),
            shape: part.subject.shape.clone(),
            parts: part.atoms[0].affine.parts.clone(),
            offset: part.atoms[0].affine.offset.clone(),
            weights: None,
        })
        .collect();
    (0..parts.len()).find(|&at| {
        let mut component =
            Component { vars: vars.clone(), terms: kept.terms.clone(), constraints: Vec::new(), over: None };
        for atom in &parts[at].atoms {
            match atom.place {
                Place::Term(at) => component.terms.push(at),
                Place::Constraint(id) => component.constraints.push(id),
            }
        }
        let others: Vec<Coupling> =
            couplings.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, c)| c.clone()).collect();
        proximal::form(model, player, &component, &others).is_ok()
    })
}

/// Puts `leaf` in the place of `part`, wherever that stands.
fn replace(expr: &mut Expr, part: &Expr, leaf: &ExprKind) {
    if expr.same(part) {
        expr.kind = leaf.clone();
        return;
    }
    expr.children_mut().into_iter().for_each(|child| replace(child, part, leaf));
}
