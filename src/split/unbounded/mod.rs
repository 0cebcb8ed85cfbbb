//! Objectives without a least value, found before anything runs: E0501.
//!
//! ```text
//! inf h = −∞   ⟸   a curve v(t) within the constraints along which Σ terms ≤ −c·t^p (log t)^q
//! ```
//!
//! 1. Variables that copies tie, `x − z = 0`, are one [`Group`]; one that any other constraint touches is left
//!    alone: what holds it is for the run to find out.
//! 2. Each group is sent along the curves of its kind: the parameters of a network as [`network`] says,
//!    numbers to ±t and, for logarithms, to 1/t. [`growth`] reads what every term does there, in the arithmetic
//!    of [`tail`]; where the sum is sure to fall, that is the proof.
//! 3. [`quadratic`] looks at what is quadratic, by eigenvalues, beside terms that rise more slowly.
//! 4. [`message`] says it, with what the penalty could do against it: [`threshold`].
//!
//! It errs on one side: what is not proved is not said.

mod growth;
mod message;
mod network;
mod quadratic;
mod tail;
#[cfg(test)]
mod tests;
mod threshold;

use super::ir::Coupling;
use super::variables;
use crate::diag::Diags;
use crate::model::Model;
use crate::model::ir::{ConstraintId, NetId, PlayerId, Relation, Term, VarId, VarKind};
use growth::{Ranges, Reader};
use network::Curve;
use tail::{Order, Tail};

/// Variables that are equal in every point that counts.
#[derive(Debug, Clone, PartialEq)]
struct Group {
    vars: Vec<VarId>,
    /// Whether nothing but copies constrains them.
    free: bool,
}

/// A curve along which the objective falls.
struct Fall {
    curve: Curve,
    /// The term that falls fastest, by position, and how fast it does.
    term: usize,
    order: Order,
}

/// Reports terms of a player that fall to −∞ with nothing to stop them.
pub(super) fn check(model: &Model, player: PlayerId, equations: &[Coupling], diags: &mut Diags) {
    let (_, terms, _) = model.players[player.index()].source();
    let groups = groups(model, player, equations);
    let touched: Vec<Vec<usize>> = terms.iter().map(|term| touched(&groups, term)).collect();
    let ranges = Ranges::new(model);
    let mut told = vec![false; groups.len()];
    for (at, group) in groups.iter().enumerate().filter(|(_, group)| group.free) {
        let own: Vec<usize> = (0..terms.len()).filter(|&term| touched[term].contains(&at)).collect();
        if let Some(fall) = fastest(model, &ranges, terms, group, &own) {
            told[at] = true;
            diags.push(message::of_fall(model, player, group, &fall));
        }
    }
    for (own, joined) in components(&groups, &touched) {
        if own.iter().any(|&group| told[group] || !groups[group].free) {
            continue;
        }
        if let Some(direction) = quadratic::falls(model, player, &ranges, &groups, &own, &joined) {
            diags.push(message::of_direction(model, player, &groups, &direction));
        }
    }
}

/// The variables of a player that copies tie, `x − z = 0`, together.
pub(super) fn tied(model: &Model, player: PlayerId, equations: &[Coupling]) -> Vec<Vec<VarId>> {
    groups(model, player, equations).into_iter().map(|group| group.vars).collect()
}

/// Whether a term is sure to have a lower bound, whatever the player's variables are.
pub(crate) fn is_bounded_below(model: &Model, player: PlayerId, term: &Term) -> bool {
    let ranges = Ranges::new(model);
    let moving = &model.players[player.index()].vars;
    let anywhere = Reader { model, moving, curve: Curve::Anywhere, ranges: &ranges };
    of_term(&anywhere, term).neg().is_bounded_above()
}

