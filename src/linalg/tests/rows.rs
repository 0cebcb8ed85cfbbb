//! Equations that repeat or contradict each other.

use super::{Entries, tolerance};
use crate::linalg::{Matrix, Operator, independent_rows};

fn stack(rows: &[&[f64]]) -> Operator {
    Matrix::new(rows.len(), rows[0].len(), rows.concat()).into()
}

#[test]
fn repeated_rows_are_dropped() {
    let e = stack(&[&[1.0, 2.0, 0.0], &[0.0, 1.0, 1.0], &[2.0, 4.0, 0.0], &[1.0, 3.0, 1.0]]);
    let kept = independent_rows(&e, &[3.0, 2.0, 6.0, 5.0]).expect("they agree");
    assert_eq!(kept.len(), 2);
    // The others follow from those kept.
    assert_eq!(independent_rows(&e, &[0.0; 4]).map(|kept| kept.len()), Ok(2));
    assert_eq!(independent_rows(&stack(&[&[0.0, 0.0]]), &[0.0]), Ok(vec![]));
    assert_eq!(
        independent_rows(&stack(&[&[1e-9, 0.0], &[0.0, 1e9]]), &[1.0, 1.0]),
        Ok(vec![0, 1]),
        "whatever the scale"
    );
}

#[test]
fn more_rows_than_columns() {
    let mut entries = Entries(40);
    let matrix = entries.matrix(12, 5);
    let x = Matrix::new(5, 1, entries.vector(5));
    let right = matrix.matmul(&x).data;
    assert_eq!(independent_rows(&matrix.into(), &right).map(|kept| kept.len()), Ok(5));
}

#[test]
fn a_contradiction_is_shown() {
    let mut entries = Entries(41);
    let contradictions = [
        (stack(&[&[1.0, 1.0], &[2.0, 2.0]]), vec![1.0, 3.0]),
        (stack(&[&[0.0, 0.0], &[2.0, 2.0]]), vec![1e-3, 3.0]),
        (stack(&[&[1.0, 2.0, 0.0], &[0.0, 1.0, 1.0], &[1.0, 3.0, 1.0]]), vec![1.0, 1.0, 2.5]),
        (entries.matrix(7, 3).into(), entries.vector(7)),
    ];
    for (e, right) in contradictions {
        let y = independent_rows(&e, &right).expect_err("they contradict each other");
        let sum: f64 = y.iter().zip(&right).map(|(y, e)| y * e).sum();
        assert!((sum - 1.0).abs() <= tolerance(50), "⟨e, y⟩ = {sum}");
        let largest = y.iter().fold(0.0f64, |largest, y| largest.max(y.abs()));
        assert!(e.apply_adjoint(&y).iter().all(|x| x.abs() <= tolerance(50) * largest), "Eᵀy = 0");
    }
}
