//! The part of a right side that no combination of a large sparse matrix's columns reaches: the residual
//! `r = c − Ku` of least squares, for which `Kᵀr = 0` and `⟨c, r⟩ = ‖r‖²`. Where it is not zero it is the proof
//! that `Ku = c` has no solution, and the proof is checked by one product:
//!
//! ```text
//! Ku' = c   ⟹   ‖r‖² = ⟨c, r⟩ − ⟨Ku, r⟩ = ⟨K(u' − u), r⟩ ≤ ‖Kᵀr‖ ‖u' − u‖
//! ```
//!
//! so a solution would lie at least `‖r‖²/‖Kᵀr‖` away. Rows are brought to length 1 first, then columns.
//!
//! 1. By a sparse factor, where that is affordable: `[I K; Kᵀ −δI] [r; u] = [c; 0]` is quasi-definite and gives
//!    the residual but for the share `δ/(σ² + δ)` of what K reaches with a singular value σ; taken of r again,
//!    the share is squared, and so on (iterated Tikhonov regularisation; Engl, Hanke, Neubauer 1996, §5.1).
//! 2. By LSQR (Paige & Saunders 1982) within a number of products.

use super::{Csr, Symbolic};

/// `δ`, against columns of length 1. What is reached with σ is left to a share of `δ/(σ² + δ)` a turn, and σ is 2e-4
/// on a ring of 20 000 differences.
const DELTA: f64 = 1e-9;

/// How often the share of what is reached is taken out.
const TURNS: usize = 12;

/// `‖Kᵀr‖/‖r‖` up to which r is a residual, and where the turns end: a ring of 400 whose last difference is off by
/// 1e-6 has 5e-9, and a solution.
const ORTHOGONAL: f64 = 1e-10;
const CONVERGED: f64 = 1e-12;

/// Share of the right side below which a residual is rounding.
const NOTHING: f64 = 1e-9;

/// How the residual was found, and how far any solution would be.
#[derive(Debug, Clone, PartialEq)]
pub struct Unreached {
    /// A combination of rows: `Kᵀy ≈ 0`, `⟨c, y⟩ = 1`.
    pub weights: Vec<f64>,
    /// Least distance of a solution from the one of least squares, both in columns of length 1; and how far that
    /// one is from 0.
    pub away: f64,
    /// Length of the solution of least squares, likewise.
    pub length: f64,
    /// Turns of the factor, or of LSQR.
    pub turns: usize,
}

/// What of a right side is not reached, by at most so many multiplications; `None` where everything seems to be,
/// or it can't be told.
pub fn unreached(matrix: &Csr, right: &[f64], most: f64) -> Option<Unreached> {
    let scaled = Scaled::of(matrix);
    let c: Vec<f64> = right.iter().zip(&scaled.rows).map(|(c, s)| c * s).collect();
    let size = norm(&c);
    if size == 0.0 || !size.is_finite() {
        return None;
    }
    let (r, u, turns) = by_factor(&scaled.matrix, &c, most).or_else(|| by_lsqr(&scaled.matrix, &c, most))?;
    let left = norm(&r);
    let away = left * left / norm(&applied(&scaled.matrix, &r, true)).max(f64::MIN_POSITIVE);
    let proof = Unreached {
        weights: r.iter().zip(&scaled.rows).map(|(r, s)| r * s / (left * left)).collect(),
        away,
        length: norm(&u),
        turns,
    };
    (left > NOTHING * size && is_orthogonal(&scaled.matrix, &r)).then_some(proof)
}

/// A matrix with rows, then columns, of length 1.
struct Scaled {
    matrix: Csr,
    /// What each row was multiplied by.
    rows: Vec<f64>,
}

impl Scaled {
    fn of(matrix: &Csr) -> Scaled {
        let inverse = |square: f64| if square > 0.0 { 1.0 / square.sqrt() } else { 1.0 };
        let rows: Vec<f64> = (0..matrix.rows).map(|i| inverse(matrix.row(i).map(|(_, x)| x * x).sum())).collect();
        let mut matrix = matrix.clone();
        for (i, s) in rows.iter().enumerate() {
            matrix.values[matrix.starts[i]..matrix.starts[i + 1]].iter_mut().for_each(|x| *x *= s);
        }
        let mut squares = vec![0.0; matrix.cols];
        matrix.columns.iter().zip(&matrix.values).for_each(|(&j, x)| squares[j] += x * x);
        let columns: Vec<f64> = squares.into_iter().map(inverse).collect();
        matrix.values.iter_mut().zip(&matrix.columns).for_each(|(x, &j)| *x *= columns[j]);
        Scaled { matrix, rows }
    }
}

