//! E0506: scales that lie so far apart that the iteration, or its arithmetic, can't bridge them.
//!
//! 1. A step's matrix that is nearly singular, whatever its units: a factor loses log₁₀ κ digits
//!    ([`condition`]). Where κ·ε, ε of the working precision, reaches the tolerance that is asked for, that is a
//!    note: by trial, residuals pass as long as κ·ε < 1, for the step is backward stable. From there on it is a
//!    warning: least squares in f32 were solved at κ = 5e6 and not finite at 5e8.
//! 2. Variables of one step in units too far apart. One ρ balances all of them, and where it is too weak or too
//!    strong for one, that one contracts by `1 − min(ρg/p, p/ρg)` an iteration, p and g its entries of P and MᵀM.
//! 3. Rows of the couplings likewise, what equilibration makes of them: it weighs rows of exact steps
//!    (`split::scaling`), and neither families nor rows of plain copies.
//!
//! A step that is exact is the same in all units of its variables, and rows that are weighed in all units of theirs:
//! where that holds, nothing is said.

use super::{names, number, place};
use crate::diag::{Code, Diag, Diags, Severity};
use crate::linalg::Curvature;
use crate::model::Model;
use crate::source::Span;
use crate::split::direction;
use crate::split::ir::Coupling;
use crate::steps::ir::{AdmmPlan, Rule, Solver, Step};
use crate::steps::system::{condition, flat};
use crate::tape::Dtype;

/// How far apart curvatures may lie. By trial: least squares within bounds, 40 × 20, whose columns' lengths run over
/// 1, 1e2, 1e4, 1e6 and 1e8 (curvatures over their squares) took 19, 74, 382, 7634 and more than 10000 iterations.
const APART: f64 = 1e10;

/// Adds the remarks on scales.
pub(super) fn remarks(
    model: &Model,
    couplings: &[Coupling],
    plan: &AdmmPlan,
    (span, precision): (Span, Dtype),
    diags: &mut Diags,
) {
    for step in plan.steps() {
        let at = place(model, plan, step, span, |_| true);
        if let Some(diag) = nearly_singular(model, plan, step, at, precision) {
            diags.push(diag);
        } else if let Some(diag) = units(model, step, at) {
            diags.push(diag);
        } else if let Some(diag) = lost(model, plan, step, at) {
            diags.push(diag);
        }
    }
    // Steps by an inner method are not of one ρ against one curvature.
    if plan.steps().all(|step| step.rule.is_exact())
        && let Some(diag) = rows(couplings)
    {
        diags.push(diag);
    }
}

/// A system whose factor has no digits to spare.
fn nearly_singular(model: &Model, plan: &AdmmPlan, step: &Step, at: Span, precision: Dtype) -> Option<Diag> {
    let Rule::Quadratic { curvature, system, .. } = &step.rule else { return None };
    // What nothing determines is another remark; what equations determine has a system of its own; and where
    // there is no factor, none loses digits.
    let direct = matches!(system.solver, Solver::Cholesky | Solver::Sparse(_) | Solver::Inversion | Solver::Eigen);
    let tol = plan.settings.tol.filter(|_| system.proximal == 0.0 && direct)?;
    let epsilon = if precision == Dtype::F32 { f64::from(f32::EPSILON) } else { f64::EPSILON };
    let held: Vec<f64> = match &step.gram {
        Curvature::Diagonal(d) if system.convex => d.iter().map(|g| plan.rho * g).collect(),
        gram => vec![0.0; gram.n()],
    };
    let found = curvature.iter().find_map(|p| {
        let sum = Curvature::sum(&[(1.0, p), (plan.rho, &step.gram)]);
        condition(&sum, &held, tol / epsilon)
    })?;
    let (names, lost) = (names(model, step), found.number * epsilon);
    let along = direction::flat(model, &step.component.vars, &found.lowest);
    let diag = Diag::new(Code::BadlyScaled, at, format!("the system of the step of {names} is nearly singular"))
        .here(format!("hardly curves along {along}"))
        .certify(format!(
            "with its rows and columns brought to one scale its condition is still κ = {}: of the {} digits of {} it leaves {}",
            rounded(found.number),
            (-epsilon.log10()).round(),
            if precision == Dtype::F32 { "f32" } else { "f64" },
            (-lost.log10()).round().max(0.0)
        ));
    Some(if lost < 1.0 {
        diag.severity(Severity::Note).help(format!(
            "the step is right to about {} along that direction, and tol = {} asks for more; the residuals may pass all the same, as nothing depends on it much: what nearly repeats another column of the data is better left out, or held by a small `sum_squares`",
            rounded(lost),
            number(tol)
        ))
    } else {
        diag.help("its factor is rounding along that direction, so the step goes anywhere there, or fails; leave out what nearly repeats another column of the data, hold the direction by a `sum_squares`, or write `precision = f64`")
    })
}

