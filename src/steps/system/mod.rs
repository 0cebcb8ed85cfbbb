//! How the systems `(P + ρMᵀM)v = …` of a closed-form step are solved: the ways that apply, what each
//! costs ([`work`]), and the one that is predicted to take the least time.
//!
//! 1. divide: both matrices are diagonal;
//! 2. a transform of the grid makes both diagonal: cosine for reflected stencils, Hartley's for periodic ones;
//! 3. the matrix-inversion lemma: `P` is diagonal but for a product of few rows;
//! 4. a dense Cholesky factor;
//! 5. eigenvectors of `P`, where `MᵀM` is a multiple of `I`: nothing is made again when ρ changes;
//! 6. a [`sparse`] factor, of `P + ρMᵀM` or of a quasi-definite system with multipliers;
//! 7. conjugate gradients, where all of these are too large.
//!
//! Equations join the sparse system as rows, the others by their Schur complement. The same small matrix
//! repeated along a grid is one factor with many right sides.

mod condition;
mod flat;
mod sparse;
mod unique;
mod work;

pub(super) use condition::condition;
pub(super) use flat::flat;
pub(super) use unique::{Shape, Uniqueness, uniqueness};

use super::ir::{Curvature, Equalities, Solver, System, Work};
use crate::linalg::Operator;
use crate::linalg::spectral::{Spectrum, spectrum};
use crate::linalg::transform::Transform;
use crate::model::ir::{Adapt, Admm};

/// Order of dense matrices up to which they are made: a factor of 2 GB.
const LARGEST_DENSE: usize = 16384;

/// Order up to which eigenvectors are thought of.
const LARGEST_EIGEN: usize = 2048;

/// Seconds of a run from which a way to solve counts as too large, and conjugate gradients may stand in.
const TOO_LONG: f64 = 60.0;

/// Entries up to which a full matrix is tried as a sparse one, and the share that makes a larger one full.
const LOOKED_AT: f64 = 1e4;
const FULL: f64 = 0.25;

/// What is to be solved.
#[derive(Debug, Clone, Copy)]
pub(super) struct Problem<'a> {
    /// Order.
    pub n: usize,
    /// `P`, an entry a member where members differ.
    pub curvature: &'a [Curvature],
    /// `MᵀM`
    pub gram: &'a Curvature,
    /// `M` in parts, and how often each stands there.
    pub couplings: &'a [(f64, Operator)],
    /// `Ev = e`
    pub equalities: Option<&'a Equalities>,
    /// Shapes that the variable may have as a grid.
    pub grids: &'a [Vec<usize>],
    /// Members that are solved for.
    pub members: usize,
    /// How often ρ is expected to change.
    pub changes: f64,
}

/// How often ρ is expected to change: balancing waits ever longer between its changes, where residuals are
/// tested; else it changes whenever it is due.
pub(super) fn changes(admm: &Admm, untested: bool) -> f64 {
    match admm.adapt {
        Adapt::Fixed => 0.0,
        // 1.2ᵏ sums up to the iterations after some twenty.
        _ if !untested => 20.0,
        _ => work::ITERATIONS / admm.adapt_every.max(1) as f64,
    }
}

/// The way that is predicted to take the least time, or why there is none.
pub(super) fn choose(problem: &Problem) -> Result<System, String> {
    let mut ways = ways(problem);
    let best = (0..ways.len())
        .min_by(|&a, &b| ways[a].2.seconds(problem.changes).total_cmp(&ways[b].2.seconds(problem.changes)));
    let exact = best.map(|at| ways[at].2.seconds(problem.changes));
    let mut chosen = best;
    if let Some(work) = conjugate_gradients(problem) {
        ways.push(("conjugate gradients", Solver::ConjugateGradients, work));
        let better = exact.is_none_or(|exact| exact > TOO_LONG && work.seconds(problem.changes) < exact);
        chosen = if better { Some(ways.len() - 1) } else { best };
    }
    let Some(chosen) = chosen else {
        return Err(format!("its systems of order {} are too large for a factor", problem.n));
    };
    let (_, solver, work) = ways.remove(chosen);
    let others = ways.into_iter().map(|(name, _, work)| (name, work)).collect();
    let convex = problem.curvature.iter().all(Curvature::is_semidefinite);
    Ok(System { solver, work, others, convex, proximal: 0.0 })
}

