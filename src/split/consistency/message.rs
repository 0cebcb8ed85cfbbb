//! What is said of equations that follow from others: E0406, with the change that takes them out.

use super::redundant::{Redundancy, Single};
use crate::diag::{Code, Diag, Diags, Fix};
use crate::model::Model;
use crate::model::ir::{ConstraintId, Expr, Leaf, SolveBody, VarId};
use crate::source::Span;
use crate::split::ir::{Coupling, PlayerSplit};

/// Share of the coupling's rows from which single ones that follow from others are told, and how many there have
/// to be: a network's balances have one for all its nodes.
const SHARE: f64 = 0.1;
const SINGLE: usize = 2;

/// Names that a message gives.
const NAMED: usize = 6;

/// Says which constraints follow from others.
pub(in crate::split) fn report(model: &Model, found: &Redundancy, split: &PlayerSplit, diags: &mut Diags) {
    if !found.whole.is_empty() {
        diags.push(of_whole(model, found, split));
        return;
    }
    of_rows(found, split).into_iter().for_each(|diag| diags.push(diag));
}

/// Single rows that follow from others, where the penalty counts them and they are many.
fn of_rows(found: &Redundancy, split: &PlayerSplit) -> Option<Diag> {
    let coupled = |id: ConstraintId| split.couplings.iter().any(|coupling| coupling.constraint == id);
    let counts = |single: &&Single| single.constraints.iter().any(|(id, _)| coupled(*id));
    let own: Vec<&Single> = found.single.iter().filter(counts).collect();
    let count: usize = own.iter().map(|single| single.count).sum();
    let penalised: usize =
        split.couplings.iter().map(|coupling| coupling.over.unwrap_or(1) * coupling.offset.len()).sum();
    if count < SINGLE || count as f64 <= SHARE * penalised as f64 {
        return None;
    }
    let mut spans: Vec<Span> = own.iter().flat_map(|single| &single.constraints).map(|(_, span)| *span).collect();
    spans.sort();
    spans.dedup();
    let mut diag = Diag::new(
        Code::RedundantConstraint,
        spans[0],
        format!("{count} of the rows of these equations follow from the others"),
    )
    .here("rows of this one");
    for &span in spans[1..].iter().take(NAMED) {
        diag = diag.label(span, "and of this one");
    }
    Some(
        diag.certify(format!("{} says 0 = 0", own[0].words))
            .help("multipliers of rows that say the same are not unique, and the penalty counts each: what m rows say is held by mρ, while ρ is balanced for one; leave the rows out that follow from others"),
    )
}

fn of_whole(model: &Model, found: &Redundancy, split: &PlayerSplit) -> Diag {
    let names: Vec<String> = found.whole.iter().map(|it| format!("`{}`", it.name)).collect();
    let (words, verb) = match &names[..] {
        [one] => (one.clone(), "follows"),
        names if names.len() <= NAMED => (names.join(", "), "follow"),
        names => (format!("{} and {} more", names[..NAMED].join(", "), names.len() - NAMED), "follow"),
    };
    let mut diag =
        Diag::new(Code::RedundantConstraint, found.whole[0].span, format!("{words} {verb} from the other equations"))
            .here("says nothing of its own");
    let mut labelled = vec![found.whole[0].span];
    let mut label = |diag: Diag, span: Span, text: &str| {
        if labelled.contains(&span) || labelled.len() >= NAMED {
            return diag;
        }
        labelled.push(span);
        diag.label(span, text)
    };
    for it in &found.whole[1..] {
        diag = label(diag, it.span, "nor does this");
    }
    for &span in &found.whole[0].with {
        diag = label(diag, span, "it follows from this");
    }
    for it in found.whole.iter().take(NAMED) {
        let more = match it.more {
            0 => String::new(),
            1 => ", and so for its other row".to_string(),
            more => format!(", and so for its other {more} rows"),
        };
        diag = diag.certify(format!("{} says 0 = 0{more}", it.words));
    }
    diag = diag.help(advice(found, split));
    let title = format!("take out {words}");
    diag.fix = removal(model, found, split).map(|edits| Fix { title, edits });
    diag
}

/// Why it matters, and what to do.
fn advice(found: &Redundancy, split: &PlayerSplit) -> String {
    let own = |id: ConstraintId| split.couplings.iter().find(|coupling| coupling.constraint == id);
    if found.whole.iter().all(|it| own(it.constraint).is_none()) {
        return "the step that these equations are part of drops rows that follow from others, so the answer is the same; multipliers are not unique, though, and what is written twice is easily changed once: take out what follows".to_string();
    }
    let copies = found.whole.iter().all(|it| own(it.constraint).is_some_and(Coupling::is_copy));
    let star = "; of copies that are all tied to each other, tie each to one of them only, or to a variable of its own: `x[i] - z = 0`";
    format!(
        "the multipliers are then not unique and drift along that combination, and the penalty holds what is said m times by mρ, while ρ is balanced for one equation; take out what follows{}",
        if copies { star } else { "" }
    )
}

/// What to take out of the text, where what is left compiles for sure.
fn removal(model: &Model, found: &Redundancy, split: &PlayerSplit) -> Option<Vec<(Span, String)>> {
    let constraints = &model.players[split.player.index()].constraints;
    let gone = |id: usize| found.whole.iter().any(|it| it.constraint.index() == id);
    let mut edits: Vec<(Span, String)> = Vec::new();
    if is_multiplier_read(model) {
        return None;
    }
    for it in &found.whole {
        let own = &constraints[it.constraint.index()];
        // A loop that was written out, or `a = b = c`, is one place with several constraints.
        let shared = constraints.iter().enumerate().any(|(at, other)| other.span == own.span && !gone(at));
        let edit = (own.removal?, String::new());
        if shared {
            return None;
        }
        if !edits.contains(&edit) {
            edits.push(edit);
        }
    }
    edits.sort();
    let apart = edits.windows(2).all(|pair| pair[0].0.end <= pair[1].0.start);
    // Each variable stays tied to the other block, by itself or by what it is stepped with, or the blocks would
    // fall apart.
    let component = |var: VarId| {
        let all = split.x.components.iter().chain(&split.z.components);
        all.map(|component| &component.vars).find(|vars| vars.contains(&var))
    };
    let tied = |var: VarId| {
        let with = component(var).map_or(std::slice::from_ref(&var), |vars| &vars[..]);
        split.couplings.iter().any(|it| !gone(it.constraint.index()) && it.holds(with))
    };
    let ties = split.couplings.iter().filter(|it| gone(it.constraint.index())).flat_map(|it| &it.parts);
    (apart && ties.into_iter().all(|part| tied(part.var))).then_some(edits)
}

/// Whether something reads a multiplier: a claim, a named expression, maybe what a game records.
fn is_multiplier_read(model: &Model) -> bool {
    let reads = |expr: &Expr| {
        let mut found = false;
        expr.leaves(&mut |leaf| found |= matches!(leaf, Leaf::Dual(..)));
        found
    };
    model.players.iter().flat_map(|player| &player.claims).any(|claim| reads(&claim.value))
        || model.named.iter().any(|named| reads(&named.expr))
        || model.solves.iter().any(|solve| matches!(solve.body, SolveBody::Game(_)))
}
