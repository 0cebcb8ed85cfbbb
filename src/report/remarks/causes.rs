//! What is likely to blame where a run diverges or circles: facts of its plan, the surest first.
//!
//! 1. ρ below what makes a concave step contract, known from the data (`ρ*`, see E0502);
//! 2. gradient steps with `rate·L > 2 + rate·ρκ`, L the largest curvature of the step's terms: they overshoot;
//! 3. a step that is concave at ρ where the run ended: `λ_min(∇²h) + ρκ < 0`, or less than twice away from it;
//! 4. over-relaxation of steps that are not known to be convex;
//! 5. a ρ that is written, and stays, where convergence needs one above a threshold that nobody knows.
//!
//! Curvatures are measured where the run ended and half the way there, or, where it left for infinity, where it
//! began: those of the place where the least, or the largest, is furthest out. A cause that is measured is told
//! from one that is a rule alone.

use super::Ran;
use super::curvature::{self, Curves};
use crate::diag::digits;
use crate::exec::{Status, starting};
use crate::model::ir::{Adapt, DescentKind, Expr, Leaf, Member, VarId};
use crate::source::Span;
use crate::steps::ir::{AdmmPlan, MethodPlan, Rule, Step};

/// A cause.
pub(super) struct Cause {
    /// The fact, with its numbers.
    pub shown: String,
    /// What to write instead.
    pub instead: String,
    /// Where it is written.
    pub at: Option<(Span, String)>,
    /// Whether its numbers are those of this run.
    pub measured: bool,
}

/// By how much an overshooting rate is above 2/L before it is blamed: L is measured at one point.
const CLEARLY: f64 = 1.01;

/// Over-relaxation from which it is blamed.
const RELAXED: f64 = 1.5;

/// The surest.
pub(super) fn likely(ran: &Ran) -> Option<Cause> {
    let mut all = all(ran);
    (!all.is_empty()).then(|| all.remove(0))
}

/// All that apply, the surest first.
pub(super) fn all(ran: &Ran) -> Vec<Cause> {
    let mut causes = Vec::new();
    match &ran.subject.plan.methods[..] {
        [MethodPlan::Admm(plan)] if !plan.is_stochastic() => {
            causes.extend(plan.steps().filter_map(|step| threshold(ran, plan, step)));
            causes.extend(plan.steps().filter_map(|step| curved(ran, plan, step)));
            if !plan.convex && causes.is_empty() {
                causes.extend(relaxed(plan));
                causes.extend(fixed(ran, plan));
            }
        }
        [MethodPlan::Descent { player, descent }] => {
            let player = &ran.subject.model.players[player.index()];
            let plain = matches!(descent.kind, DescentKind::Gradient { momentum: 0.0 });
            // With copies the rate belongs to the unsplit objective, whose curvature is another.
            let own = player.constraints.is_empty() && plain;
            let exprs: Vec<&Expr> = player.terms.iter().map(|term| &term.expr).collect();
            let places = if own { measured(ran, &exprs, &player.vars) } else { Vec::new() };
            causes.extend(places.iter().find_map(|one| overshoots(descent.rate, one, 0.0, "the objective")));
        }
        _ => {}
    }
    causes
}

/// The first: the threshold is known.
fn threshold(ran: &Ran, plan: &AdmmPlan, step: &Step) -> Option<Cause> {
    let (least, rho) = (step.threshold?, ran.rho()?);
    let names = ran.names(step);
    (rho < 2.0 * least).then(|| Cause {
        shown: format!(
            "the step of {names} is convex above ρ* = {}, and contracts above about 2ρ* = {}: ρ is {}",
            digits(least, 7),
            digits(2.0 * least, 7),
            digits(rho, 7)
        ),
        instead: format!("write `rho = auto`, or more than {}", digits(2.0 * least, 7)),
        at: Some((ran.place(plan, step), format!("the step of {names} curves downwards"))),
        measured: true,
    })
}

