//! What of a right side a sparse matrix does not reach, by a factor and by LSQR.

use super::Entries;
use crate::linalg::residual::{by_factor, by_lsqr};
use crate::linalg::{Csr, unreached};

/// Multiplications for a factor of anything here, and too few for one.
const PLENTY: f64 = 1e9;
const FEW: f64 = 2e7;

/// Rows of three entries at places that look random, each row of its own scale.
fn sparse(entries: &mut Entries, rows: usize, columns: usize) -> Csr {
    let places = entries.vector(3 * rows);
    let values = entries.vector(3 * rows);
    let scales = entries.vector(rows);
    let column = |x: f64| ((x + 1e3).abs().fract() * 1e6) as usize % columns;
    let triplets = (0..3 * rows).map(|k| (k / 3, column(places[k]), values[k] * 10f64.powf(2.0 * scales[k / 3])));
    Csr::from_triplets(rows, columns, triplets.collect())
}

fn image(matrix: &Csr, x: &[f64]) -> Vec<f64> {
    let mut y = vec![0.0; matrix.rows];
    matrix.accumulate(1.0, x, &mut y, false);
    y
}

#[test]
fn what_is_reached_is_left_alone() {
    let mut entries = Entries(90);
    for (rows, columns) in [(300, 400), (400, 300), (2000, 900)] {
        let matrix = sparse(&mut entries, rows, columns);
        let right = image(&matrix, &entries.vector(columns));
        for most in [PLENTY, FEW] {
            assert_eq!(unreached(&matrix, &right, most), None, "{rows}×{columns}");
        }
    }
    assert_eq!(unreached(&sparse(&mut entries, 50, 40), &[0.0; 50], PLENTY), None);
}

#[test]
fn what_is_not_reached_is_proved() {
    let mut entries = Entries(91);
    let matrix = sparse(&mut entries, 2000, 700);
    let mut right = image(&matrix, &entries.vector(700));
    right[1234] += 1.0;
    for most in [PLENTY, 3e8] {
        let found = unreached(&matrix, &right, most).expect("a row was changed");
        let mut left = vec![0.0; 700];
        matrix.accumulate(1.0, &found.weights, &mut left, true);
        let largest = found.weights.iter().fold(0.0f64, |largest, w| largest.max(w.abs()));
        assert!(left.iter().all(|x| x.abs() <= 1e-8 * largest * 100.0), "Kᵀy = 0");
        let sum: f64 = found.weights.iter().zip(&right).map(|(w, c)| w * c).sum();
        assert!((sum - 1.0).abs() <= 1e-6, "⟨c, y⟩ = {sum}");
        assert!(found.away > 1e3 * found.length);
    }
}

/// Both ways give one residual.
#[test]
fn both_ways_agree() {
    let mut entries = Entries(93);
    let matrix = sparse(&mut entries, 900, 300);
    let right = entries.vector(900);
    let (by_factor, ..) = by_factor(&matrix, &right, PLENTY).expect("it has a factor");
    let (by_lsqr, _, turns) = by_lsqr(&matrix, &right, PLENTY).expect("it converges");
    assert!(turns < 3000, "{turns}");
    let off = by_factor.iter().zip(&by_lsqr).fold(0.0f64, |off, (a, b)| off.max((a - b).abs()));
    assert!(off <= 1e-6, "{off}");
}

/// A ring of differences that closes but for a little: whatever is reached, and however far that is.
#[test]
fn a_ring_that_hardly_closes() {
    let n = 400;
    for (gap, told) in [(1.0, false), (1e-3, false), (1e-6, false), (0.0, true)] {
        let last = |i: usize| if i == 0 { gap - 1.0 } else { -1.0 };
        let triplets = (0..n).flat_map(|i| [(i, i, 1.0), (i, (i + 1) % n, last(i))]);
        let matrix = Csr::from_triplets(n, n, triplets.collect());
        let right = Entries(92).vector(n);
        assert_eq!(unreached(&matrix, &right, PLENTY).is_some(), told, "{gap}");
    }
}
