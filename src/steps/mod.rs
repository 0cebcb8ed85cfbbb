//! Split → [`Plan`]: a rule for each component's argmin, the first of the ladder that applies.
//!
//! 1. [`prox`]: one proximal map of atoms of the catalogue — closed form;
//! 2. [`quadratic`]: all terms are quadratic in the component — closed form;
//! 3. [`linearised`]: a proximal map, the penalty linearised;
//! 4. [`newton`]: Newton's method, on few variables of a smooth convex function;
//! 5. [`composite`]: a smooth function and a proximal map, by gradient steps that end in the map;
//! 6. [`gradient`]: the inner method that the solve block names, the penalty taken exactly.
//!
//! A solve block may state the update itself, [`given`]; it runs, and the rule says what it leaves.
//!
//! Behind them, [`remarks`], [`domain`], [`rewritten`] and [`unattained`] say what is to be known of the rules that
//! were chosen.
//!
//! A rule is a file with a verb that gives the rule or the reason why it does not apply. `explain`
//! shows the reasons.

pub mod claims;
mod composite;
mod domain;
mod given;
mod gradient;
pub mod ir;
mod letters;
mod linearised;
mod newton;
mod print;
mod prox;
mod quadratic;
mod remarks;
mod rewritten;
mod rho;
mod system;
mod threshold;
mod unattained;
mod update;

pub use ir::Plan;
pub use system::repeated;
pub use update::{Script, Updates, updates};

use crate::diag::{Code, Diag, Diags};
use crate::linalg::{Operator, Sum};
use crate::model::Model;
use crate::model::ir::{
    Admm, ConstraintId, Descent, Inner, Method, PlayerId, Solve, SolveBody, Step as GameStep, StepKind,
};
use crate::source::Span;
use crate::split::Split;
use crate::split::atoms::{self, Piece, Place};
use crate::split::ir::{Component, PlayerSplit, weighted};
use crate::split::is_exact;
use crate::split::mend;
use crate::tape::Dtype;
use ir::{AdmmPlan, Curvature, MethodPlan, Rule, Step};

/// Over-relaxation where every step is convex, which is usually worth a third of the iterations (Boyd et al.,
/// Distributed optimization and statistical learning via ADMM, 2011, §3.4.3).
const CONVEX_RELAX: f64 = 1.6;

/// Chooses a rule for every step of a solve block.
pub fn choose(model: &Model, split: &Split, solve: &Solve, diags: &mut Diags) -> Plan {
    let mut plan = Plan::default();
    match &solve.body {
        SolveBody::Method(method) => {
            let how = (false, solve.precision);
            plan.methods.extend(self::method(model, split, PlayerId(0), method, solve.span, how, diags));
        }
        SolveBody::Game(steps) => {
            game(model, split, (steps, solve.precision), &mut plan, diags);
            one_rho(model, &plan, solve.span, diags);
        }
    }
    domain::check(model, split, &plan, solve, diags);
    rewritten::check(model, &plan, solve, diags);
    unattained::check(model, split, &plan, diags);
    plan
}

/// A player has one ρ, which its split iterations share: they start it at one value.
fn one_rho(model: &Model, plan: &Plan, span: Span, diags: &mut Diags) {
    let mut starts: Vec<(PlayerId, f64)> = Vec::new();
    for method in &plan.methods {
        let MethodPlan::Admm(admm) = method else { continue };
        match starts.iter().find(|(player, _)| *player == admm.player) {
            Some(&(player, rho)) if rho != admm.rho => {
                let name = model.players[player.index()].name.clone().unwrap_or_default();
                diags.push(
                    Diag::new(
                        Code::NotYet,
                        span,
                        format!("`{name}` starts at ρ = {rho} in one place and at ρ = {} in another", admm.rho),
                    )
                    .here("two `admm` of one player")
                    .help("the turns of a player share one ρ and one λ, for now: write the same `rho` in each"),
                );
            }
            Some(_) => {}
            None => starts.push((admm.player, admm.rho)),
        }
    }
}

fn game(model: &Model, split: &Split, (steps, precision): (&[GameStep], Dtype), plan: &mut Plan, diags: &mut Diags) {
    for step in steps {
        match &step.kind {
            StepKind::Epochs { body, .. } | StepKind::Times { body, .. } | StepKind::EachBatch { body } => {
                game(model, split, (body, precision), plan, diags);
            }
            StepKind::When { body, .. } => game(model, split, (std::slice::from_ref(body), precision), plan, diags),
            StepKind::Method { player, method } => {
                plan.methods.extend(self::method(model, split, *player, method, step.span, (true, precision), diags));
            }
            StepKind::Restart { player } => {
                if let Err(why) = &split.players[player.index()].whole {
                    diags.push(
                        Diag::new(Code::NotYet, step.span, format!("there are no copies to take the mean of: {why}"))
                            .here("sets copies to their mean and λ to 0")
                            .help("a restart needs constraints that make variables copies of each other, such as `x - z = 0`"),
                    );
                }
            }
            StepKind::Track { .. } | StepKind::SaveImages { .. } => {}
        }
    }
}

