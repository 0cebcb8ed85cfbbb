//! E0511: steps whose own terms have an infimum that no point reaches.
//!
//! ```text
//! min E softplus(−u(x; θ)),  u = … + b:     infimum 0,  falling for ever as b rises
//! ```
//!
//! Where [`trend`](crate::split::trend) proves that all terms of a step that follows gradients strictly fall along
//! one shift from wherever they are, there is no minimiser. A penalty that the shift moves makes one, at a place
//! that λ and ρ determine and the data do not: worth a note, as a split of a likelihood by classes is just this.
//! Without one the iterates leave for infinity, ever slower: a warning.

use super::ir::{AdmmPlan, MethodPlan, Plan, Rule};
use crate::diag::{Code, Diag, Diags, Severity};
use crate::linalg::Operator;
use crate::model::Model;
use crate::model::ir::{PlayerId, Term, VarId, VarKind};
use crate::source::Span;
use crate::split::ir::{PlayerSplit, Split};
use crate::split::trend::{self, Trend};
use crate::split::{is_bounded_below, variables};

/// A shift along which a step falls for ever.
struct Fall<'m> {
    var: VarId,
    trend: Trend,
    /// The terms that fall.
    terms: Vec<&'m Term>,
}

/// Adds what is to be said of a plan.
pub(super) fn check(model: &Model, split: &Split, plan: &Plan, diags: &mut Diags) {
    for method in &plan.methods {
        match method {
            MethodPlan::Admm(plan) => of_admm(model, &split.players[plan.player.index()], plan, diags),
            MethodPlan::Descent { player, .. } => of_whole(model, &split.players[player.index()], *player, diags),
        }
    }
}

/// Of a method on the unsplit problem, as it is written: copies are moved together.
fn of_whole(model: &Model, split: &PlayerSplit, player: PlayerId, diags: &mut Diags) {
    let (vars, terms, _) = model.players[player.index()].source();
    let Ok(whole) = &split.whole else { return };
    let copies = || whole.copies.iter().filter(|copy| vars.contains(&copy.var));
    let found = whole.kept.iter().filter(|var| vars.contains(var)).find_map(|&var| {
        let holds = |coupling: usize| split.couplings[coupling].parts.iter().any(|part| part.var == var);
        // What is no plain copy moves by a rule of its own.
        if copies().any(|copy| copy.of != Some(var) && holds(copy.coupling)) {
            return None;
        }
        let equal = copies().filter(|copy| copy.of == Some(var)).map(|copy| copy.var);
        let moving: Vec<VarId> = std::iter::once(var).chain(equal).collect();
        fall(model, player, &moving, terms.iter().collect())
    });
    if let Some(fall) = found {
        diags.push(unheld(model, &fall));
    }
}

fn of_admm(model: &Model, split: &PlayerSplit, plan: &AdmmPlan, diags: &mut Diags) {
    let terms = &model.players[plan.player.index()].terms;
    let mut held: Vec<Fall> = Vec::new();
    for step in plan.steps() {
        let follows = matches!(step.rule, Rule::Descent(_)) && step.component.constraints.is_empty();
        if !follows || step.curved {
            continue;
        }
        let found = step.component.vars.iter().find_map(|&var| {
            let own = step.component.terms.iter().map(|&at| &terms[at]).collect();
            let fall = fall(model, plan.player, &[var], own)?;
            Some((fall, is_moved(model, split, var)))
        });
        match found {
            Some((fall, true)) => held.push(fall),
            Some((fall, false)) => diags.push(unheld(model, &fall)),
            None => {}
        }
    }
    if !held.is_empty() {
        diags.push(by_the_penalty(model, &held));
    }
}

/// The shift of these variables along which the terms that read them fall, and are bounded below.
fn fall<'m>(model: &Model, player: PlayerId, moving: &[VarId], mut terms: Vec<&'m Term>) -> Option<Fall<'m>> {
    terms.retain(|term| variables(&term.expr).iter().any(|var| moving.contains(var)));
    let trend = terms.iter().fold(Trend::Flat, |trend, term| trend.plus(trend::of(model, moving, &term.expr)));
    let strict = matches!(trend, Trend::Rises | Trend::Falls);
    let bounded = || terms.iter().all(|term| is_bounded_below(model, player, term));
    (strict && bounded()).then(|| Fall { var: moving[0], trend, terms })
}

