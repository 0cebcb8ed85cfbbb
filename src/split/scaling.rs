//! Weights of the coupling's rows: the penalty `(ρ/2)‖Ax + Bz − c‖²_W` that makes rows of different units
//! alike.
//!
//! The split iteration does not see the scale of x, whose step is exact, and sees the scale of the rows by
//! W alone. So `[P; A]` is equilibrated by columns D and rows W:
//!
//! ```text
//! Dⱼⱼ⁻² = Pⱼⱼ + Σᵢ Wᵢ Aᵢⱼ²,      Wᵢ⁻¹ = Σⱼ Aᵢⱼ² Dⱼⱼ²
//! ```
//!
//! by turns (Ruiz 2001, with squares), and D is thrown away. A function of z that is not separable needs one
//! weight on all of its rows: there the geometric mean stands. Residuals and the multiplier stay in the
//! units of the problem.

use super::affine::Lowered;
use super::ir::{Block, Component, Coupling};
use super::is_exact;
use crate::linalg::Csr;
use crate::model::Model;
use crate::model::ir::{Method, PlayerId, SolveBody, Step, StepKind};

/// Turns: the sixth changes a weight by less than a hundredth on the badly scaled programs tried.
const TURNS: usize = 10;

/// Weights that differ by less stay 1: the updates are then what is in the books.
const ALIKE: f64 = 10.0;

/// Weighs the rows of a player's couplings.
pub(super) fn weigh(model: &Model, player: PlayerId, x: &Block, z: &Block, couplings: &mut [Coupling]) {
    let plain = couplings.iter().all(|coupling| {
        let own = coupling.parts.iter().filter(|part| x.vars.contains(&part.var));
        own.map(|part| part.scalar()).all(|s| s.is_some())
    });
    let exact = |component: &Component| is_exact(model, player, component, couplings);
    if plain
        || couplings.iter().any(|coupling| coupling.over.is_some())
        || !x.components.iter().chain(&z.components).all(exact)
        || is_stated(model, player)
    {
        return;
    }
    let mut found = equilibrate(model, player, x, couplings);
    // Rows that are alike as they stand have one unit: where they differ once columns are scaled is their
    // place on the grid, and one weight keeps what a transform or a proximal map can use.
    for (coupling, weights) in couplings.iter().zip(&mut found) {
        if are_alike(&rows(model, x, coupling)) {
            let mean = geometric_mean(weights.iter().copied());
            weights.fill(mean);
        }
    }
    let least = found.iter().flatten().fold(f64::INFINITY, |least, &w| least.min(w));
    let most = found.iter().flatten().fold(0.0f64, |most, &w| most.max(w));
    if most <= ALIKE * least {
        return;
    }
    for (coupling, weights) in couplings.iter_mut().zip(found) {
        coupling.weights = Some(weights);
    }
    // One weight for all rows of a coupling whose steps don't take several.
    for at in 0..couplings.len() {
        let touches = |component: &&Component| couplings[at].holds(&component.vars);
        let touched: Vec<&Component> = z.components.iter().chain(&x.components).filter(touches).collect();
        if !touched.into_iter().all(|component| is_exact(model, player, component, couplings)) {
            let weights = couplings[at].weights.clone().unwrap_or_default();
            let mean = geometric_mean(weights.iter().copied());
            couplings[at].weights = Some(vec![mean; weights.len()]);
        }
    }
}

/// Whether a solve block states an update of the player: a formula on paper weighs every row alike.
fn is_stated(model: &Model, player: PlayerId) -> bool {
    fn within(steps: &[Step], player: PlayerId) -> bool {
        steps.iter().any(|step| match &step.kind {
            StepKind::Epochs { body, .. } | StepKind::Times { body, .. } | StepKind::EachBatch { body } => {
                within(body, player)
            }
            StepKind::When { body, .. } => within(std::slice::from_ref(body), player),
            StepKind::Method { player: of, method: Method::Admm(admm) } => {
                *of == player && admm.given().next().is_some()
            }
            _ => false,
        })
    }
    model.solves.iter().any(|solve| match &solve.body {
        SolveBody::Method(Method::Admm(admm)) => admm.given().next().is_some(),
        SolveBody::Method(Method::Descent(_)) => false,
        SolveBody::Game(steps) => within(steps, player),
    })
}

fn geometric_mean(all: impl Iterator<Item = f64> + Clone) -> f64 {
    let n = all.clone().count().max(1) as f64;
    (all.map(f64::ln).sum::<f64>() / n).exp()
}