/// Residual, solution and turns by the quasi-definite system; `None` where its factor takes more than `most`.
pub(super) fn by_factor(k: &Csr, c: &[f64], most: f64) -> Option<(Vec<f64>, Vec<f64>, usize)> {
    let (m, n) = (k.rows, k.cols);
    let transposed = k.transpose();
    // The lower triangle: I above, then Kᵀ and −δI.
    let mut lower =
        Csr { rows: m + n, cols: m + n, starts: (0..=m).collect(), columns: (0..m).collect(), values: vec![1.0; m] };
    for j in 0..n {
        transposed.row(j).for_each(|(i, x)| {
            lower.columns.push(i);
            lower.values.push(x);
        });
        lower.columns.push(m + j);
        lower.values.push(-DELTA);
        lower.starts.push(lower.columns.len());
    }
    let symbolic = Symbolic::new(&lower, n);
    if symbolic.flops().0 > most {
        return None;
    }
    let factor = symbolic.factor_once(&lower.values)?;
    let (mut r, mut u) = (c.to_vec(), vec![0.0; n]);
    let mut before = f64::INFINITY;
    for turn in 1..=TURNS {
        // KᵀK w + δw = Kᵀr, which is rounded by its own size: that of r is c's.
        let slope = applied(k, &r, true);
        let left = norm(&slope) / norm(&r).max(f64::MIN_POSITIVE);
        if left <= CONVERGED || norm(&r) <= NOTHING * norm(c) || left <= ORTHOGONAL && left > 0.5 * before {
            return Some((r, u, turn - 1));
        }
        before = left;
        let mut both = vec![0.0; m];
        both.extend(slope.iter().map(|x| -x));
        symbolic.solve_with(&factor, &mut both);
        u.iter_mut().zip(&both[m..]).for_each(|(u, own)| *u += own);
        r.copy_from_slice(c);
        k.accumulate(-1.0, &u, &mut r, false);
    }
    Some((r, u, TURNS))
}

/// The same by LSQR, as many turns as there are multiplications for.
pub(super) fn by_lsqr(k: &Csr, c: &[f64], most: f64) -> Option<(Vec<f64>, Vec<f64>, usize)> {
    let turns = (most / (4.0 * k.nnz() as f64 + 6.0 * (k.rows + k.cols) as f64)) as usize;
    let unit = |mut x: Vec<f64>| {
        let length = norm(&x);
        x.iter_mut().for_each(|x| *x /= length.max(f64::MIN_POSITIVE));
        (x, length)
    };
    let (mut left, beta) = unit(c.to_vec());
    let (mut right, mut alpha) = unit(applied(k, &left, true));
    let mut direction = right.clone();
    let mut u = vec![0.0; k.cols];
    let (mut phi, mut rho_bar) = (beta, alpha);
    for turn in 1..=turns {
        // Golub and Kahan's bidiagonalisation, a step.
        let mut next = applied(k, &right, false);
        next.iter_mut().zip(&left).for_each(|(x, old)| *x -= alpha * old);
        let (new_left, beta) = unit(next);
        left = new_left;
        let mut next = applied(k, &left, true);
        next.iter_mut().zip(&right).for_each(|(x, old)| *x -= beta * old);
        (right, alpha) = unit(next);
        // A rotation takes β out.
        let rho = rho_bar.hypot(beta).max(f64::MIN_POSITIVE);
        let (cosine, sine) = (rho_bar / rho, beta / rho);
        let theta = sine * alpha;
        rho_bar = -cosine * alpha;
        let step = cosine * phi / rho;
        phi *= sine;
        u.iter_mut().zip(&direction).for_each(|(u, d)| *u += step * d);
        direction.iter_mut().zip(&right).for_each(|(d, v)| *d = v - theta / rho * *d);
        // ‖Kᵀr‖ = φ α |cos|; that r is one is checked by a product of its own.
        if alpha * cosine.abs() <= CONVERGED || phi <= NOTHING * norm(c) {
            let mut r = c.to_vec();
            k.accumulate(-1.0, &u, &mut r, false);
            return Some((r, u, turn));
        }
    }
    None
}

/// Whether a residual is at right angles to every column.
fn is_orthogonal(k: &Csr, r: &[f64]) -> bool {
    norm(&applied(k, r, true)) <= ORTHOGONAL * norm(r)
}

fn applied(k: &Csr, x: &[f64], adjoint: bool) -> Vec<f64> {
    let mut y = vec![0.0; if adjoint { k.cols } else { k.rows }];
    k.accumulate(1.0, x, &mut y, adjoint);
    y
}

fn norm(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}