fn method(
    model: &Model,
    split: &Split,
    player: PlayerId,
    method: &Method,
    span: Span,
    (in_game, precision): (bool, Dtype),
    diags: &mut Diags,
) -> Option<MethodPlan> {
    let own = &split.players[player.index()];
    let random = model.players[player.index()].terms.iter().any(|term| model.is_random(&term.expr));
    match method {
        Method::Admm(admm) if in_game && admm.tol.is_some() => {
            diags.push(
                Diag::new(Code::NotYet, span, "a turn of a game runs its iterations; it has no stopping test")
                    .here("`tol` has no effect here")
                    .help("leave `tol` out, and say with `iterations` how long the turn is"),
            );
            None
        }
        Method::Descent(descent) if random && (descent.is_searched() || descent.tol.is_some()) => {
            let what = if descent.is_searched() { "this method needs" } else { "a tolerance needs" };
            diags.push(
                Diag::new(
                    Code::NoStepRule,
                    span,
                    format!("{what} the same objective at every step, and a term reads a random batch"),
                )
                .here("sees another batch at every step")
                .help("take `adam` or `sgd` with a number of iterations, or declare the sample `fixed`"),
            );
            None
        }
        // A problem that is one exact step needs no split.
        Method::Admm(admm) if own.is_split() || is_one_step(model, own) => {
            self::admm(model, own, admm, span, (in_game, precision), diags).map(|plan| MethodPlan::Admm(Box::new(plan)))
        }
        Method::Admm(_) => {
            let mut firsts = own.x.components.iter().filter_map(|component| component.vars.first());
            diags.push(match (firsts.next(), firsts.next()) {
                (Some(&one), Some(&other)) => crate::split::apart(model, one, other),
                _ => nothing_to_split(model, player, span),
            });
            None
        }
        Method::Descent(_) if let Some(constraint) = unkept(model, own) => {
            diags.push(
                Diag::new(Code::NoStepRule, span, "descent does not keep to constraints, and this problem has one")
                    .here("would leave it")
                    .label(constraint, "not kept")
                    .help("take `admm`, which does; the equations that make variables copies of each other are kept by either"),
            );
            None
        }
        Method::Descent(descent) => match &own.whole {
            Ok(_) => Some(MethodPlan::Descent { player, descent: descent.clone() }),
            Err(why) => {
                diags.push(
                    Diag::new(Code::NotYet, span, format!("this method needs the unsplit problem, but {why}"))
                        .here("descends on the unsplit objective")
                        .help("use `admm` here, or write the coupling so that one side is a plain variable: `A*x - z = 0`"),
                );
                None
            }
        },
    }
}

/// The first constraint as written that is no coupling, which the unsplit problem knows nothing of.
fn unkept(model: &Model, split: &PlayerSplit) -> Option<Span> {
    let source = model.players[split.player.index()].source().2;
    let coupled = |at: usize| split.couplings.iter().any(|coupling| coupling.constraint.index() == at);
    source.iter().enumerate().find(|(at, _)| !coupled(*at)).map(|(_, constraint)| constraint.span)
}

/// Why a problem without couplings is not split: the first constraint or term that has no step.
fn nothing_to_split(model: &Model, player: PlayerId, span: Span) -> Diag {
    let this = &model.players[player.index()];
    let why = |piece: Piece| match piece {
        Piece::Other { why, smooth: false } => Some(why),
        _ => None,
    };
    let constraint = this.constraints.iter().enumerate().find_map(|(at, constraint)| {
        why(atoms::of_constraint(model, player, ConstraintId(at as u32))).map(|why| (constraint.span, why))
    });
    let term = || {
        (0..this.terms.len())
            .find_map(|at| why(atoms::of_term(model, player, at)).map(|why| (this.terms[at].span, why)))
    };
    match constraint.or_else(term) {
        Some((at, why)) => Diag::new(Code::NoStepRule, at, "this has no step, so the problem can't be split")
            .here("no function or set of an affine expression")
            .certify(why)
            .help("the catalogue's functions and sets take `A*x + b`; give what stands inside a variable of its own, tied by an equation, or name an inner method in the solve block"),
        None => Diag::new(Code::NoStepRule, span, "there is nothing to split")
            .here("smooth, without constraints")
            .help("take `lbfgs`; ADMM wants a second part with a step of its own"),
    }
}

