//! What the terms and constraints of a problem are made of: quadratics, *atoms* — a member of the
//! catalogue with a proximal step, of an affine expression or, where nothing else has a step, of a smooth one —
//! and the rest.
//!
//! ```text
//! w φ(K v + k; arguments)        w ≥ 0;   for a set, φ is its indicator
//! ```
//!
//! Common [`spellings`](super::spellings) are taken for what they mean, and `norm2(e) <= r` for
//! `e in ball2(r)`.

use super::affine::{self, Affine, Lowered, NotAffine};
use super::curved;
use super::forms::Form;
use super::scalar::Phi;
use super::spellings::{recognised, weighted};
use crate::catalogue::{Function, Proximal};
use crate::model::fold::{fold, is_constant};
use crate::model::ir::{ConstraintId, Expr, ExprKind, Loop, Model, PlayerId, Relation};
use crate::tape::Shape;

/// Where an atom stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A term of the objective, by position.
    Term(usize),
    /// A constraint.
    Constraint(ConstraintId),
}

/// An atom.
#[derive(Debug, Clone, PartialEq)]
pub struct Atom {
    /// Where it stands.
    pub place: Place,
    /// What it is.
    pub shape: AtomShape,
    /// `e = K v + k`, or what is smooth ([`curved`]), as an expression.
    pub subject: Expr,
    /// The same, read.
    pub affine: Affine,
    /// The family it is repeated over.
    pub over: Option<Loop>,
    /// Whether `k` differs from member to member; `affine` has that of the first.
    pub differs: bool,
}

impl Atom {
    /// Whether it is a function with no value at some points.
    pub fn ends(&self) -> bool {
        matches!(&self.shape, AtomShape::Function { phi, .. } if phi.facts().domain)
    }
}

/// What an atom says of its subject.
#[derive(Debug, Clone, PartialEq)]
pub enum AtomShape {
    /// `weight · φ(subject)`, or membership in a set (weight 1).
    Function {
        /// φ
        phi: Phi,
        /// All arguments; the subject's place holds the subject.
        args: Vec<Expr>,
        /// `w`
        weight: f64,
    },
    /// `lower ≤ subject ≤ upper`, a number for every element.
    Bounds {
        /// Least.
        lower: Vec<f64>,
        /// Greatest.
        upper: Vec<f64>,
    },
}

/// What a term or constraint is.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// At most quadratic in the variables.
    Quadratic,
    /// An atom.
    Atom(Box<Atom>),
    /// Anything else: why it is no atom, and whether it has a gradient everywhere.
    Other {
        /// A sentence's end: "`fit` holds tanh".
        why: String,
        /// Whether it is smooth.
        smooth: bool,
    },
}

/// What a term of the objective is.
pub fn of_term(model: &Model, player: PlayerId, at: usize) -> Piece {
    let term = &model.players[player.index()].terms[at];
    let name = term.quoted();
    let other = |why: String| Piece::Other { why, smooth: kink(model, player, &term.expr).is_none() };
    let lowered = Lowered::new(model, &term.expr);
    if lowered.is_quadratic(model, player) {
        return Piece::Quadratic;
    }
    let stopped = match lowered.form(model, player, None) {
        Form::Constant(_) | Form::Affine(_) | Form::Quadratic(_) => return Piece::Quadratic,
        Form::Root(_) => "a norm".to_string(),
        Form::Other(stopped) if stopped.op == "input" => {
            // Members with data of their own share a step where all that differs is an argument or `k`.
            let differs = term.over.is_some() && lowered.differs();
            let bent = || matches!(lowered.form(model, player, Some(0)), Form::Other(_) | Form::Root(_));
            let atom = if differs && bent() { applied(model, player, at, "").ok() } else { None };
            return match atom {
                Some(atom) => Piece::Atom(Box::new(atom)),
                None => other(format!("{name} reads what changes from call to call")),
            };
        }
        Form::Other(stopped) => stopped.op,
    };
    match applied(model, player, at, &stopped) {
        Ok(atom) => Piece::Atom(Box::new(atom)),
        Err(why) => other(why),
    }
}

