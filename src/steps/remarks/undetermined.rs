//! E0503: a step with a line of minimisers, which nothing tells apart.
//!
//! ```text
//! quadratic   null(P) ∩ null(M) ∩ null(E) ≠ {0}
//! any other   null(M) ∩ ⋂ null(Kᵢ) ≠ {0}, where its terms and constraints read v by Kᵢv alone
//! ```
//!
//! Such a step is taken all the same, with `(σ/2)‖v − v_k‖²` where it is a system: along the line the answer is what
//! the start was. Equations that hold the line determine it.

use super::{names, place};
use crate::diag::{Code, Diag, Diags, number};
use crate::linalg::{Curvature, Sum};
use crate::model::Model;
use crate::source::Span;
use crate::split::direction;
use crate::split::reads::reads;
use crate::steps::ir::{AdmmPlan, Rule, Step};
use crate::steps::system::flat;

/// Curvature, by the largest, that is rounding: of sums of some thousand products.
const ROUNDING: f64 = 1e-13;

pub(super) fn remarks(model: &Model, plan: &AdmmPlan, span: Span, diags: &mut Diags) {
    for step in plan.steps() {
        let sums = sums(model, plan, step);
        let Some((member, found)) = sums.iter().enumerate().find_map(|(member, sum)| Some((member, flat(sum)?))) else {
            continue;
        };
        let (vars, names) = (&step.component.vars, names(model, step));
        let along = direction::flat(model, vars, &found.direction);
        let whose = if step.component.over.is_some() { format!(", member {}", member + 1) } else { String::new() };
        let moves: Vec<_> = direction::moved(model, vars, &found.direction);
        let mut diag = Diag::new(
            Code::NonUniqueStep,
            place(model, plan, step, span, |_| true),
            format!("nothing determines the step of {names} along {along}{whose}"),
        )
        .here("the same all along that line");
        for var in &moves {
            diag = diag.label(model.vars[var.index()].span, "moves along it");
        }
        let curvature = if found.curvature.abs() <= ROUNDING * found.largest { 0.0 } else { found.curvature };
        diag = diag.certify(format!(
            "terms and penalty curve by {} along it, and by {} along {}",
            number(curvature),
            number(found.largest),
            direction::element_of(model, vars, found.at)
        ));
        if let Some(more) = found.count.filter(|&count| count > 1) {
            diag = diag.certify(format!("{more} directions are like this one, none of which follows from the others"));
        }
        let name = moves.first().map_or("x", |var| model.vars[var.index()].name.as_str());
        diags.push(diag.help(format!(
            "along that line no point is better than another, so the iterates stay where they start and the answer is one of many; to say which is meant, add a small multiple of `sum_squares({name})` to the objective, or an equation that the line does not satisfy"
        )));
    }
}

/// What curves each member, or what it reads, where that may leave a direction; one for all members that are alike.
fn sums(model: &Model, plan: &AdmmPlan, step: &Step) -> Vec<Curvature> {
    match &step.rule {
        Rule::Quadratic { curvature, equalities, system, .. } if system.proximal > 0.0 => {
            let own = |p: &Curvature| {
                let sum = Curvature::sum(&[(1.0, p), (plan.rho, &step.gram)]);
                let Some(equalities) = equalities else { return sum };
                let size = sum.diagonal().iter().fold(0.0f64, |size, d| size.max(d.abs()));
                let size = if size > 0.0 { size } else { 1.0 };
                let e = &equalities.operator;
                let mut held = Sum::new(sum.n());
                held.add(1.0, &sum);
                let lengths = e.to_sparse();
                let weight = |i: usize| size / lengths.row(i).map(|(_, x)| x * x).sum::<f64>().max(f64::MIN_POSITIVE);
                held.square(e, &(0..e.rows()).map(weight).collect::<Vec<f64>>());
                held.finish()
            };
            curvature.iter().map(own).collect()
        }
        // A proximal map has a point by itself (split::proximal), and a coupling that is not linear may hold all.
        Rule::Quadratic { .. } | Rule::Prox(_) => Vec::new(),
        _ if step.curved || is_held(&step.gram) => Vec::new(),
        Rule::Linearised(_) | Rule::Descent(_) | Rule::Composite(_) => {
            let mut sum = Sum::new(step.gram.n());
            sum.add(1.0, &step.gram);
            reads(model, plan.player, &step.component).iter().for_each(|k| {
                let size = k.norm_bound().powi(2).max(f64::MIN_POSITIVE);
                sum.square(k, &vec![1.0 / size; k.rows()]);
            });
            vec![sum.finish()]
        }
    }
}

/// Whether the penalty alone holds every element.
fn is_held(gram: &Curvature) -> bool {
    matches!(gram, Curvature::Diagonal(d) if d.iter().all(|&d| d > 0.0))
}
