//! E0704: an inner method whose line search finds no lower point, again and again, or at once where it is all of the
//! run. Near a solution every search ends so, on rounding: nothing is said of a run that came to its answer.
//!
//! What could be to blame is looked at where it stands: a decrease too small for the precision, a kink, a
//! derivative that does not agree with differences.

use super::Ran;
use crate::diag::{Code, Diag, Diags, digits, number};
use crate::exec::Status;
use crate::exec::outcome::Search;
use crate::exec::reference::Comparison;
use crate::model::ir::{DescentKind, Expr};
use crate::report::Derivatives;
use crate::source::Span;
use crate::steps::ir::MethodPlan;

/// Searches in a row, one an iteration, that count as a standstill.
const STANDSTILL: usize = 10;

/// Roundings of the objective below which a decrease can't be seen.
const ROUNDINGS: f64 = 10.0;

/// By how much a derivative on one side of a kink differs from the mean of both.
const KINKED: f64 = 1e-4;

/// Elements of all inputs up to which derivatives are compared.
const MOST_NUMBERS: usize = 100_000;

/// The step that a search belongs to.
struct Place<'a> {
    at: Span,
    names: String,
    method: &'static str,
    exprs: Vec<(&'a str, &'a Expr)>,
}

pub(super) fn remarks(ran: &Ran, diags: &mut Diags) {
    for search in &ran.outcome.notes.searches {
        let whole = search.of.ends_with("·whole");
        let stands = match whole {
            true => ran.outcome.status == Status::SolvedInaccurate,
            false => search.tally.in_a_row >= STANDSTILL,
        };
        if let Some(place) = place(ran, search, whole).filter(|_| stands) {
            diags.push(remark(ran, search, &place));
        }
    }
}

fn place<'a>(ran: &Ran<'a>, search: &Search, whole: bool) -> Option<Place<'a>> {
    let model = ran.subject.model;
    let name = |var: &crate::model::ir::VarId| model.vars[var.index()].name.as_str();
    match &ran.subject.plan.methods[..] {
        [MethodPlan::Admm(plan)] if !whole => {
            let own = |step: &&crate::steps::ir::Step| {
                step.component.vars.iter().map(name).collect::<Vec<_>>().join(",") == search.of
            };
            let step = plan.steps().find(own)?;
            let kind = step.followed()?.1.kind;
            let terms = &model.players[plan.player.index()].terms;
            let exprs = step.component.terms.iter().map(|&at| (terms[at].name.as_str(), &terms[at].expr)).collect();
            Some(Place { at: ran.place(plan, step), names: ran.names(step), method: word(kind), exprs })
        }
        [MethodPlan::Descent { player, descent }] if whole => {
            let player = &model.players[player.index()];
            let names: Vec<String> = player.source().0.iter().map(|var| format!("`{}`", name(var))).collect();
            // As written: what the compiler split off is put together again.
            let terms = player.source().1;
            let exprs = terms.iter().map(|term| (term.name.as_str(), &term.expr)).collect();
            let at = terms.first().map_or(ran.solve.span, |term| term.span);
            Some(Place { at, names: names.join(", "), method: word(descent.kind), exprs })
        }
        _ => None,
    }
}

fn word(kind: DescentKind) -> &'static str {
    match kind {
        DescentKind::Lbfgs { .. } => "L-BFGS",
        DescentKind::Newton => "Newton's method",
        DescentKind::Fista => "the proximal gradient method",
        DescentKind::Gradient { .. } | DescentKind::Adam { .. } => "the method",
    }
}

fn remark(ran: &Ran, search: &Search, place: &Place) -> Diag {
    let tally = search.tally;
    let mut diag = Diag::new(
        Code::InnerStalled,
        place.at,
        format!(
            "{} finds no step for {}: no length along its direction lowers the objective",
            place.method, place.names
        ),
    )
    .here("stands still")
    .certify(format!(
        "{} of {} searches found none, the last {} in a row; the shortest step tried was {}",
        tally.failed,
        tally.made,
        tally.in_a_row,
        digits(search.shortest, 2)
    ))
    .certify(format!(
        "where it stands the gradient has length {}, and the slope along the direction is {}",
        digits(search.gradient, 4),
        digits(search.slope, 4)
    ));
    let (lines, found) = compared(ran, place);
    for line in lines {
        diag = diag.certify(line);
    }
    let hidden = search.slope.abs() < ROUNDINGS * search.eps * search.value.abs();
    let stands = match search.of.ends_with("·whole") {
        true => "the run ends where it stands, which is no stationary point",
        false => "the outer iteration goes on from a step that was not taken",
    };
    match found {
        Found::Wrong => diag.help(format!("{stands}; a derivative that differs from its differences is a fault of ours: please report it")),
        Found::Kink => diag.help(format!(
            "{stands}; at a kink the gradient leads nowhere: give what has it a variable of its own, tied by an equation, so that its proximal map takes it"
        )),
        Found::Fine if hidden => diag.help(format!(
            "{stands}; the decrease that the slope promises is below the rounding of {}, about {}: write `precision = f64`, a larger `tol`, or take a large constant off the objective",
            number(search.value),
            digits(search.eps * search.value.abs(), 2)
        )),
        Found::Fine => diag.help(format!(
            "{stands}; the terms bend too much for this method from here: scale the variables alike, or write `gradient` or `adam` with a small `rate`"
        )),
    }
}

/// What the comparison shows.
#[derive(PartialEq)]
enum Found {
    Fine,
    Kink,
    Wrong,
}

/// Each term's derivatives by the step's variables against differences.
fn compared(ran: &Ran, place: &Place) -> (Vec<String>, Found) {
    let (mut lines, mut found) = (Vec::new(), Found::Fine);
    for (name, expr) in &place.exprs {
        let mut leaves = Vec::new();
        let mut known = true;
        expr.leaves(&mut |leaf| {
            known &= ran.value(leaf).is_some();
            leaves.push(leaf);
        });
        let size: usize = leaves.iter().map(|&leaf| ran.subject.model.leaf_shape(leaf).numel()).sum();
        if !known || size > MOST_NUMBERS {
            continue;
        }
        let derivatives = Derivatives::new(ran.subject.model, expr);
        let all = derivatives.at(|leaf, _| ran.value(leaf).unwrap_or_default(), ran.seed);
        let defined = all.iter().filter(|one| one.is_defined());
        let Some(worst) = defined.max_by(|a, b| share(a).total_cmp(&share(b))) else { continue };
        let own = match (worst.agrees(), share(worst) > KINKED) {
            (false, _) => Found::Wrong,
            (true, true) => Found::Kink,
            (true, false) => Found::Fine,
        };
        let sides =
            format!("{}, and differences on both sides give {}", number(worst.reverse), number(worst.difference));
        let line = match own {
            Found::Wrong => format!("the derivative of `{name}` by `{}` is {sides}", worst.input),
            Found::Kink => {
                format!("`{name}` has a kink in `{}` there: its gradient gives a slope of {sides}", worst.input)
            }
            Found::Fine => {
                format!(
                    "the derivative of `{name}` by `{}` agrees with differences to {}",
                    worst.input,
                    digits(share(worst), 1)
                )
            }
        };
        lines.push(line);
        found = if found == Found::Wrong || own == Found::Fine { found } else { own };
    }
    (lines, found)
}

/// How far a derivative is from the difference, by the size of both.
fn share(one: &Comparison) -> f64 {
    let size = one.reverse.abs().max(one.difference.abs());
    if size > 0.0 { one.error() / size } else { 0.0 }
}
