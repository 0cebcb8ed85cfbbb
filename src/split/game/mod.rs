//! A game written as one objective: E0510. Two ways in which an objective is one for sure:
//!
//! ```text
//! f(D(x; θ)) + g(D(G(u; φ); θ))     f and g with slopes of opposite signs, θ and φ free, u noise
//! a h − b h                         a, b > 0, where two variables meet inside h
//! ```
//!
//! In the first D is asked to tell what G makes from something else, and φ, minimised along with θ, to help it.
//! In the second one half undoes the other. A player's problem as written has neither: what belongs to the other
//! is constant there. Where G reads data and no noise, a classifier of what an encoder makes could be
//! meant: a warning. Derivatives are those of [`slope`]; what it can't tell the sign of says nothing, so a
//! loss with labels inside, `y.*log(…)`, never does.

mod message;
mod slope;

use super::ir::Coupling;
use super::unbounded::tied;
use super::{spellings, variables};
use crate::catalogue::Function;
use crate::diag::Diags;
use crate::model::Model;
use crate::model::ir::{Expr, ExprKind, Leaf, NetId, PlayerId, SampleSource, VarId};
use slope::{Slope, slope};

/// Calls of networks in one objective that are held against each other.
const CALLS: usize = 64;

/// Variables that copies tie, by the first of them.
struct Groups(Vec<Vec<VarId>>);

impl Groups {
    fn first(&self, var: VarId) -> VarId {
        self.0.iter().find(|group| group.contains(&var)).map_or(var, |group| group[0])
    }

    /// An expression with every copy written as the first of its group.
    fn canonical(&self, expr: &Expr) -> Expr {
        let mut expr = expr.clone();
        self.rename(&mut expr);
        expr
    }

    fn rename(&self, expr: &mut Expr) {
        if let ExprKind::Leaf(Leaf::Var(var, _)) = &mut expr.kind {
            *var = self.first(*var);
        }
        expr.children_mut().into_iter().for_each(|child| self.rename(child));
    }
}

