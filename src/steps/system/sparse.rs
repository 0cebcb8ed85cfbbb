//! The sparse systems of a step. A row `k` of `P`'s factor or of `M` may be multiplied out, which joins all
//! of its columns to each other, or get a multiplier of its own, which joins them to that:
//!
//! ```text
//! (F + w kkᵀ)v = r   ⇔   [F k; kᵀ −1/w] [v; y] = [r; 0],  y = w kᵀv
//! ```
//!
//! Which is less work is a matter of fill, and is tried: all rows multiplied out, the wide ones with
//! multipliers, all of more than one entry with multipliers (the quasi-definite system; Vanderbei 1995).

use std::sync::Arc;

use super::Problem;
use crate::linalg::{Csr, Curvature, Operator, Symbolic};
use crate::steps::ir::{SchurSize, SparseSystem};

/// Multiplications up to which rows are multiplied out.
const MOST_PRODUCTS: f64 = 2e8;

/// Entries of a matrix that is taken as sparse at all.
const MOST_ENTRIES: usize = 20_000_000;

/// Entries from which a row counts as wide, and how much wider than the mean.
const WIDE: usize = 8;
const WIDER: f64 = 4.0;

/// Rows that are weighed: a matrix, a weight a row.
struct Rows {
    matrix: Csr,
    weights: Vec<f64>,
}

/// `P` of one member, and `M`, in rows.
struct Parts {
    base: Csr,
    factor: Rows,
}

/// The system of least work, where there is one.
pub(super) fn system(problem: &Problem) -> Option<SparseSystem> {
    let members: Vec<Parts> = problem.curvature.iter().map(parts).collect::<Option<_>>()?;
    let couplings = stacked(problem)?;
    let equalities = problem.equalities.map(|equalities| equalities.operator.to_sparse());
    let rows = || members.iter().map(|parts| &parts.factor).chain([&couplings]);
    let counts = || rows().flat_map(Rows::counts);
    let widest = counts().max().unwrap_or(0);
    let mean = counts().sum::<usize>() as f64 / counts().count().max(1) as f64;
    let wide = WIDE.max((WIDER * mean) as usize);
    let mut limits = vec![usize::MAX];
    if widest > wide {
        limits.push(wide);
    }
    if widest > WIDE {
        limits.push(1);
    }
    let candidates = limits.into_iter().filter_map(|limit| {
        let possible = rows().map(|rows| rows.products(limit)).sum::<f64>() <= MOST_PRODUCTS;
        possible.then(|| assemble(problem.n, &members, &couplings, equalities.as_ref(), limit)).flatten()
    });
    candidates.min_by(|a, b| seconds(a).total_cmp(&seconds(b)))
}

fn seconds(system: &SparseSystem) -> f64 {
    super::work::sparse(&system.symbolic).seconds(1.0)
}

fn parts(curvature: &Curvature) -> Option<Parts> {
    let n = curvature.n();
    let none = || Rows { matrix: Csr::from_triplets(0, n, Vec::new()), weights: Vec::new() };
    match curvature {
        Curvature::Factored(it) => {
            let matrix = sparse(&it.factor)?;
            Some(Parts { base: it.base.to_sparse(), factor: Rows { matrix, weights: it.weights.clone() } })
        }
        other if other.entries().0 > MOST_ENTRIES as f64 => None,
        other => Some(Parts { base: other.to_sparse(), factor: none() }),
    }
}

fn sparse(operator: &Operator) -> Option<Csr> {
    let entries: usize = operator.row_counts().iter().sum();
    (entries <= MOST_ENTRIES).then(|| operator.to_sparse())
}

/// `M`, one coupling above the other.
fn stacked(problem: &Problem) -> Option<Rows> {
    let mut rows = Rows { matrix: Csr::from_triplets(0, problem.n, Vec::new()), weights: Vec::new() };
    for (times, operator) in problem.couplings {
        rows.matrix = rows.matrix.above(&sparse(operator)?);
        rows.weights.resize(rows.matrix.rows, *times);
    }
    Some(rows)
}

impl Rows {
    /// Entries of each row.
    fn counts(&self) -> impl Iterator<Item = usize> {
        self.matrix.starts.windows(2).map(|w| w[1] - w[0])
    }

    /// Whether a row is multiplied out: one of at most so many entries, or of a weight that is not positive.
    fn is_out(&self, (row, count): (usize, usize), limit: usize) -> bool {
        count <= limit || self.weights[row] <= 0.0
    }

    /// Multiplications that the rows multiplied out take.
    fn products(&self, limit: usize) -> f64 {
        self.counts().enumerate().filter(|&row| self.is_out(row, limit)).map(|(_, n)| (n as f64).powi(2)).sum()
    }

