//! E0504: a nonconvex problem that the theory of nonconvex ADMM does not cover.
//!
//! Of `min f(x) + g(z)` subject to `Ax + Bz = c`, z updated last, Wang, Yin & Zeng (Global convergence of ADMM in
//! nonconvex nonsmooth optimization, J. Sci. Comput. 78, 2019, Theorem 1) ask among other things that
//!
//! ```text
//! 1. im A ⊆ im B,      2. ∇g is Lipschitz, of constant L,      3. ρ is large enough
//! ```
//!
//! Of the first two, z follows x wherever it goes, and λ is a Lipschitz function of z: Bᵀλ = −∇g(z). How large ρ
//! must be follows, with BᵀB = κI, from what an iteration does to the augmented Lagrangian: the z-step lowers it by
//! (ρκ + m)/2·‖Δz‖², m the least curvature of g, and the λ-step raises it by ‖Δλ‖²/ρ ≤ L²/(ρκ)·‖Δz‖². It falls for
//!
//! ```text
//! ρκ > √2 L   (g convex),        ρκ > 2L   (m ≥ −L)
//! ```
//!
//! All of it is sufficient and none of it is necessary: what fails is worth a warning only where nothing else
//! watches the iterates, that is where ρ stays as written. An adapted ρ is raised where the residuals ask for it.

use super::{AT, names, number};
use crate::diag::{Code, Diag, Diags, Severity};
use crate::linalg::{Curvature, Matrix, factor};
use crate::model::Model;
use crate::model::ir::{Adapt, Rho};
use crate::source::Span;
use crate::split::atoms::{self, Piece};
use crate::split::direction;
use crate::split::ir::PlayerSplit;
use crate::steps::ir::{AdmmPlan, Rule, Step};

/// Rows of the couplings up to which im A is compared with im B: the eigenvalues take some milliseconds.
const MOST_ROWS: usize = 200;

/// Share of the largest singular value of B below which a direction counts as outside its image.
const OUTSIDE: f64 = 1e-9;

/// A condition that fails.
struct Failure {
    /// What: a sentence's end.
    what: String,
    place: Option<Span>,
    here: String,
    proof: String,
    help: String,
    /// Whether it is a bound that need not be sharp, and no part of the problem.
    mild: bool,
}

pub(super) fn remarks(model: &Model, split: &PlayerSplit, plan: &AdmmPlan, span: Span, diags: &mut Diags) {
    // A fixed schedule, as a game's, claims no limit, and of random batches the theorem says nothing.
    let covered = plan.is_tested() && !split.couplings.is_empty() && !plan.z.is_empty();
    // A coupling that is not linear is none of the theorem's either, and explain says so.
    if plan.convex || !covered || plan.steps().any(|step| step.curved) {
        return;
    }
    // Of a known modulus E0502 has compared ρ with what it takes. Where it complains, that comes first.
    let known =
        |step: &Step| step.convex || step.threshold.is_some_and(|least| plan.rho >= plan.settles(least) * (1.0 - AT));
    let told = diags.iter().any(|diag| diag.code == Code::ConcaveStep && diag.severity > Severity::Note);
    if told || plan.steps().all(known) {
        return;
    }
    let Some(failure) = image(model, split, plan).or_else(|| rough(model, plan)).or_else(|| weak(model, plan)) else {
        return;
    };
    let watched = plan.settings.adapt == Adapt::Balanced || matches!(plan.settings.rho, Rho::Auto);
    let severity = if watched || failure.mild { Severity::Note } else { Severity::Warning };
    let bent: Vec<String> = plan.steps().filter(|step| !step.convex).map(|step| names(model, step)).collect();
    let mut diag = Diag::new(
        Code::OutsideTheory,
        failure.place.unwrap_or(span),
        format!("what is known of nonconvex ADMM does not cover this: {}", failure.what),
    )
    .severity(severity)
    .here(failure.here)
    .certify(failure.proof);
    if failure.place.is_some() {
        diag = diag.label(span, format!("the step of {} is not known to be convex", bent.join(", ")));
    }
    let watch = match watched {
        true => "ρ is adapted here, and a run that ends `stationary` has had its first-order conditions verified",
        false => "with ρ fixed nothing watches the iterates, which may cycle",
    };
    diags.push(diag.help(format!("convergence is not assured: {watch}; {}", failure.help)));
}