fn admm(
    model: &Model,
    split: &PlayerSplit,
    admm: &Admm,
    span: Span,
    (in_game, precision): (bool, Dtype),
    diags: &mut Diags,
) -> Option<AdmmPlan> {
    let mut block = |components: &[Component], inner: &Option<Inner>, name: &str| -> Option<Vec<Step>> {
        let descent = inner.as_ref().and_then(Inner::descent).cloned();
        let steps: Vec<Option<Step>> = components
            .iter()
            .map(|component| step(model, split, component, (admm, in_game), (&descent, name), span, diags))
            .collect();
        let mut steps: Vec<Step> = steps.into_iter().collect::<Option<_>>()?;
        if let Some(value) = inner.as_ref().and_then(Inner::given) {
            given::put(model, split, (name, value), &mut steps, diags)?;
        }
        Some(steps)
    };
    let x = block(&split.x.components, &admm.x_step, "x_step");
    let z = block(&split.z.components, &admm.z_step, "z_step");
    let mut plan = AdmmPlan {
        player: split.player,
        settings: admm.clone(),
        x: x?,
        z: z?,
        relax: 1.0,
        rho: 1.0,
        rho_why: String::new(),
        rho_least: 0.0,
        convex: false,
        accelerate: if split.couplings.is_empty() || split.couplings.iter().any(|coupling| coupling.over.is_some()) {
            0
        } else {
            admm.accelerate
        },
        in_game,
    };
    let convex = plan.steps().all(|step| step.convex);
    plan.convex = convex;
    plan.relax = admm.relax.unwrap_or(if plan.convex && !in_game { CONVEX_RELAX } else { 1.0 });
    (plan.rho, plan.rho_why) = rho::initial(&plan, &split.couplings);
    // 1/rate is the largest that gradient steps ask for, and may fall; the others' start is a guess from
    // below. (Without convexity a ρ that is too low leaves the copies apart for good.) What is not linear gives
    // no guess at all: there ρ goes where the residuals send it.
    let falls = |step: &Step| step.convex || step.curved || step.rule.has_rate();
    plan.rho_least = if plan.steps().all(falls) { 0.0 } else { plan.rho };
    let mut own = Diags::default();
    quadratic::settle(model, &mut plan, span, &mut own);
    remarks::on(model, split, &plan, (span, precision), &mut own);
    diags.extend(own);
    Some(plan)
}

/// Whether every step of a problem without couplings is exact, so that one iteration solves it.
fn is_one_step(model: &Model, split: &PlayerSplit) -> bool {
    let terms = &model.players[split.player.index()].terms;
    terms.iter().all(|term| !model.is_random(&term.expr))
        && split.x.components.iter().all(|component| is_exact(model, split.player, component, &split.couplings))
}