/// Whether the penalty rises along the shift.
fn is_moved(model: &Model, split: &PlayerSplit, var: VarId) -> bool {
    let this = &model.vars[var.index()];
    let mut direction = vec![1.0; this.shape.numel()];
    if let VarKind::Params(net) = this.kind {
        direction.fill(0.0);
        if let Some(entries) = model.nets[net.index()].last_bias() {
            direction[entries].fill(1.0);
        }
    }
    let parts = split.couplings.iter().flat_map(|coupling| &coupling.parts).filter(|part| part.var == var);
    let moves = |operator: &Operator| operator.apply(&direction).iter().any(|&x| x != 0.0);
    parts.filter_map(|part| part.operator.as_ref()).any(moves)
}

/// What is shifted, and where to: `the last bias of `D` in `θ1` rises`.
fn shift(model: &Model, fall: &Fall) -> String {
    let var = &model.vars[fall.var.index()];
    let to = if fall.trend == Trend::Falls { "rises" } else { "falls" };
    match var.kind {
        VarKind::Params(net) => format!("the last bias of `{}` in `{}` {to}", model.nets[net.index()].name, var.name),
        VarKind::Real | VarKind::Symmetric if var.shape.is_scalar() => format!("`{}` {to}", var.name),
        VarKind::Real | VarKind::Symmetric => format!("every element of `{}` {to}", var.name),
    }
}

/// What falls, with a label for each term, a line of proof, and whether there are several.
fn diag(model: &Model, falls: &[Fall], message: impl Fn(String, bool) -> String) -> Diag {
    let (mut names, mut spans): (Vec<String>, Vec<(Span, String)>) = (Vec::new(), Vec::new());
    for (fall, term) in falls.iter().flat_map(|fall| fall.terms.iter().map(move |term| (fall, term))) {
        if !names.contains(&term.quoted()) {
            names.push(term.quoted());
        }
        if spans.iter().all(|(span, _)| *span != term.span) {
            spans.push((term.span, format!("falls for ever as {}", shift(model, fall))));
        }
    }
    let several = names.len() > 1;
    let mut spans = spans.into_iter();
    let (span, text) = spans.next().unwrap_or_default();
    let diag = Diag::new(Code::UnattainedStep, span, message(names.join(" and "), several)).here(text);
    let proof = if several { "each of them falls" } else { "it falls" };
    spans
        .fold(diag, |diag, (span, text)| diag.label(span, text))
        .certify(format!("{proof} strictly along that shift, from wherever one stands, and is bounded below"))
}

/// A note: the penalty gives the steps a minimiser.
fn by_the_penalty(model: &Model, falls: &[Fall]) -> Diag {
    let message = |names: String, several| {
        let have = if several {
            "have infima that no point reaches, each in its own step"
        } else {
            "has an infimum that no point reaches"
        };
        format!("{names} {have}: the penalty alone makes a minimiser")
    };
    diag(model, falls, message).severity(Severity::Note).help(
        "where such a step ends is for λ and ρ to say, not for the data it sees, of one class alone for example; a split whose blocks hold each other bears that, but not a ρ near 0, where they drift apart: `rho = auto` keeps the balance",
    )
}

/// A warning: nothing does.
fn unheld(model: &Model, fall: &Fall) -> Diag {
    let var = &model.vars[fall.var.index()].name;
    let message = |names: String, several| {
        let have = if several { "have infima" } else { "has an infimum" };
        format!("{names} {have} that no point reaches, and nothing else holds `{var}`")
    };
    diag(model, std::slice::from_ref(fall), message).help(format!(
        "every step finds a lower value further out, so `{var}` grows until the iterations run out, and where it stops means nothing; give it a term that rises, such as `0.01*sum_squares({var})`, or data of the other class"
    ))
}
