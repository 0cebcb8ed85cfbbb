//! What is likely to blame where a run diverges or circles: facts of its plan, the surest first.
//!
//! 1. ρ below what makes a concave step contract, known from the data (`ρ*`, see E0502);
//! 2. gradient steps with `rate·L > 2 + rate·ρκ`, L the largest curvature of the step's terms: they overshoot;
//! 3. a step that is concave at ρ where the run ended: `λ_min(∇²h) + ρκ < 0`, or less than twice away from it;
//! 4. over-relaxation of steps that are not known to be convex;
//! 5. a ρ that is written, and stays, where convergence needs one above a threshold that nobody knows.
//!
//! Curvatures are measured where the run ended, half the way there, and where the variable's copy ended; or, where
//! it left for infinity, where it began. The place where the least, or the largest, is furthest out is named. A
//! cause that is measured is told from one that is a rule alone.

use super::Ran;
use super::curvature::{self, Curves};
use crate::diag::digits;
use crate::exec::{Status, starting};
use crate::model::ir::{Adapt, DescentKind, Expr, Leaf, Member, Rho, VarId};
use crate::source::Span;
use crate::steps::ir::{AdmmPlan, MethodPlan, Step};

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

/// How close to where it settles a penalty counts as at it: there λ only changes its sign.
const AT: f64 = 1e-6;

/// Over-relaxation from which it is blamed.
const RELAXED: f64 = 1.5;

/// The surest of those that are measured.
pub(super) fn likely(ran: &Ran) -> Option<Cause> {
    all(ran).into_iter().find(|cause| cause.measured)
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
    let (least, rho, relax) = (step.threshold?, ran.rho()?, plan.relax);
    let names = ran.names(step);
    let (plain, settles) = (2.0 * least, plan.settles(least));
    let formula = plan.settles_at();
    let instead = if relax > 1.0 && rho > plain * (1.0 + AT) {
        format!("write `relax = 1`, or a `rho` above {}", digits(settles, 7))
    } else if relax > 1.0 || plan.settings.rho == Rho::Auto {
        format!("write `relax = 1` and a `rho` well above {}, as {}", digits(plain, 7), digits(2.0 * plain, 2))
    } else {
        format!("write `rho = auto`, or more than {}", digits(plain, 7))
    };
    (rho <= settles * (1.0 + AT)).then(|| Cause {
        shown: format!(
            "the step of {names} is convex above ρ* = {}, and the iteration settles above about {formula} = {}: ρ is {}",
            digits(least, 7),
            digits(settles, 7),
            digits(rho, 7)
        ),
        instead,
        at: Some((ran.place(plan, step), format!("the step of {names} curves downwards"))),
        measured: true,
    })
}

/// The second and the third: the curvature of a step by an inner method.
fn curved(ran: &Ran, plan: &AdmmPlan, step: &Step) -> Option<Cause> {
    let (smooth, descent) = step.followed()?;
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
    (plan.relax > RELAXED).then(|| Cause {
        shown: format!(
            "`relax = {}` goes beyond each step, which only convex steps are known to bear",
            digits(plan.relax, 4)
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
    place: String,
    curves: Curves,
}

/// The curvatures of terms over these variables, of which none is a family and nothing is drawn.
fn measured(ran: &Ran, exprs: &[&Expr], vars: &[VarId]) -> Vec<Measured> {
    let model = ran.subject.model;
    let shape = |leaf| model.leaf_shape(leaf).numel();
    let began = |leaf: Leaf| match leaf {
        Leaf::Var(id, Member::None) => began(ran, id, shape(leaf)),
        leaf => ran.value(leaf),
    };
    let at = |place: String, value: &dyn Fn(Leaf) -> Option<Vec<f64>>| {
        let curves = curvature::extremes(model, exprs, vars, value)?;
        Some(Measured { place, curves })
    };
    if is_gone(ran) {
        return at("where the run began".to_string(), &began).into_iter().collect();
    }
    let half = |leaf: Leaf| {
        let (start, end) = (began(leaf)?, ran.value(leaf)?);
        Some(start.iter().zip(end).map(|(a, b)| 0.5 * (a + b)).collect())
    };
    let mut all = vec![
        at("where the run ended".to_string(), &|leaf| ran.value(leaf)),
        at("half the way from its start to its end".to_string(), &half),
    ];
    if let ([own], Some(other)) = (vars, partner(ran, vars)) {
        let copied = |leaf: Leaf| match leaf {
            Leaf::Var(id, Member::None) if id == *own => ran.value(Leaf::Var(other, Member::None)),
            leaf => ran.value(leaf),
        };
        all.push(at(format!("where `{}` ended", model.vars[other.index()].name), &copied));
    }
    all.into_iter().flatten().collect()
}

/// The variable of the same shape that a single one is tied to: a copy, where its step should end as well.
fn partner(ran: &Ran, vars: &[VarId]) -> Option<VarId> {
    let [own] = vars else { return None };
    let var = |id: VarId| &ran.subject.model.vars[id.index()];
    let split = &ran.subject.split.players[var(*own).player.index()];
    let parts = split.couplings_of(vars).flat_map(|(_, coupling)| &coupling.parts).map(|part| part.var);
    let alike = |id: &VarId| id != own && var(*id).shape == var(*own).shape && var(*id).family.is_none();
    parts.into_iter().find(alike)
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
