//! The ends of the spectrum of a symmetric matrix that is known by its products: Lanczos's method (Golub & Van Loan,
//! Matrix Computations, 2013, §10.1), all vectors orthogonalised anew.
//!
//! What is found lies within the spectrum: the least is no less than the least eigenvalue, the largest no more than
//! the largest. What the start has no part in is not seen.

use super::{Matrix, factor};

/// When to look whether the least is found, in turns.
const EVERY: usize = 10;

/// Share of the largest that a remainder is told from rounding by.
const NOTHING: f64 = 1e-10;

/// What is found.
#[derive(Debug, Clone, PartialEq)]
pub struct Ends {
    /// The least.
    pub least: f64,
    /// The largest.
    pub largest: f64,
    /// A vector of length 1 with `vᵀSv` the least.
    pub vector: Vec<f64>,
    /// `‖Sv − least·v‖`: an eigenvalue is no farther from the least than that.
    pub residual: f64,
}

/// The ends of a matrix of order `n` by at most `turns` products; fewer once the residual of the least is below
/// `enough` times the largest magnitude. None where a product is not finite, or `n` is 0.
pub fn ends(n: usize, mut apply: impl FnMut(&[f64]) -> Vec<f64>, turns: usize, enough: f64) -> Option<Ends> {
    let mut next = start(n);
    let (mut diagonal, mut beside): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
    let mut basis: Vec<Vec<f64>> = Vec::new();
    let most = turns.min(n);
    while basis.len() < most {
        let length = dot(&next, &next).sqrt();
        next.iter_mut().for_each(|x| *x /= length);
        let v = next;
        next = apply(&v);
        diagonal.push(dot(&next, &v));
        basis.push(v);
        // Twice is enough, and once is not.
        for _ in 0..2 {
            for other in &basis {
                let share = dot(&next, other);
                next.iter_mut().zip(other).for_each(|(x, o)| *x -= share * o);
            }
        }
        let left = dot(&next, &next).sqrt();
        // What is left is rounding: the space is found.
        let size = diagonal.iter().chain(&beside).fold(0.0f64, |size, x| size.max(x.abs()));
        let done = basis.len() == most || left <= NOTHING * size;
        if done || basis.len().is_multiple_of(EVERY) {
            let small = factor::eigen(&tridiagonal(&diagonal, &beside))?;
            let k = diagonal.len();
            let residual = left * small.vectors[(k - 1, 0)].abs();
            let (least, largest) = (*small.values.first()?, *small.values.last()?);
            if done || residual <= enough * least.abs().max(largest.abs()) {
                let mut vector = vec![0.0; n];
                for (at, v) in basis.iter().enumerate() {
                    let share = small.vectors[(at, 0)];
                    vector.iter_mut().zip(v).for_each(|(x, v)| *x += share * v);
                }
                return Some(Ends { least, largest, vector, residual });
            }
        }
        beside.push(left);
    }
    None
}

/// How many turns `most` multiplications allow, at so many a product and `4kn` for making the k-th vector orthogonal.
pub fn turns(n: usize, product: f64, most: f64) -> usize {
    // 2nk² + product·k = most
    let n = n.max(1) as f64;
    let k = ((product * product + 8.0 * n * most).sqrt() - product) / (4.0 * n);
    k as usize
}

/// Numbers without a pattern, the same every time.
fn start(n: usize) -> Vec<f64> {
    let mixed = |i: u64| {
        let mut z = (i + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) >> 11
    };
    (0..n as u64).map(|i| mixed(i) as f64 / (1u64 << 52) as f64 - 1.0).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn tridiagonal(diagonal: &[f64], beside: &[f64]) -> Matrix {
    let mut matrix = Matrix::diagonal(diagonal);
    for (at, &x) in beside.iter().enumerate() {
        matrix[(at + 1, at)] = x;
        matrix[(at, at + 1)] = x;
    }
    matrix
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_a_spectrum() {
        let d: Vec<f64> = (0..600).map(|i| f64::from(i) - 7.5).collect();
        let apply = |x: &[f64]| x.iter().zip(&d).map(|(x, d)| x * d).collect();
        let found = ends(600, apply, 200, 1e-9).expect("it is finite");
        assert!((found.least + 7.5).abs() < 1e-6 && (found.largest - 591.5).abs() < 1e-6, "{found:?}");
        assert!(found.residual < 1e-3 && found.vector[0].abs() > 0.999, "{} {}", found.residual, found.vector[0]);
        let few = ends(600, apply, 40, 0.0).expect("it is finite");
        assert!(few.least >= -7.5 && few.least < 0.0 && few.largest > 580.0 && few.residual > 1e-6, "{few:?}");
        let one = ends(1, |x| vec![-3.0 * x[0]], 40, 0.0).expect("it is finite");
        assert_eq!((one.least, one.largest), (-3.0, -3.0));
        // A space that is found early: two eigenvalues.
        let two = ends(50, |x| x.iter().enumerate().map(|(i, x)| if i < 20 { -x } else { 2.0 * x }).collect(), 40, 0.0);
        let two = two.expect("it is finite");
        assert!((two.least + 1.0).abs() < 1e-12 && (two.largest - 2.0).abs() < 1e-12, "{two:?}");
        assert!(ends(2, |_| vec![f64::NAN; 2], 40, 0.0).is_none());
        assert!(ends(0, |_| Vec::new(), 40, 0.0).is_none());
        // 2·100·10² + 500·10 = 25 000
        assert_eq!(turns(100, 500.0, 25_000.0), 10);
    }
}