/// The second and the third: the curvature of a step by an inner method.
fn curved(ran: &Ran, plan: &AdmmPlan, step: &Step) -> Option<Cause> {
    let smooth = match &step.rule {
        Rule::Descent(_) => &step.component.terms,
        Rule::Composite(it) => &it.smooth,
        Rule::Quadratic { .. } | Rule::Prox(_) | Rule::Linearised(_) => return None,
    };
    let descent = match &step.rule {
        Rule::Composite(it) => &it.descent,
        Rule::Descent(descent) => descent,
        _ => return None,
    };
    let terms = &ran.subject.model.players[plan.player.index()].terms;
    let exprs: Vec<&Expr> = smooth.iter().map(|&at| &terms[at].expr).collect();
    let places = measured(ran, &exprs, &step.component.vars);
    let rho = ran.rho()?;
    let penalty = rho * step.gram.scale()?;
    let names = ran.names(step);
    let steepest = places.iter().max_by(|a, b| a.curves.largest.total_cmp(&b.curves.largest))?;
    if matches!(descent.kind, DescentKind::Gradient { momentum: 0.0 })
        && let Some(cause) = overshoots(descent.rate, steepest, penalty, &format!("the step of {names}"))
    {
        return Some(cause);
    }
    // The least that was found is no less than the least there is.
    let least = places.iter().min_by(|a, b| a.curves.least.total_cmp(&b.curves.least))?;
    let needed = -least.curves.least / step.gram.scale()?;
    // Short steps of a named rate leave no concave step for infinity.
    if step.convex || needed <= 0.0 || rho >= 2.0 * needed || is_gone(ran) && !descent.is_searched() {
        return None;
    }
    let here = if rho < needed { "it is concave at" } else { "it is hardly more than convex at" };
    Some(Cause {
        shown: format!(
            "{}, the terms of {names} curve by {} along some direction: the step takes ρ > {} to be convex there, and about twice that to settle; {here} ρ = {}",
            least.place,
            digits(least.curves.least, 4),
            digits(needed, 4),
            digits(rho, 4)
        ),
        instead: format!("write a `rho` above {}, or `rho = auto`", digits(2.0 * needed, 2)),
        at: Some((ran.place(plan, step), format!("curves by {} there", digits(least.curves.least, 4)))),
        measured: true,
    })
}

/// Steps of a rate too large: `v⁺ = (v − η∇h + …)/(1 + ηρκ)` multiplies an error by `(1 − ηL)/(1 + ηρκ)`.
fn overshoots(rate: f64, Measured { place, curves }: &Measured, penalty: f64, what: &str) -> Option<Cause> {
    let most = 2.0 + rate * penalty;
    (rate * curves.largest > CLEARLY * most).then(|| Cause {
        shown: format!(
            "{place}, {what} curves by up to L = {}: gradient steps of rate {} overshoot, as rate·L = {} is above {}",
            digits(curves.largest, 4),
            digits(rate, 6),
            digits(rate * curves.largest, 4),
            digits(most, 4)
        ),
        instead: format!("write a `rate` below 2/L = {}", digits(2.0 / curves.largest, 2)),
        at: None,
        measured: true,
    })
}

fn relaxed(plan: &AdmmPlan) -> Option<Cause> {
    (plan.settings.relax > RELAXED).then(|| Cause {
        shown: format!(
            "`relax = {}` goes beyond each step, which only convex steps are known to bear",
            digits(plan.settings.relax, 4)
        ),
        instead: "write `relax = 1`".to_string(),
        at: None,
        measured: false,
    })
}

fn fixed(ran: &Ran, plan: &AdmmPlan) -> Option<Cause> {
    let rho = ran.rho()?;
    (plan.settings.adapt == Adapt::Fixed).then(|| Cause {
        shown: format!(
            "ρ = {} is written, and stays; with steps that are not known to be convex the iteration settles above some ρ only",
            digits(rho, 6)
        ),
        instead: format!(
            "write `rho = auto`, `adapt = balanced` to start from this one, or a larger ρ, as {}",
            digits(10.0 * rho, 2)
        ),
        at: None,
        measured: false,
    })
}

/// Curvatures, and where they are.
struct Measured {
    place: &'static str,
    curves: Curves,
}

/// The curvatures of terms over these variables, of which none is a family and nothing is drawn.
fn measured(ran: &Ran, exprs: &[&Expr], vars: &[VarId]) -> Vec<Measured> {
    let places: &[(f64, &str)] = match is_gone(ran) {
        true => &[(0.0, "where the run began")],
        false => &[(1.0, "where the run ended"), (0.5, "half the way from its start to its end")],
    };
    let at = |&(way, place): &(f64, &'static str)| {
        let value = |leaf: Leaf| match leaf {
            Leaf::Var(id, Member::None) if way < 1.0 => {
                let start = began(ran, id, ran.subject.model.leaf_shape(leaf).numel())?;
                let end = if way > 0.0 { ran.value(leaf)? } else { start.clone() };
                Some(start.iter().zip(end).map(|(a, b)| a + way * (b - a)).collect())
            }
            leaf => ran.value(leaf),
        };
        let curves = curvature::extremes(ran.subject.model, exprs, vars, &value)?;
        Some(Measured { place, curves })
    };
    places.iter().filter_map(at).collect()
}

/// Where a variable started.
fn began(ran: &Ran, var: VarId, length: usize) -> Option<Vec<f64>> {
    let schedule = ran.subject.schedule;
    let state = schedule.state(*schedule.variables.get(var.index())?);
    Some(starting(state, ran.seed).map_or_else(|| vec![0.0; length], |tensor| tensor.to_f64().into_vec()))
}

/// Whether the end of the run is no place to look at.
fn is_gone(ran: &Ran) -> bool {
    matches!(ran.outcome.status, Status::Diverged(_) | Status::NonFinite(_))
}