/// Variables of one step in units that one ρ can't serve.
fn units(model: &Model, step: &Step, at: Span) -> Option<Diag> {
    let Rule::Quadratic { curvature, .. } = &step.rule else { return None };
    let gram = step.gram.diagonal();
    let ratios = curvature.iter().flat_map(|p| p.diagonal().into_iter().zip(&gram).enumerate());
    let ratios = ratios.filter(|(_, (p, g))| *p > 0.0 && **g > 0.0).map(|(at, (p, g))| (p / g, at));
    let (least, most) = extremes(ratios)?;
    let apart = most.0 / least.0;
    if apart < APART {
        return None;
    }
    let vars = &step.component.vars;
    let (low, high) = (direction::element_of(model, vars, least.1), direction::element_of(model, vars, most.1));
    let names = names(model, step);
    Some(
        Diag::new(Code::BadlyScaled, at, format!("the units of {names} lie too far apart for one ρ"))
            .here(format!("curves {} times as much along {high} as along {low}", rounded(apart)))
            .certify(format!(
                "curvature against the penalty's: {} along {low}, {} along {high}",
                rounded(least.0),
                rounded(most.0)
            ))
            .certify("the rows of the constraints are weighed against each other where that helps; the units of variables are as written".to_string())
            .help(format!(
                "with ρ between the two, either takes about the root of that ratio in iterations; measure {low} in a unit about {} times as large, or {high} in one as much smaller: scale the columns of the data, to length 1 for example",
                rounded(apart.sqrt())
            )),
    )
}

/// A step that is held to where it was along a direction (`quadratic::settle`) which curves, if in other units.
fn lost(model: &Model, plan: &AdmmPlan, step: &Step, at: Span) -> Option<Diag> {
    let Rule::Quadratic { curvature, equalities: None, system, .. } = &step.rule else { return None };
    let p = curvature.first().filter(|_| system.proximal > 0.0)?;
    let sum = Curvature::sum(&[(1.0, p), (plan.rho, &step.gram)]);
    if flat(&sum).is_some() {
        return None;
    }
    let all = sum.diagonal().into_iter().enumerate().filter(|(_, d)| *d > 0.0).map(|(at, d)| (d, at));
    let (least, most) = extremes(all)?;
    if most.0 < APART * least.0 {
        return None;
    }
    let vars = &step.component.vars;
    let (low, high) = (direction::element_of(model, vars, least.1), direction::element_of(model, vars, most.1));
    let names = names(model, step);
    let times = rounded((most.0 / least.0).sqrt());
    Some(
        Diag::new(Code::BadlyScaled, at, format!("the units of {names} lie too far apart for one step"))
            .here(format!("curves by {} along {low} and by {} along {high}", rounded(least.0), rounded(most.0)))
            .certify(format!(
                "what curves less than 1e-10 times as much as {high} is held to where it was, with σ = {}",
                rounded(system.proximal)
            ))
            .help(format!(
                "{low} then moves by a share of its way an iteration, about {}, and the answer is late in it; measure {low} in a unit about {times} times as large, or {high} in one as much smaller",
                rounded(least.0 / system.proximal)
            )),
    )
}

/// Rows of the couplings that the penalty can't hold alike.
fn rows(couplings: &[Coupling]) -> Option<Diag> {
    let mut squares: Vec<(f64, (usize, usize))> = Vec::new();
    for (at, coupling) in couplings.iter().enumerate() {
        let mut own = vec![0.0; coupling.offset.len()];
        for operator in coupling.parts.iter().filter_map(|part| part.operator.as_ref()) {
            own.iter_mut().zip(operator.row_squares()).for_each(|(sum, square)| *sum += square);
        }
        if let Some(weights) = &coupling.weights {
            own.iter_mut().zip(weights).for_each(|(sum, weight)| *sum *= weight);
        }
        squares.extend(own.into_iter().enumerate().filter(|(_, s)| *s > 0.0).map(|(row, s)| (s, (at, row))));
    }
    let (least, most) = extremes(squares.into_iter())?;
    let apart = most.0 / least.0;
    if apart < APART {
        return None;
    }
    let name = |(at, row): (usize, usize)| {
        let coupling = &couplings[at];
        if coupling.offset.len() == 1 { coupling.name.clone() } else { format!("{}[{}]", coupling.name, row + 1) }
    };
    let (light, heavy) = (name(least.1), name(most.1));
    let mut diag = Diag::new(
        Code::BadlyScaled,
        couplings[least.1.0].span,
        format!(
            "the rows of the constraints lie too far apart for one ρ: {heavy} is {} times as long as {light}",
            rounded(apart.sqrt())
        ),
    )
    .here(format!("{light} has length {}", rounded(least.0.sqrt())));
    if most.1.0 != least.1.0 {
        diag = diag.label(couplings[most.1.0].span, format!("{heavy} has length {}", rounded(most.0.sqrt())));
    }
    Some(
        diag.certify(format!("the penalty (ρ/2)‖Ax + Bz − c‖² counts {heavy} {} times as much as {light}", rounded(apart)))
            .help(format!(
                "a violation of {light} is nothing beside rounding in {heavy}, so its multiplier takes as many iterations longer; multiply {light} by about {}, or divide {heavy} by it",
                rounded(apart.sqrt())
            )),
    )
}

/// The least and the largest, each with what stands beside it.
fn extremes<T: Copy>(all: impl Iterator<Item = (f64, T)>) -> Option<((f64, T), (f64, T))> {
    all.fold(None, |found, own| match found {
        None => Some((own, own)),
        Some((least, most)) => {
            Some((if own.0 < least.0 { own } else { least }, if own.0 > most.0 { own } else { most }))
        }
    })
}

/// To two digits: these are estimates.
pub(super) fn rounded(x: f64) -> String {
    crate::diag::digits(x, 2)
}
