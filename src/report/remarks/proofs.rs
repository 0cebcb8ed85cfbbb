//! E0703: that there is no solution, with the proof that the run found (Banjac, Goulart, Stellato & Boyd 2019): rows
//! that contradict each other, or a direction along which the objective falls and no constraint is left.

use super::Ran;
use crate::diag::{Code, Diag, digits, number};
use crate::exec::outcome::{Contradiction, Ray};
use crate::model::ir::{Constraint, ConstraintId, Relation, VarId};
use crate::source::Span;
use crate::split::direction;
use crate::split::ir::{Coupling, PlayerSplit};

/// Rows that are named.
const NAMED: usize = 6;

/// Rows that are said to give way.
const MENDED: usize = 2;

/// Digits of a weight: the iteration knows it no better.
const KNOWN: usize = 4;

pub(super) fn contradiction(ran: &Ran, proof: &Contradiction) -> Diag {
    let split = &ran.subject.split.players[0];
    let heaviest = proof.rows.first().map_or(1.0, |row| row.weight.abs());
    let gap = proof.gap / heaviest;
    let of = |coupling: usize| &split.couplings[coupling];
    let mut words = String::new();
    for row in proof.rows.iter().take(NAMED) {
        // An inequality is added up, never taken off; of an equation either may be.
        let weight = if is_equation(ran, of(row.coupling)) { row.weight } else { row.weight.abs() } / heaviest;
        let size = digits(weight.abs(), KNOWN);
        let times = if size == "1" { String::new() } else { format!("{size} × ") };
        words.push_str(&format!("{}{times}{}", direction::sign(words.is_empty(), weight), row.name));
    }
    let more = proof.rows.len().saturating_sub(NAMED);
    if more > 0 {
        words.push_str(&format!(" and {more} {} more", if more == 1 { "row" } else { "rows" }));
    }
    let mut spans: Vec<Span> = Vec::new();
    for row in &proof.rows {
        for span in spans_of(ran, split, of(row.coupling)) {
            if !spans.contains(&span) {
                spans.push(span);
            }
        }
    }
    // What the compiler split off is part of what it was split off from.
    let all = spans.clone();
    let inside = |a: &Span, b: &Span| a != b && a.file == b.file && b.start <= a.start && a.end <= b.end;
    spans.retain(|own| !all.iter().any(|other| inside(own, other)));
    let place = spans.first().copied().unwrap_or(ran.solve.span);
    let mut diag = Diag::new(Code::NoSolution, place, "no point meets the constraints")
        .here(if spans.len() > 1 { "this one" } else { "rows of this one contradict each other" })
        .certify(format!("{words} says 0 ≥ {}", digits(gap, KNOWN)));
    for &span in spans.iter().skip(1) {
        diag = diag.label(span, "and this one");
    }
    let kept = kept(ran, split);
    if !kept.is_empty() {
        diag = diag.certify(format!("wherever {} holds", kept.join(" and ")));
    }
    let bends =
        proof.rows.iter().filter(|row| !matches!(constraint(ran, of(row.coupling)).relation, Relation::In { .. }));
    let bends: Vec<String> = bends
        .take(MENDED)
        .map(|row| format!("`{}` by {}", row.name, digits(proof.gap / row.weight.abs(), KNOWN)))
        .collect();
    let way = match bends.is_empty() {
        true => "loosen one of them".to_string(),
        false => format!("loosen one of them: what it takes of one alone is at least {}", bends.join(", or ")),
    };
    diag.help(format!("the multipliers of these rows grow in every iteration, and nothing else changes; {way}"))
}

/// The equations that steps of x keep, of which every x that is spoken of is a solution.
fn kept(ran: &Ran, split: &PlayerSplit) -> Vec<String> {
    let constraints = &ran.subject.model.players[0].constraints;
    let ids = split.x.components.iter().flat_map(|component| &component.constraints);
    ids.map(|&id| format!("`{}`", constraints[id.index()].name(id))).collect()
}

fn constraint<'a>(ran: &Ran<'a>, coupling: &Coupling) -> &'a Constraint {
    &ran.subject.model.players[0].constraints[coupling.constraint.index()]
}

/// Whether a coupling is an equation of the file. What the compiler split off is one too, and stands for what it
/// was split off from.
fn is_equation(ran: &Ran, coupling: &Coupling) -> bool {
    let written = ran.subject.model.players[0].source().2;
    written.get(coupling.constraint.index()).is_some_and(|own| matches!(own.relation, Relation::Zero(_)))
}

/// Where a coupling is written, and what else holds its second block.
fn spans_of(ran: &Ran, split: &PlayerSplit, coupling: &Coupling) -> Vec<Span> {
    let own = constraint(ran, coupling).span;
    let beside = split.z.components.iter().filter(|component| coupling.holds(&component.vars));
    let constraints = &ran.subject.model.players[0].constraints;
    let beside = beside.flat_map(|component| &component.constraints);
    std::iter::once(own).chain(beside.map(|id: &ConstraintId| constraints[id.index()].span)).collect()
}

pub(super) fn ray(ran: &Ran, ray: &Ray) -> Diag {
    let (model, player) = (ran.subject.model, &ran.subject.model.players[0]);
    let falls = if player.maximize { "grows" } else { "falls" };
    let part = |(name, step): &'_ (String, Vec<f64>)| -> Option<(VarId, Vec<f64>)> {
        let at = model.vars.iter().position(|var| var.name == *name)?;
        Some((VarId(at as u32), step.iter().map(|x| known(*x)).collect()))
    };
    let parts: Vec<(VarId, Vec<f64>)> = ray.moves.iter().filter_map(part).collect();
    let borrowed: Vec<(VarId, &[f64])> = parts.iter().map(|(var, step)| (*var, step.as_slice())).collect();
    let along = direction::words(model, &borrowed);
    let moved = parts.iter().filter(|(_, step)| step.iter().any(|x| *x != 0.0));
    let names: Vec<String> = moved.map(|(var, _)| format!("`{}`", model.vars[var.index()].name)).collect();
    Diag::new(
        Code::NoSolution,
        if player.sense.is_empty() { ran.solve.span } else { player.sense },
        format!("the objective {falls} without end, and no constraint stops it"),
    )
    .here(format!("{falls} for ever"))
    .certify(format!("the direction is {along}"))
    .certify(format!("for each 1 along it the objective {falls} by {}", number(known(ray.fall))))
    .help(format!(
        "no step of ADMM comes to rest, since a further one is better; bound {} along it by a constraint, or by a term that grows faster, as a small multiple of `sum_squares`",
        names.join(", ")
    ))
}

/// Rounded to what the iteration knows of it; what is nothing beside 1 is 0.
fn known(x: f64) -> f64 {
    if x.abs() < 10f64.powi(-(KNOWN as i32) - 1) { 0.0 } else { digits(x, KNOWN).parse().unwrap_or(x) }
}