fn step(
    model: &Model,
    split: &PlayerSplit,
    component: &Component,
    (admm, in_game): (&Admm, bool),
    (inner, option): (&Option<Descent>, &str),
    span: Span,
    diags: &mut Diags,
) -> Option<Step> {
    let couplings = weighted(model, component, &split.couplings);
    let gram = gram(couplings.as_deref().unwrap_or_default(), component, model);
    let curved = couplings.is_none();
    let terms = &model.players[split.player.index()].terms;
    let sampled = component.terms.iter().any(|&at| model.is_random(&terms[at].expr));
    let mut tried = Vec::new();
    let convex = || component.terms.iter().all(|&at| atoms::is_convex(model, split.player, at));
    let make = |rule: Rule, tried: Vec<String>| {
        let convex = !curved
            && match &rule {
                Rule::Quadratic { system, .. } => system.convex,
                Rule::Prox(form) | Rule::Linearised(form) => form.is_convex(),
                Rule::Descent(_) => convex(),
                Rule::Composite(it) => it.form.is_convex() && convex(),
            };
        let threshold = threshold::threshold(&rule, &gram);
        let component = component.clone();
        Some(Step { component, rule, given: None, gram: gram.clone(), curved, sampled, convex, threshold, tried })
    };
    match prox::rule(model, split.player, component, &split.couplings) {
        Ok(rule) => return make(rule, tried),
        Err(why) => tried.push(format!("prox: {why}")),
    }
    let changes = system::changes(admm, in_game || sampled);
    let linear = couplings.as_deref().ok_or_else(|| not_linear(model, split, component));
    match linear.clone().and_then(|own| quadratic::rule(model, split.player, component, &gram, own, changes)) {
        Ok(rule) => return make(rule, tried),
        Err(why) => tried.push(format!("quadratic: {why}")),
    }
    match linearised::rule(model, split.player, component, &split.couplings) {
        // An inner method that is named is what was asked for.
        Ok(rule) if inner.is_none() => return make(rule, tried),
        Ok(_) => tried.push(format!("linearised: `{option}` names another method")),
        Err(why) => tried.push(format!("linearised: {why}")),
    }
    let newton = || newton::rule(model, split.player, component, inner, sampled, option);
    match linear.clone().and_then(|_| newton()) {
        Ok(rule) => return make(rule, tried),
        Err(why) => tried.push(format!("newton: {why}")),
    }
    let composite = || composite::rule(model, split.player, component, &split.couplings, inner, sampled, option);
    match linear.and_then(|_| composite()) {
        Ok(rule) => return make(rule, tried),
        Err(why) => tried.push(format!("composite: {why}")),
    }
    let one = one_member(split, component, curved);
    match one.and_then(|()| gradient::rule(model, split.player, component, inner, sampled, option)) {
        Ok(rule) => make(rule, tried),
        Err(why) => {
            tried.push(format!("gradient: {why}"));
            let names: Vec<String> =
                component.vars.iter().map(|var| format!("`{}`", model.vars[var.index()].name)).collect();
            let at = component.terms.first().map_or(span, |&at| terms[at].span);
            let places = component.terms.iter().map(|&at| Place::Term(at));
            let places: Vec<Place> =
                places.chain(component.constraints.iter().copied().map(Place::Constraint)).collect();
            let fix = mend::behind(model, split.player, component, &places);
            let method =
                format!("name an inner method in the solve block, for example `{option} = gradient(rate = 0.1)`");
            let help = match &fix {
                Some(_) => format!("give a function or set a variable of its own in the other block, or {method}"),
                None => format!("give each function or set a variable of its own, or {method}"),
            };
            let mut diag = Diag::new(Code::NoStepRule, at, format!("no rule takes the step of {}", names.join(", ")))
                .here(if inner.is_none() {
                    "no closed form, and no inner method is named"
                } else {
                    "no closed form, and not a step of the method that is named"
                })
                .help(help);
            diag.fix = fix;
            for why in tried {
                diag = diag.certify(why);
            }
            diags.push(diag);
            None
        }
    }
}

/// Every way to solve a closed-form step's systems, for tests that hold them to each other.
#[cfg(test)]
pub(crate) fn solvers(model: &Model, split: &PlayerSplit, step: &Step) -> Vec<ir::Solver> {
    let Rule::Quadratic { curvature, equalities, .. } = &step.rule else { return Vec::new() };
    let grids: Vec<Vec<usize>> =
        step.component.vars.iter().map(|var| model.vars[var.index()].shape.0.clone()).collect();
    system::every(&system::Problem {
        n: step.gram.n(),
        curvature,
        gram: &step.gram,
        couplings: &weighted(model, &step.component, &split.couplings).unwrap_or_default(),
        equalities: equalities.as_ref(),
        grids: if grids.len() == 1 { &grids } else { &[] },
        members: step.component.over.unwrap_or(1),
        changes: 0.0,
    })
}

/// Which coupling is not linear in which of the component's variables.
fn not_linear(model: &Model, split: &PlayerSplit, component: &Component) -> String {
    let found = split.couplings.iter().find_map(|coupling| {
        let var = coupling.curved().find(|var| component.vars.contains(var))?;
        Some(format!("`{}` is not linear in {}", coupling.name, model.vars[var.index()].name))
    });
    found.unwrap_or_default()
}

/// Refuses families where a coupling is not linear.
fn one_member(split: &PlayerSplit, component: &Component, curved: bool) -> Result<(), String> {
    let family =
        component.over.is_some() || split.couplings_of(&component.vars).any(|(_, coupling)| coupling.over.is_some());
    if curved && family {
        return Err("a coupling that is not linear, in a step with a family, is not executed yet".to_string());
    }
    Ok(())
}

/// `MᵀWM` over the component's variables: the sum over the couplings, each member of a family of
/// constraints counted.
fn gram(couplings: &[(f64, Operator)], component: &Component, model: &Model) -> Curvature {
    let n = component.vars.iter().map(|var| model.vars[var.index()].shape.numel()).sum();
    let mut sum = Sum::new(n);
    for (times, operator) in couplings {
        sum.square(operator, &vec![*times; operator.rows()]);
    }
    sum.finish()
}