    /// The product of the rows that are multiplied out, and the others.
    fn cut(&self, limit: usize) -> (Csr, Rows) {
        let (out, kept): (Vec<_>, Vec<_>) = self.counts().enumerate().partition(|&row| self.is_out(row, limit));
        let [out, kept] = [out, kept].map(|rows| rows.into_iter().map(|(i, _)| i).collect::<Vec<usize>>());
        let pick = |rows: &[usize]| Csr::selection(rows, self.matrix.rows).matmul(&self.matrix);
        let (plain, lifted) = (pick(&out), pick(&kept));
        let mut weighted = plain.clone();
        for (i, &row) in out.iter().enumerate() {
            weighted.values[plain.starts[i]..plain.starts[i + 1]].iter_mut().for_each(|x| *x *= self.weights[row]);
        }
        let weights = kept.iter().map(|&i| self.weights[i]).collect();
        (plain.transpose().matmul(&weighted), Rows { matrix: lifted, weights })
    }
}

fn assemble(
    n: usize,
    members: &[Parts],
    couplings: &Rows,
    equalities: Option<&Csr>,
    limit: usize,
) -> Option<SparseSystem> {
    let cuts: Vec<(Csr, Rows)> = members.iter().map(|parts| parts.factor.cut(limit)).collect();
    let (squares, lifted) = couplings.cut(limit);
    // Members of different numbers of lifted rows have no common pattern.
    let own = cuts[0].1.matrix.rows;
    if cuts.iter().any(|(_, rows)| rows.matrix.rows != own) {
        return None;
    }
    let count = equalities.map_or(0, |e| e.rows);
    let order = n + own + lifted.matrix.rows + count;
    let below = |rows: &Csr, start: usize| rows.entries().map(move |(i, j, x)| (start + i, j, x)).collect::<Vec<_>>();
    let fixed: Vec<Csr> = members
        .iter()
        .zip(&cuts)
        .map(|(parts, (square, rows))| {
            let mut entries: Vec<_> = parts.base.add(square).lower().entries().collect();
            entries.extend(below(&rows.matrix, n));
            entries.extend(rows.weights.iter().enumerate().map(|(i, w)| (n + i, n + i, -1.0 / w)));
            entries.extend(below(&lifted.matrix, n + own));
            entries.extend(equalities.into_iter().flat_map(|e| below(e, order - count)));
            Csr::from_triplets(order, order, entries)
        })
        .collect();
    let rho = Csr::from_triplets(order, order, squares.lower().entries().collect());
    let held = lifted.weights.iter().enumerate().map(|(i, w)| (n + own + i, n + own + i, -1.0 / w));
    let reciprocal = Csr::from_triplets(order, order, held.collect());
    // Every place of the diagonal is an entry, so that σ and δ have theirs.
    let places = (0..order).map(|i| (i, i, 1.0)).collect();
    let mut pattern = Csr::from_triplets(order, order, places);
    for part in fixed.iter().chain([&rho, &reciprocal]) {
        let mut ones = part.clone();
        ones.values.fill(1.0);
        pattern = pattern.add(&ones);
    }
    let symbolic = Symbolic::new(&pattern, order - n);
    Some(SparseSystem {
        fixed: fixed.iter().map(|part| part.spread(&pattern)).collect(),
        rho: rho.spread(&pattern),
        reciprocal: (lifted.matrix.rows > 0).then(|| reciprocal.spread(&pattern)),
        symbolic: Arc::new(symbolic),
        equalities: count,
        schur: equalities.map_or_else(SchurSize::default, |e| schur_size(e, members, couplings)),
    })
}

fn schur_size(equalities: &Csr, members: &[Parts], couplings: &Rows) -> SchurSize {
    let squares = |rows: &Rows| Operator::from(rows.matrix.clone()).column_squares(&rows.weights);
    let largest = |numbers: Vec<f64>| numbers.into_iter().fold(0.0, f64::max);
    let own = |parts: &Parts| {
        let base = Curvature::from(parts.base.clone()).diagonal();
        largest(base.iter().zip(squares(&parts.factor)).map(|(a, b)| a + b).collect())
    };
    let row = |i: usize| equalities.row(i).map(|(_, x)| x * x).sum::<f64>();
    let (fixed, rho) = (largest(members.iter().map(own).collect()), largest(squares(couplings)));
    let rows = largest((0..equalities.rows).map(row).collect());
    SchurSize { rows, fixed: if fixed + rho > 0.0 { fixed } else { 1.0 }, rho }
}