/// The atom that a term is, which is no quadratic because of what `stopped` says, or why it is none.
fn applied(model: &Model, player: PlayerId, at: usize, stopped: &str) -> Result<Atom, String> {
    let term = &model.players[player.index()].terms[at];
    let name = term.quoted();
    let (weight, inner) = weighted(model, &term.expr);
    let (weight, phi, args) = recognised(model, weight, inner).ok_or_else(|| format!("{name} holds {stopped}"))?;
    let facts = phi.facts();
    if weight < 0.0 {
        return Err(format!("{name} counts {} negatively, which has no proximal step", phi.name()));
    }
    if args.iter().enumerate().any(|(k, arg)| k != facts.subject && !is_constant(arg)) {
        return Err(format!("{name} has variables in two arguments of {}", phi.name()));
    }
    let subject = args[facts.subject].clone();
    let read = match affine::read_members(model, player, &subject, term.over) {
        // What is smooth as a whole is better left so.
        Err(_) if kink(model, player, &term.expr).is_some() => {
            curved::read(model, player, &subject).map(|affine| (affine, false))
        }
        read => read,
    };
    match read {
        Ok((affine, differs)) => {
            let shape = AtomShape::Function { phi, args, weight };
            Ok(Atom { place: Place::Term(at), shape, subject, affine, over: term.over, differs })
        }
        Err(_) => Err(format!("{name} applies {} to something that is not affine", phi.name())),
    }
}

/// What a constraint is as an indicator.
pub fn of_constraint(model: &Model, player: PlayerId, id: ConstraintId) -> Piece {
    let constraint = &model.players[player.index()].constraints[id.index()];
    let other = |why: String| Piece::Other { why, smooth: false };
    let atom = |shape: AtomShape, subject: &Expr| {
        match curved::read(model, player, subject) {
        Ok(affine) => Piece::Atom(Box::new(Atom {
            place: Place::Constraint(id),
            shape,
            subject: subject.clone(),
            affine,
            over: constraint.over,
            differs: false,
        })),
        Err(NotAffine::Constant) => other("its left side holds no variable".to_string()),
        Err(NotAffine::Changes(_)) => other(
            "its left side changes from call to call: a batch that is drawn anew, a family, or what is another player's"
                .to_string(),
        ),
        Err(NotAffine::Nonlinear(_)) => other(match kink(model, player, subject) {
            Some(kink) => format!("its left side holds `{kink}`, which is neither affine nor smooth"),
            None => "its left side is not affine in the variables".to_string(),
        }),
    }
    };
    match &constraint.relation {
        Relation::Zero(expr) => {
            let zeros = vec![0.0; expr.shape.numel()];
            atom(AtomShape::Bounds { lower: zeros.clone(), upper: zeros }, expr)
        }
        Relation::In { expr, set, args } => {
            let all = std::iter::once(expr.clone()).chain(args.iter().cloned()).collect();
            atom(AtomShape::Function { phi: Phi::Member(*set), args: all, weight: 1.0 }, expr)
        }
        Relation::NonPositive(expr) => {
            let (lower, upper, subject) = bounds(model, expr);
            match level_set(model, &lower, &upper, subject) {
                Some((shape, subject)) => atom(shape, &subject),
                None => atom(AtomShape::Bounds { lower, upper }, subject),
            }
        }
    }
}

/// `expr ≤ 0` as bounds on the part of it that holds variables: `A x − b ≤ 0` is `A x ≤ b`.
fn bounds<'e>(model: &Model, expr: &'e Expr) -> (Vec<f64>, Vec<f64>, &'e Expr) {
    let n = expr.shape.numel();
    let spread = |side: &Expr| {
        let all = fold(model, side)?.to_f64();
        Some(if all.len() == n { all.into_vec() } else { vec![all[0]; n] })
    };
    if let ExprKind::Apply(Function::Sub, sides) = &expr.kind {
        let [left, right] = &sides[..] else { unreachable!("a difference has two sides (catalogue::operators)") };
        let alike = |whole: &Expr, bound: &Expr| {
            bound.shape == whole.shape || bound.shape.is_scalar() && whole.shape == expr.shape
        };
        if alike(left, right)
            && let Some(upper) = spread(right).filter(|_| !is_constant(left))
        {
            return (vec![f64::NEG_INFINITY; n], upper, left);
        }
        if alike(right, left)
            && let Some(lower) = spread(left).filter(|_| !is_constant(right))
        {
            return (lower, vec![f64::INFINITY; n], right);
        }
    }
    if let ExprKind::Apply(Function::Neg, inner) = &expr.kind {
        return (vec![0.0; n], vec![f64::INFINITY; n], &inner[0]);
    }
    (vec![f64::NEG_INFINITY; n], vec![0.0; n], expr)
}