/// The variables as written, those that copies tie together.
fn groups(model: &Model, player: PlayerId, equations: &[Coupling]) -> Vec<Group> {
    let (vars, _, constraints) = model.players[player.index()].source();
    let mut groups: Vec<Group> = vars.iter().map(|&var| Group { vars: vec![var], free: true }).collect();
    for (at, constraint) in constraints.iter().enumerate() {
        let id = ConstraintId(at as u32);
        let held = variables(constraint.relation.expr());
        let is_zero = matches!(constraint.relation, Relation::Zero(_));
        let is_copy = is_zero
            && equations.iter().any(|equation| {
                equation.constraint == id
                    && equation.offset.iter().all(|&x| x == 0.0)
                    && is_copy(model, equation)
                    && held.iter().all(|var| equation.parts.iter().any(|part| part.var == *var))
            });
        let mut met: Vec<usize> =
            (0..groups.len()).filter(|&at| groups[at].vars.iter().any(|var| held.contains(var))).collect();
        if !is_copy {
            met.iter().for_each(|&at| groups[at].free = false);
            continue;
        }
        let Some(first) = met.first().copied() else { continue };
        while met.len() > 1 {
            let Some(at) = met.pop() else { break };
            let other = groups.remove(at);
            groups[first].vars.extend(other.vars);
            groups[first].free &= other.free;
        }
    }
    groups
}

/// Whether an equation says that two variables of one kind and shape are equal.
fn is_copy(model: &Model, equation: &Coupling) -> bool {
    let [a, b] = &equation.parts[..] else { return false };
    let (x, z) = (&model.vars[a.var.index()], &model.vars[b.var.index()]);
    let (Some(s), Some(t)) = (a.scalar(), b.scalar()) else { return false };
    s == -t && s != 0.0 && x.kind == z.kind && x.shape == z.shape
}

/// The groups that a term reads.
fn touched(groups: &[Group], term: &Term) -> Vec<usize> {
    let vars = variables(&term.expr);
    (0..groups.len()).filter(|&at| groups[at].vars.iter().any(|var| vars.contains(var))).collect()
}

/// The curve along which the terms on a group fall fastest, where there is one.
fn fastest(model: &Model, ranges: &Ranges, terms: &[Term], group: &Group, own: &[usize]) -> Option<Fall> {
    let mut best: Option<Fall> = None;
    for curve in curves(model, group) {
        let reader = Reader { model, moving: &group.vars, curve, ranges };
        let tails: Vec<Tail> = own.iter().map(|&at| of_term(&reader, &terms[at])).collect();
        let Some(total) = tails.iter().copied().reduce(Tail::plus) else { continue };
        if total.falls().is_none() {
            continue;
        }
        let falls = own.iter().zip(&tails).filter_map(|(&term, tail)| Some((term, tail.falls()?)));
        for (term, order) in falls {
            if best.as_ref().is_none_or(|best| order > best.order) {
                best = Some(Fall { curve, term, order });
            }
        }
    }
    best
}

/// What a term does on a curve.
fn of_term(reader: &Reader, term: &Term) -> Tail {
    let tail = reader.tail(&term.expr);
    term.over.map_or(tail, |over| tail.sum(over.count))
}

fn curves(model: &Model, group: &Group) -> Vec<Curve> {
    match network_of(model, group) {
        Some(net) => network::curves(&model.nets[net.index()]),
        None => {
            let elements = |sign, power| Curve::Elements { sign, order: Order { power, log: 0.0 } };
            vec![elements(1.0, 1.0), elements(-1.0, 1.0), elements(1.0, -1.0)]
        }
    }
}

/// The network whose parameters the variables are.
fn network_of(model: &Model, group: &Group) -> Option<NetId> {
    match model.vars[group.vars.first()?.index()].kind {
        VarKind::Params(net) => Some(net),
        VarKind::Real | VarKind::Symmetric => None,
    }
}

/// Groups that terms join, with those terms.
fn components(groups: &[Group], touched: &[Vec<usize>]) -> Vec<(Vec<usize>, Vec<usize>)> {
    let mut root: Vec<usize> = (0..groups.len()).collect();
    for met in touched {
        for pair in met.windows(2) {
            let (a, b) = (root[pair[0]], root[pair[1]]);
            root.iter_mut().filter(|root| **root == a.max(b)).for_each(|root| *root = a.min(b));
        }
    }
    let of = |start: usize| {
        let own: Vec<usize> = (0..groups.len()).filter(|&at| root[at] == start).collect();
        let terms = (0..touched.len()).filter(|&term| touched[term].iter().any(|at| own.contains(at)));
        (own.clone(), terms.collect())
    };
    (0..groups.len()).filter(|&at| root[at] == at).map(of).collect()
}