/// A direction of the rows that x moves and z does not.
fn image(model: &Model, split: &PlayerSplit, plan: &AdmmPlan) -> Option<Failure> {
    let vars = |steps: &[Step]| steps.iter().flat_map(|step| step.component.vars.clone()).collect::<Vec<_>>();
    let (x, z) = (vars(&plan.x), vars(&plan.z));
    // Members of a family of couplings that share what z gives them.
    let shared = split.couplings.iter().find(|coupling| {
        let own = |vars: &[_]| coupling.parts.iter().filter(|part| vars.contains(&part.var)).collect::<Vec<_>>();
        let family = |part: &&crate::split::ir::Part| model.vars[part.var.index()].family.is_some();
        coupling.over.is_some_and(|members| members > 1) && own(&x).iter().any(family) && !own(&z).iter().any(family)
    });
    let help =
        "the block that is updated last has to follow the other wherever it goes: turn them round, `split z | x`";
    if let Some(coupling) = shared {
        return Some(Failure {
            what: format!("`{}` lets its first block move where the second can't follow", coupling.name),
            place: Some(coupling.span),
            here: "im A is not within im B".to_string(),
            proof: "a member moved by itself, the others at rest: the second block moves all members alike".to_string(),
            help: help.to_string(),
            mild: false,
        });
    }
    let rows: usize = split.couplings.iter().map(|coupling| coupling.offset.len()).sum();
    if split.couplings.iter().any(|coupling| coupling.over.is_some()) || rows > MOST_ROWS || rows == 0 {
        return None;
    }
    let stacked = |vars: &[_]| -> Option<Matrix> {
        let parts: Option<Vec<Matrix>> =
            split.couplings.iter().map(|coupling| Some(coupling.stacked(model, vars)?.to_dense())).collect();
        let parts = parts?;
        let cols = parts.first()?.cols;
        let all: Vec<f64> = parts.iter().flat_map(|part| (0..part.rows).flat_map(|i| part.row(i).to_vec())).collect();
        Some(Matrix::new(rows, cols, all))
    };
    let (a, b) = (stacked(&x)?, stacked(&z)?);
    let eigen = factor::eigen(&b.transpose().gram())?;
    let largest = eigen.values.iter().fold(0.0f64, |most, &value| most.max(value));
    for (k, _) in eigen.values.iter().enumerate().filter(|(_, value)| **value <= OUTSIDE * largest) {
        // Bᵀy = 0: is Aᵀy 0 too?
        let y: Vec<f64> = (0..rows).map(|i| eigen.vectors[(i, k)]).collect();
        let moved: Vec<f64> = (0..a.cols).map(|j| (0..rows).map(|i| a[(i, j)] * y[i]).sum()).collect();
        let size = moved.iter().fold(0.0f64, |most, x| most.max(x.abs()));
        if size <= OUTSIDE.sqrt() {
            continue;
        }
        let coupling = &split.couplings[0];
        let unit: Vec<f64> = moved.iter().map(|x| x / size).collect();
        return Some(Failure {
            what: "its first block can move the constraint where the second can't follow".to_string(),
            place: Some(coupling.span),
            here: "im A is not within im B".to_string(),
            proof: format!(
                "along {} the first block moves a combination of rows that no move of the second changes",
                direction::flat(model, &x, &unit)
            ),
            help: help.to_string(),
            mild: false,
        });
    }
    None
}

/// A term or a set of the second block without a Lipschitz gradient.
fn rough(model: &Model, plan: &AdmmPlan) -> Option<Failure> {
    let this = &model.players[plan.player.index()];
    for step in &plan.z {
        let names = names(model, step);
        let failure = |place, what: String, why: &str| {
            Failure {
            what: format!("{what} in the block that is updated last, {names}, has no Lipschitz gradient"),
            place: Some(place),
            here: why.to_string(),
            proof: "λ follows the gradient of the last block: where that jumps, λ may jump in every iteration".to_string(),
            help: "write the split so that the block that is updated last has smooth terms alone, as `split z | x` does where x has".to_string(),
            mild: false,
        }
        };
        if let Some(id) = step.component.constraints.first() {
            return Some(failure(
                this.constraints[id.index()].span,
                "a set".to_string(),
                "a set: its gradient is 0 inside and none outside",
            ));
        }
        for &at in &step.component.terms {
            let term = &this.terms[at];
            if let Some(kink) = atoms::kink(model, plan.player, &term.expr) {
                return Some(failure(term.span, format!("`{kink}`"), "its slope jumps"));
            }
            if matches!(atoms::of_term(model, plan.player, at), Piece::Atom(atom) if atom.ends()) {
                return Some(failure(term.span, term.quoted(), "its slope has no bound"));
            }
        }
    }
    None
}

/// A fixed ρ below what descent is known to need.
fn weak(model: &Model, plan: &AdmmPlan) -> Option<Failure> {
    if plan.settings.adapt == Adapt::Balanced || matches!(plan.settings.rho, Rho::Auto) {
        return None;
    }
    let (mut most, mut place) = (0.0f64, None);
    let mut convex = true;
    for step in &plan.z {
        let kappa = step.gram.scale().filter(|&kappa| kappa > 0.0)?;
        let largest = match &step.rule {
            Rule::Quadratic { curvature, equalities: None, .. } => {
                curvature.iter().map(largest).try_fold(0.0f64, |most, own| Some(most.max(own?)))?
            }
            Rule::Prox(form) if form.maps.is_empty() => {
                form.curvature.iter().fold(0.0f64, |most, &own| most.max(own.abs()))
            }
            _ => return None,
        };
        convex &= step.convex;
        if largest / kappa > most {
            most = largest / kappa;
            place = step.component.terms.first().copied();
        }
    }
    let (factor, words) = if convex { (2.0f64.sqrt(), "√2·L") } else { (2.0, "2L") };
    let least = factor * most;
    if plan.rho > least || most == 0.0 {
        return None;
    }
    let terms = &model.players[plan.player.index()].terms;
    Some(Failure {
        what: format!("ρ = {} is below what is known to make every iteration a descent", number(plan.rho)),
        place: place.map(|at| terms[at].span),
        here: format!("curves by L = {} at the most", number(most)),
        proof: format!(
            "the augmented Lagrangian is sure to fall for ρ > {words} = {}, L the largest curvature of the block updated last",
            number(least)
        ),
        help: format!(
            "that is sufficient and not necessary: many such runs end well; `rho = auto` or a ρ above {} is safe",
            number(least)
        ),
        mild: true,
    })
}

/// The largest magnitude of an eigenvalue, where the order allows it.
fn largest(p: &Curvature) -> Option<f64> {
    if let Curvature::Diagonal(d) = p {
        return Some(d.iter().fold(0.0f64, |most, x| most.max(x.abs())));
    }
    if p.n() > 2 * MOST_ROWS {
        return None;
    }
    let values = factor::eigen(&p.to_dense())?.values;
    Some(values.iter().fold(0.0f64, |most, x| most.max(x.abs())))
}
