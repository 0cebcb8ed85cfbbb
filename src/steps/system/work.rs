//! What each way to solve costs: flops counted, seconds predicted by the speed of the kind of work.
//!
//! | work | flops a second |
//! |---|---|
//! | products and factors of dense matrices | 20 · 10⁹ |
//! | sweeps over a dense matrix in cache, in memory | 8 · 10⁹, 2 · 10⁹ |
//! | sparse factors of dense blocks, entry by entry | 8 · 10⁹, 10⁹ |
//! | sparse sweeps | 10⁹ |
//! | transforms | 2 · 10⁹ |
//!
//! The speeds are rounded from measurements of one core in doubles (2.6 GHz, AVX2; orders 100 to 2000). A
//! choice among ways that differ by less than their error matters little.

use crate::linalg::Symbolic;
use crate::steps::ir::{Effort, Work};

/// Products and factors of dense matrices.
const DENSE: f64 = 20e9;
/// Sweeps over a matrix that a cache holds.
const CACHED: f64 = 8e9;
/// Sweeps over a matrix in memory.
const STREAMED: f64 = 2e9;
/// Sparse factors whose columns are taken as dense blocks.
const BLOCKS: f64 = 8e9;
/// Sparse work, entry by entry.
const SPARSE: f64 = 1e9;
/// Fast transforms.
const TRANSFORM: f64 = 2e9;
/// Bytes that a cache holds.
const CACHE: f64 = 1e6;
/// Bytes of a number.
const NUMBER: f64 = 8.0;

/// Iterations of a run that a choice is made for: what the examples take at the default tolerance, rounded.
pub(super) const ITERATIONS: f64 = 200.0;

/// Steps of conjugate gradients an iteration, started where the last ended.
const CG_STEPS: f64 = 20.0;

fn effort(flops: f64, speed: f64) -> Effort {
    Effort { flops, seconds: flops / speed }
}

/// A sweep over so many numbers, two flops each.
fn sweep(numbers: f64) -> Effort {
    effort(2.0 * numbers, if NUMBER * numbers <= CACHE { CACHED } else { STREAMED })
}

impl std::ops::Add for Effort {
    type Output = Effort;

    fn add(self, other: Effort) -> Effort {
        Effort { flops: self.flops + other.flops, seconds: self.seconds + other.seconds }
    }
}

impl std::ops::Mul<f64> for Effort {
    type Output = Effort;

    fn mul(self, times: f64) -> Effort {
        Effort { flops: self.flops * times, seconds: self.seconds * times }
    }
}

impl Work {
    /// Seconds of a run in which ρ changes so often.
    pub(super) fn seconds(&self, changes: f64) -> f64 {
        // A factor is made at the start as at every change.
        self.setup.seconds + (1.0 + changes) * self.change.seconds + ITERATIONS * self.iteration.seconds
    }

    /// So many members, or right sides, of everything but the set-up of what they share.
    pub(super) fn times(self, factors: f64, solves: f64) -> Work {
        Work {
            setup: self.setup * factors,
            change: self.change * factors,
            iteration: self.iteration * solves,
            bytes: self.bytes * factors,
        }
    }

    /// With `p` equations, by their Schur complement.
    pub(super) fn with_schur(self, n: f64, p: f64) -> Work {
        Work {
            change: self.change + self.iteration * p + effort(2.0 * p * p * n + p * p * p / 3.0, DENSE),
            iteration: self.iteration + sweep(2.0 * p * n + p * p),
            bytes: self.bytes + NUMBER * (2.0 * p * n + p * p),
            ..self
        }
    }
}

pub(super) fn divide(n: f64) -> Work {
    Work { iteration: sweep(2.0 * n), bytes: NUMBER * 2.0 * n, ..Work::default() }
}

pub(super) fn spectral(n: f64) -> Work {
    let transform = effort(2.5 * n * n.max(2.0).log2(), TRANSFORM);
    Work { iteration: transform * 2.0 + sweep(2.0 * n), bytes: NUMBER * 4.0 * n, ..Work::default() }
}

/// By `m` rows; `shared` says that one product of them serves every ρ.
pub(super) fn inversion(n: f64, m: f64, shared: bool) -> Work {
    let square = effort(m * m * n, DENSE);
    let factor = effort(m * m * m / 3.0, DENSE);
    let (setup, change) = if shared { (square, factor) } else { (Effort::default(), square + factor) };
    Work { setup, change, iteration: sweep(2.0 * m * n + m * m), bytes: NUMBER * (m * n + 2.0 * m * m) }
}

/// With the multiplications that make `P`.
pub(super) fn cholesky(n: f64, products: f64) -> Work {
    Work {
        setup: effort(products, DENSE),
        change: effort(n * n * n / 3.0, DENSE) + sweep(n * n),
        iteration: sweep(n * n),
        bytes: NUMBER * 3.0 * n * n,
    }
}

pub(super) fn eigen(n: f64, products: f64) -> Work {
    Work {
        // Tridiagonal reduction is half sweeps (Golub & Van Loan 2013, §8.3).
        setup: effort(products, DENSE) + effort(9.0 * n * n * n, DENSE / 4.0),
        iteration: sweep(2.0 * n * n),
        bytes: NUMBER * 2.0 * n * n,
        ..Work::default()
    }
}

pub(super) fn sparse(symbolic: &Symbolic) -> Work {
    let (flops, blocks) = symbolic.flops();
    let (nnz, len) = (symbolic.nnz() as f64, symbolic.factor_len() as f64);
    Work {
        change: effort(2.0 * flops, if blocks { BLOCKS } else { SPARSE }) + effort(3.0 * nnz, SPARSE),
        iteration: effort(4.0 * len, if blocks { STREAMED } else { SPARSE }),
        bytes: NUMBER * (3.0 * nnz + 2.0 * len),
        ..Work::default()
    }
}

/// By products with matrices of so many entries.
pub(super) fn conjugate_gradients(n: f64, entries: f64) -> Work {
    let product = if NUMBER * entries <= CACHE { effort(2.0 * entries, SPARSE) } else { sweep(entries) };
    Work {
        iteration: (product + sweep(5.0 * n)) * CG_STEPS,
        bytes: NUMBER * (1.5 * entries + 5.0 * n),
        ..Work::default()
    }
}