/// `φ(e) ≤ r` as membership of `e` in a set of the catalogue, `|e| ≤ u` as bounds.
fn level_set(model: &Model, lower: &[f64], upper: &[f64], subject: &Expr) -> Option<(AtomShape, Expr)> {
    if lower.iter().any(|&l| l.is_finite()) {
        return None;
    }
    let (weight, inner) = weighted(model, subject);
    let ExprKind::Apply(function, args) = &inner.kind else { return None };
    if weight <= 0.0 {
        return None;
    }
    let radius: Vec<f64> = upper.iter().map(|u| u / weight).collect();
    if radius.iter().any(|&r| r < 0.0) {
        return None;
    }
    if *function == Function::Abs {
        let lower = radius.iter().map(|r| -r).collect();
        return Some((AtomShape::Bounds { lower, upper: radius }, args[0].clone()));
    }
    let (function, radius) = function.ball(radius[0])?;
    let radius = Expr { kind: ExprKind::Number(radius), shape: Shape::scalar(), span: subject.span };
    let args = vec![args[0].clone(), radius];
    let element = args[0].clone();
    Some((AtomShape::Function { phi: Phi::Member(function), args, weight: 1.0 }, element))
}

/// Whether a term is known to be convex: a semidefinite quadratic, or a convex function of the catalogue of
/// something affine, or what is composed of such by the rules of [`bend`](super::bend). In a family, for every
/// member.
pub fn is_convex(model: &Model, player: PlayerId, at: usize) -> bool {
    let term = &model.players[player.index()].terms[at];
    if super::bend::is_convex(model, player, &term.expr) {
        return true;
    }
    let whole = Lowered::new(model, &term.expr);
    let applied = recognised_of(model, &term.expr).map(|(args, facts)| Lowered::new(model, &args[facts.subject]));
    let own = |member: Option<usize>| match whole.form(model, player, member) {
        Form::Constant(_) | Form::Affine(_) | Form::Root(_) => true,
        Form::Quadratic(_) => {
            let vars = super::variables(&term.expr);
            let hessian = whole.hessian(model, player, member, &vars, "");
            hessian.is_ok_and(|hessian| hessian.curvature().is_semidefinite())
        }
        Form::Other(_) => applied
            .as_ref()
            .is_some_and(|subject| matches!(subject.form(model, player, member), Form::Constant(_) | Form::Affine(_))),
    };
    match term.over.filter(|_| whole.differs()) {
        Some(over) => (0..over.count).all(|member| own(Some(member))),
        None => own(None),
    }
}

/// The convex function of the catalogue that an expression is, counted positively: all its arguments, those
/// besides the subject constant.
fn recognised_of(model: &Model, expr: &Expr) -> Option<(Vec<Expr>, Proximal)> {
    let (weight, inner) = weighted(model, expr);
    let (weight, phi, args) = recognised(model, weight, inner)?;
    let facts = phi.facts();
    let fixed = args.iter().enumerate().all(|(k, arg)| k == facts.subject || is_constant(arg));
    (weight >= 0.0 && facts.convex && fixed).then_some((args, facts))
}

/// The first function with a kink that is applied to something with variables of the player; the
/// activations of networks are exempt.
pub fn kink(model: &Model, player: PlayerId, expr: &Expr) -> Option<&'static str> {
    let own = |expr: &Expr| super::variables(expr).iter().any(|var| model.vars[var.index()].player == player);
    match &expr.kind {
        ExprKind::Apply(function, args) if function.is_kinked() && args.iter().any(own) => Some(function.name()),
        _ => expr.children().into_iter().find_map(|child| kink(model, player, child)),
    }
}