/// The weights of every coupling, their geometric mean being 1.
fn equilibrate(model: &Model, player: PlayerId, x: &Block, couplings: &[Coupling]) -> Vec<Vec<f64>> {
    let rows: Vec<Csr> = couplings.iter().map(|coupling| rows(model, x, coupling)).collect();
    let p = curvature(model, player, x);
    let mut weights: Vec<Vec<f64>> = rows
        .iter()
        .map(|a| (0..a.rows).map(|i| inverse(a.row(i).map(|(_, value)| value * value).sum())).collect())
        .collect();
    let start = weights.clone();
    for _ in 0..TURNS {
        let mut columns = p.clone();
        for (a, w) in rows.iter().zip(&weights) {
            a.entries().for_each(|(i, j, value)| columns[j] += w[i] * value * value);
        }
        let d2: Vec<f64> = columns.into_iter().map(inverse).collect();
        for (a, w) in rows.iter().zip(&mut weights) {
            for (i, w) in w.iter_mut().enumerate() {
                *w = inverse(a.row(i).map(|(j, value)| value * value * d2[j]).sum());
            }
        }
    }
    settle(&rows, &p, &start, &mut weights);
    let mean = geometric_mean(weights.iter().flatten().copied());
    weights.iter().map(|w| w.iter().map(|w| w / mean).collect()).collect()
}

/// Where nothing joins two parts of A, and P holds one of them nowhere, the turns say nothing of its scale:
/// with more rows than columns, or fewer, its weights drift by that ratio each turn. It keeps the mean that
/// the lengths of its rows gave it.
fn settle(rows: &[Csr], p: &[f64], start: &[Vec<f64>], weights: &mut [Vec<f64>]) {
    let mut part: Vec<usize> = (0..p.len()).collect();
    let entries = |a: &Csr, i: usize| -> Vec<usize> {
        a.row(i).filter(|(_, value)| *value != 0.0).map(|(column, _)| column).collect()
    };
    for a in rows {
        for i in 0..a.rows {
            for pair in entries(a, i).windows(2) {
                let (one, other) = (root(&mut part, pair[0]), root(&mut part, pair[1]));
                part[one.max(other)] = one.min(other);
            }
        }
    }
    // Of each part: sums of logarithms before and after, and rows; whether P holds it.
    let mut sums = vec![(0.0, 0.0, 0.0); p.len()];
    let mut held = vec![false; p.len()];
    (0..p.len()).filter(|&column| p[column] > 0.0).for_each(|column| held[root(&mut part, column)] = true);
    let mut own: Vec<Vec<Option<usize>>> = Vec::new();
    for ((a, start), weights) in rows.iter().zip(start).zip(&*weights) {
        let roots = (0..a.rows).map(|i| entries(a, i).first().map(|&column| root(&mut part, column)));
        let roots: Vec<Option<usize>> = roots.collect();
        for (at, (start, weight)) in roots.iter().zip(start.iter().zip(weights)) {
            let Some(at) = *at else { continue };
            let (before, after, count) = sums[at];
            sums[at] = (before + start.ln(), after + weight.ln(), count + 1.0);
        }
        own.push(roots);
    }
    for (roots, weights) in own.iter().zip(weights) {
        for (at, weight) in roots.iter().zip(weights) {
            if let Some(at) = at.filter(|&at| !held[at]) {
                let (before, after, count) = sums[at];
                *weight *= ((before - after) / count).exp();
            }
        }
    }
}

/// The first column of the part that a column is in; the way there is made shorter.
fn root(part: &mut [usize], column: usize) -> usize {
    let mut first = column;
    while part[first] != first {
        first = part[first];
    }
    part[column] = first;
    first
}

/// `A` of a coupling.
fn rows(model: &Model, x: &Block, coupling: &Coupling) -> Csr {
    coupling.stacked(model, &x.vars).expect("a step that is exact has linear couplings (split::is_exact)").to_sparse()
}

/// Whether the rows differ in length by less than weights may.
fn are_alike(rows: &Csr) -> bool {
    let squares = (0..rows.rows).map(|i| rows.row(i).map(|(_, x)| x * x).sum::<f64>());
    let (least, most) = squares.fold((f64::INFINITY, 0.0f64), |(least, most), s| (least.min(s), most.max(s)));
    most <= ALIKE * least
}

/// `1/s`, and 1 for a row or column without an entry.
fn inverse(s: f64) -> f64 {
    if s > 0.0 && s.is_finite() { 1.0 / s } else { 1.0 }
}

/// The magnitudes on the diagonal of the x-block's `P`.
fn curvature(model: &Model, player: PlayerId, x: &Block) -> Vec<f64> {
    let mut sum = vec![0.0; x.vars.iter().map(|var| model.vars[var.index()].shape.numel()).sum()];
    let terms = &model.players[player.index()].terms;
    for &at in x.components.iter().flat_map(|component| &component.terms) {
        // An atom among the terms has no P.
        let Ok(hessian) = Lowered::new(model, &terms[at].expr).hessian(model, player, None, &x.vars, "") else {
            continue;
        };
        sum.iter_mut().zip(hessian.curvature().diagonal()).for_each(|(sum, p)| *sum += p.abs());
    }
    sum
}
