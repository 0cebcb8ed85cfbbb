//! Sparse factors against dense solves: definite, quasi-definite, with and without dense blocks.

use faer::dyn_stack::{MemBuffer, MemStack};

use super::{Entries, assert_near, tolerance};
use crate::linalg::{Csr, Matrix, Operator, Symbolic, factor, is_definite};

/// Solves by the factor for the columns of `b`; `None` where there is no factor.
fn solve(matrix: &Csr, negative: usize, b: &[f64]) -> Option<Vec<f64>> {
    let lower = matrix.lower();
    let symbolic = Symbolic::new(&lower, negative);
    let columns = b.len() / matrix.rows.max(1);
    let mut memory = MemBuffer::new(symbolic.request::<f64>(columns));
    let stack = MemStack::new(&mut memory);
    let mut numbers = vec![f64::NAN; symbolic.factor_len()];
    if !symbolic.factor(&lower.values, &mut numbers, stack) {
        return None;
    }
    let mut x = b.to_vec();
    symbolic.solve(&numbers, &mut x, columns, stack);
    Some(x)
}

/// `KᵀK + I/10` with about `per_row` entries a row of `K`.
fn definite(n: usize, per_row: usize, entries: &mut Entries) -> Csr {
    let triplets = (0..n * per_row).map(|e| {
        let j = ((entries.next() + 1.0) / 2.0 * n as f64) as usize;
        (e / per_row, j.min(n - 1), entries.next())
    });
    let k = Csr::from_triplets(n, n, triplets.collect());
    let shift = Csr::from_triplets(n, n, (0..n).map(|i| (i, i, 0.1)).collect());
    k.transpose().matmul(&k).add(&shift)
}

#[test]
fn a_definite_system_is_solved() {
    let mut entries = Entries(30);
    for (n, per_row) in [(1, 1), (2, 1), (40, 2), (150, 4), (120, 120)] {
        let matrix = definite(n, per_row, &mut entries);
        let b = entries.vector(3 * n);
        let x = solve(&matrix, 0, &b).expect("definite");
        let product = matrix.to_dense().matmul(&Matrix::new(n, 3, x));
        assert_near(&product.data, &b, 1e3 * tolerance(n), &format!("{n}"));
    }
    assert_eq!(solve(&Csr::from_triplets(0, 0, vec![]), 0, &[]), Some(vec![]));
}

#[test]
fn a_quasi_definite_system_is_solved() {
    let mut entries = Entries(31);
    let (n, m) = (60, 25);
    let p = definite(n, 3, &mut entries);
    let k = Csr::from_triplets(m, n, (0..4 * m).map(|e| (e / 4, (17 * e) % n, entries.next())).collect());
    let mut triplets: Vec<_> = p.entries().collect();
    triplets.extend(k.entries().flat_map(|(i, j, x)| [(n + i, j, x), (j, n + i, x)]));
    triplets.extend((0..m).map(|i| (n + i, n + i, -0.5)));
    let matrix = Csr::from_triplets(n + m, n + m, triplets);
    let b = entries.vector(n + m);
    let x = solve(&matrix, m, &b).expect("quasi-definite");
    assert_near(&Operator::from(matrix.clone()).apply(&x), &b, 1e3 * tolerance(n), "residual");
    let mut dense = b.clone();
    factor::symmetric(&matrix.to_dense()).expect("finite").solve(&mut dense);
    assert_near(&x, &dense, 1e4 * tolerance(n), "against a dense factor");
    // The signs of the pivots are counted.
    assert_eq!(solve(&matrix, m - 1, &b), None);
    assert_eq!(solve(&p, 1, &b[..n]), None);
}

#[test]
fn dense_columns_are_taken_as_blocks() {
    let mut entries = Entries(32);
    let full = Symbolic::new(&definite(120, 120, &mut entries).lower(), 0);
    let band = Symbolic::new(&definite(120, 1, &mut entries).lower(), 0);
    assert!(full.flops().1, "a full matrix is one block");
    assert!(!band.flops().1, "a diagonal is none");
    assert!(
        full.factor_len() >= 120 * 121 / 2 && band.factor_len() < 3 * 120,
        "{} and {}",
        full.factor_len(),
        band.factor_len()
    );
}

#[test]
fn what_is_not_definite_has_no_factor() {
    let matrix = |d: [f64; 3]| Csr::from_triplets(3, 3, (0..3).map(|i| (i, i, d[i])).collect());
    assert!(is_definite(&matrix([1.0, 2.0, 3.0])));
    assert!(!is_definite(&matrix([1.0, -2.0, 3.0])));
    assert!(!is_definite(&matrix([1.0, 0.0, 3.0])));
    assert!(!is_definite(&matrix([1.0, f64::NAN, 3.0])));
    let mut entries = Entries(33);
    let indefinite = definite(80, 80, &mut entries).add(&Csr::from_triplets(80, 80, vec![(7, 7, -1e3)]));
    assert!(!is_definite(&indefinite));
}

#[test]
fn a_row_without_its_diagonal_has_a_place_for_it() {
    let matrix = Csr::from_triplets(2, 2, vec![(0, 1, 1.0), (1, 0, 1.0), (1, 1, -1.0)]);
    let lower = matrix.lower();
    assert_eq!((lower.nnz(), lower.values[0]), (3, 0.0));
    // [ε 1; 1 −1] is quasi-definite for ε > 0 alone.
    let x = solve(&matrix.add(&Csr::from_triplets(2, 2, vec![(0, 0, 0.5)])), 1, &[1.0, 0.0]).expect("quasi-definite");
    assert_near(&x, &[2.0 / 3.0, 2.0 / 3.0], tolerance(2), "by hand");
}