type Way = (&'static str, Solver, Work);

/// Every way that applies, whatever it costs.
#[cfg(test)]
pub(super) fn every(problem: &Problem) -> Vec<Solver> {
    let conjugate = conjugate_gradients(problem).map(|_| Solver::ConjugateGradients);
    ways(problem).into_iter().map(|(_, solver, _)| solver).chain(conjugate).collect()
}

/// The ways with a factor.
fn ways(problem: &Problem) -> Vec<Way> {
    let (members, solves) = (problem.curvature.len() as f64, problem.members as f64);
    let p = problem.equalities.map_or(0.0, |equalities| equalities.right.len() as f64);
    let n = problem.n as f64;
    let mut ways: Vec<Way> = Vec::new();
    let mut push = |name, solver: Solver, work: Work, own_rows: bool| {
        let work = work.times(members, solves);
        ways.push((name, solver, if p > 0.0 && !own_rows { work.with_schur(n, p) } else { work }));
    };
    let diagonal = |curvature: &Curvature| matches!(curvature, Curvature::Diagonal(_));
    if problem.curvature.iter().all(diagonal) && diagonal(problem.gram) {
        push(Solver::Divide.name(), Solver::Divide, work::divide(n), false);
        if p == 0.0 {
            return ways;
        }
    }
    if p == 0.0
        && let Some((p, g)) = spectra(problem)
    {
        push(p.transform.name(), Solver::Spectral { p, g }, work::spectral(n), false);
    }
    dense(problem, &mut push);
    if problem.curvature.iter().all(is_sparse)
        && let Some(system) = sparse::system(problem)
    {
        let work = work::sparse(&system.symbolic);
        push("sparse factor", Solver::Sparse(Box::new(system)), work, true);
    }
    ways
}

/// Whether a sparse system with it is worth a try: what is full, and not small, has nothing to gain.
fn is_sparse(curvature: &Curvature) -> bool {
    let few = |entries: f64, places: f64| entries <= LOOKED_AT || entries <= FULL * places;
    match curvature {
        Curvature::Diagonal(_) | Curvature::Sparse(_) => true,
        Curvature::Dense(m) => few(m.data.len() as f64, 0.0),
        Curvature::Factored(it) => {
            let (rows, columns) = it.factor.extents();
            few(it.factor.row_counts().iter().sum::<usize>() as f64, (rows * columns) as f64)
        }
        Curvature::Repeated { .. } => false,
    }
}

/// The ways with dense matrices, of the small matrix where it is repeated.
fn dense(problem: &Problem, push: &mut impl FnMut(&'static str, Solver, Work, bool)) {
    let (times, inner) = match repeated(problem.curvature, problem.gram) {
        Some((left, inner, right)) => ((left * right) as f64, inner),
        None => (1.0, &problem.curvature[0]),
    };
    let order = inner.n();
    let (n, gram_is_diagonal) = (order as f64, matches!(problem.gram, Curvature::Diagonal(_)));
    let largest = |f: fn(&Curvature) -> f64| problem.curvature.iter().map(f).fold(0.0, f64::max);
    if let Some(m) = inversion_rows(problem, inner).filter(|_| gram_is_diagonal) {
        let flat = |c: &Curvature| matches!(c, Curvature::Factored(it) if it.base.scale().is_some());
        let shared = problem.gram.scale().is_some() && (times > 1.0 || problem.curvature.iter().all(flat));
        let work = work::inversion(n, m as f64, shared).times(1.0, times);
        push(Solver::Inversion.name(), Solver::Inversion, work, false);
    }
    if order <= LARGEST_DENSE {
        let products = if times > 1.0 { inner.entries().1 } else { largest(|c| c.entries().1) };
        push(Solver::Cholesky.name(), Solver::Cholesky, work::cholesky(n, products).times(1.0, times), false);
        if order <= LARGEST_EIGEN && problem.gram.scale().is_some() {
            push(Solver::Eigen.name(), Solver::Eigen, work::eigen(n, products).times(1.0, times), false);
        }
    }
}

/// `I ⊗ S ⊗ I` where `P` is that and `MᵀM` is a multiple of the identity: left, S, right.
pub fn repeated<'a>(curvature: &'a [Curvature], gram: &Curvature) -> Option<(usize, &'a Curvature, usize)> {
    match curvature {
        [Curvature::Repeated { left, inner, right }] if gram.scale().is_some() => Some((*left, inner, *right)),
        _ => None,
    }
}

/// Rows of `K` where `P = D + KᵀWK` with positive weights and fewer rows than columns; one number for all
/// members.
fn inversion_rows(problem: &Problem, inner: &Curvature) -> Option<usize> {
    let rows = |curvature: &Curvature| match curvature {
        Curvature::Factored(it) => {
            let entries: usize = it.factor.row_counts().iter().sum();
            let (m, n) = it.factor.extents();
            let fits = matches!(it.base, Curvature::Diagonal(_)) && m < n && m <= LARGEST_DENSE;
            // A factor that is sparse itself is for the sparse system.
            let dense = 4 * entries >= m * n;
            (fits && dense && it.weights.iter().all(|&w| w > 0.0)).then_some(m)
        }
        _ => None,
    };
    let first = rows(inner)?;
    let all = problem.curvature.len() == 1 || problem.curvature.iter().all(|c| rows(c) == Some(first));
    all.then_some(first)
}

/// The spectra of `P` and `MᵀM` by one transform of one grid.
fn spectra(problem: &Problem) -> Option<(Spectrum, Spectrum)> {
    let [p] = problem.curvature else { return None };
    problem.grids.iter().find_map(|grid| {
        [Transform::Cosine, Transform::Hartley]
            .into_iter()
            .find_map(|transform| spectrum(p, grid, transform).zip(spectrum(problem.gram, grid, transform)))
    })
}

/// What conjugate gradients cost, where they apply: to one system without equations, and not one that is
/// divided.
fn conjugate_gradients(problem: &Problem) -> Option<Work> {
    let [curvature] = problem.curvature else { return None };
    let divided = matches!((curvature, problem.gram), (Curvature::Diagonal(_), Curvature::Diagonal(_)));
    if problem.members > 1 || problem.equalities.is_some() || divided {
        return None;
    }
    let held = |curvature: &Curvature| match curvature {
        Curvature::Factored(it) => it.base.entries().0 + it.factor.row_counts().iter().sum::<usize>() as f64 * 2.0,
        other => other.entries().0,
    };
    Some(work::conjugate_gradients(problem.n as f64, held(curvature) + held(problem.gram)))
}

impl Solver {
    /// What it is called.
    pub fn name(&self) -> &'static str {
        match self {
            Solver::Divide => "divide",
            Solver::Spectral { p, .. } => p.transform.name(),
            Solver::Inversion => "inversion lemma",
            Solver::Cholesky => "dense Cholesky",
            Solver::Eigen => "eigenvectors",
            Solver::Sparse(_) => "sparse factor",
            Solver::ConjugateGradients => "conjugate gradients",
        }
    }
}