/// `D(x; θ)` in a term that has a sign of slope in it.
#[derive(Debug, Clone, PartialEq)]
struct Call {
    /// Position of the term.
    term: usize,
    net: NetId,
    expr: Expr,
    /// The first of the copies of θ.
    params: VarId,
    slope: Slope,
    /// φ and what G reads, where x is what a network with free parameters makes.
    made: Option<Made>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Made {
    params: VarId,
    net: NetId,
    /// Nothing but noise, so that no data are told apart.
    of_noise: bool,
}

/// What gives a game away.
struct Contest {
    /// The call of what is made, and one with the other sign.
    made: Call,
    other: Call,
}

/// Reports a player whose objective is that of two; whether it did.
pub(super) fn check(model: &Model, player: PlayerId, equations: &[Coupling], diags: &mut Diags) -> bool {
    let groups = Groups(tied(model, player, equations));
    let found = if model.nets.is_empty() { None } else { contest(model, player, &groups) };
    let diag = match &found {
        Some(contest) => Some(message::of_contest(model, player, &groups, contest)),
        None => undone(model, player, &groups).map(|terms| message::of_undone(model, player, terms)),
    };
    let is_found = diag.is_some();
    diag.into_iter().for_each(|diag| diags.push(diag));
    is_found
}

/// Two calls of one network with opposite slopes, one of them of what another network makes.
fn contest(model: &Model, player: PlayerId, groups: &Groups) -> Option<Contest> {
    let terms = &model.players[player.index()].terms;
    let mut calls = Vec::new();
    for (at, term) in terms.iter().enumerate() {
        let expr = groups.canonical(&term.expr);
        collect(model, player, at, &expr, &expr, &mut calls);
    }
    let mut made: Vec<&Call> = calls.iter().filter(|call| call.made.is_some()).collect();
    // Noise first: that is certain.
    made.sort_by_key(|call| call.made.is_some_and(|made| !made.of_noise));
    made.into_iter().find_map(|made| {
        let opposes = |other: &&Call| {
            let same = (other.net, other.params) == (made.net, made.params) && other.slope.opposes(made.slope);
            // What the encoder makes of other data is no adversary of it.
            same && (other.made.is_none() || other.expr.same(&made.expr))
        };
        // The same samples with the other sign are another player's; else the data.
        let others = calls.iter().filter(|other| opposes(other));
        let other = others.max_by_key(|other| (other.made.is_some(), usize::MAX - other.term))?;
        Some(Contest { made: made.clone(), other: other.clone() })
    })
}

/// The calls of networks with free parameters in a term.
fn collect(model: &Model, player: PlayerId, at: usize, term: &Expr, expr: &Expr, calls: &mut Vec<Call>) {
    if let ExprKind::Net { net, input, params, .. } = &expr.kind
        && let [var] = variables(params)[..]
        && model.vars[var.index()].player == player
        && calls.len() < CALLS
        && calls.iter().all(|call: &Call| call.term != at || !call.expr.same(expr))
        && let Some(slope) = slope(model, term, expr)
    {
        let made = maker(model, player, var, input);
        calls.push(Call { term: at, net: *net, expr: expr.clone(), params: var, slope, made });
    }
    expr.children().into_iter().for_each(|child| collect(model, player, at, term, child, calls));
}

/// The network with other free parameters that an input is made by.
fn maker(model: &Model, player: PlayerId, other: VarId, input: &Expr) -> Option<Made> {
    if let ExprKind::Net { net, input, params, .. } = &input.kind
        && let [var] = variables(params)[..]
        && var != other
        && model.vars[var.index()].player == player
    {
        return Some(Made { params: var, net: *net, of_noise: is_noise(model, input) });
    }
    input.children().into_iter().find_map(|child| maker(model, player, other, child))
}

/// Whether an expression reads samples of a distribution, and no data.
fn is_noise(model: &Model, expr: &Expr) -> bool {
    let (mut noise, mut other) = (false, false);
    expr.leaves(&mut |leaf| match leaf {
        Leaf::Sample(sample, ..) if !matches!(model.samples[sample.index()].source, SampleSource::Rows(_)) => {
            noise = true;
        }
        _ => other = true,
    });
    noise && !other
}

/// Two terms of which one is the negative of the other, but for a factor, and in which variables meet.
fn undone(model: &Model, player: PlayerId, groups: &Groups) -> Option<[usize; 2]> {
    let terms = &model.players[player.index()].terms;
    let candidates = (0..terms.len()).filter(|&at| meets(&terms[at].expr)).take(CALLS);
    let read: Vec<(usize, f64, Expr)> = candidates
        .map(|at| (at, spellings::weighted(model, &terms[at].expr)))
        .map(|(at, (weight, inner))| (at, weight, groups.canonical(inner)))
        .collect();
    let opposite = |a: &(usize, f64, Expr), b: &&(usize, f64, Expr)| {
        a.1 * b.1 < 0.0 && terms[a.0].over == terms[b.0].over && a.2.same(&b.2)
    };
    read.iter().enumerate().find_map(|(place, a)| {
        let found = read[place + 1..].iter().find(|b| opposite(a, b))?;
        Some([a.0, found.0])
    })
}

/// Whether two variables meet in a product, or in a network of what another makes.
fn meets(expr: &Expr) -> bool {
    let apart = |a: &Expr, b: &Expr| {
        let (left, right) = (variables(a), variables(b));
        !left.is_empty() && !right.is_empty() && left.iter().all(|var| !right.contains(var))
    };
    let here = match &expr.kind {
        ExprKind::Net { input, params, .. } => apart(input, params),
        ExprKind::Apply(Function::Mul | Function::ElemMul | Function::Dot, args) => apart(&args[0], &args[1]),
        _ => false,
    };
    here || expr.children().into_iter().any(meets)
}
