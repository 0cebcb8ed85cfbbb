//! Sums of products against their dense matrices, and the structure they are found to have.

use expect_test::{Expect, expect};

use super::{Entries, assert_near, tolerance, zoo};
use crate::linalg::{Csr, Curvature, Matrix, Operator, Sum};

/// `Kᵀ diag(w) K`
fn dense_square(k: &Operator, weights: &[f64]) -> Matrix {
    let k = k.to_dense();
    k.transpose().matmul(&Matrix::diagonal(weights)).matmul(&k)
}

/// Everything that a curvature says of itself is what its dense matrix says.
fn check(curvature: &Curvature, dense: &Matrix, what: &str) {
    let n = dense.rows;
    let bound = tolerance(60);
    assert_eq!(curvature.n(), n, "{what}");
    assert_near(&curvature.to_dense().data, &dense.data, bound, what);
    assert_near(&curvature.to_sparse().to_dense().data, &dense.data, bound, what);
    assert_near(&curvature.diagonal(), &(0..n).map(|i| dense[(i, i)]).collect::<Vec<f64>>(), bound, what);
    let x = Entries(9).vector(n);
    let mut y = Entries(10).vector(n);
    let mut expected = y.clone();
    curvature.accumulate(-0.5, &x, &mut y);
    Operator::from(dense.clone()).accumulate(-0.5, &x, &mut expected, false);
    assert_near(&y, &expected, bound, what);
}

#[test]
fn a_square_is_its_dense_square() {
    let mut entries = Entries(11);
    for k in zoo() {
        for weights in [vec![0.5; k.rows()], entries.vector(k.rows()), vec![0.0; k.rows()]] {
            let mut sum = Sum::new(k.cols());
            sum.square(&k, &weights);
            check(&sum.finish(), &dense_square(&k, &weights), &k.to_string());
        }
    }
}

#[test]
fn a_product_is_made_symmetric() {
    let mut entries = Entries(12);
    let dense = Operator::from(entries.matrix(30, 30));
    let weights = entries.vector(30);
    let sparse =
        Operator::from(Csr::from_triplets(30, 30, (0..30).map(|i| (i, (7 * i) % 30, 1.0 + i as f64)).collect()));
    for (a, b) in [
        (Operator::Identity(30), dense.clone()),
        (dense.clone(), sparse.clone()),
        (sparse, Operator::Scale(2.0, 30)),
        (Operator::Diagonal(entries.vector(30)), Operator::Identity(30)),
        (dense.clone(), dense),
    ] {
        let mut sum = Sum::new(30);
        sum.product(&a, &b, &weights);
        let half = a.to_dense().transpose().matmul(&Matrix::diagonal(&weights)).matmul(&b.to_dense());
        check(&sum.finish(), &half.transpose().add_scaled(1.0, &half), &format!("{a} and {b}"));
    }
}

/// Forward differences of a vector.
fn differences(n: usize) -> Operator {
    let entries = (0..n - 1).flat_map(|i| [(i, i, -1.0), (i, i + 1, 1.0)]).collect();
    Csr::from_triplets(n - 1, n, entries).into()
}

fn shown(expected: Expect, terms: &[(&Operator, f64)]) {
    let n = terms[0].0.cols();
    let mut sum = Sum::new(n);
    let mut dense = Matrix::zeros(n, n);
    for (k, weight) in terms {
        let weights = vec![*weight; k.rows()];
        sum.square(k, &weights);
        dense = dense.add_scaled(1.0, &dense_square(k, &weights));
    }
    let curvature = sum.finish();
    check(&curvature, &dense, &curvature.to_string());
    expected.assert_eq(&curvature.to_string());
}

#[test]
fn a_sum_shows_its_structure() {
    let mut entries = Entries(13);
    let identity = Operator::Identity(200);
    let wide = Operator::from(entries.matrix(30, 200));
    shown(expect!["3·I[200]"], &[(&identity, 1.0), (&identity, 2.0)]);
    shown(expect!["sparse[200, 200] of 598 entries"], &[(&differences(200), 1.0), (&identity, 2.0)]);
    shown(expect!["2·I[200] + KᵀK, K 30×200"], &[(&wide, 1.0), (&identity, 2.0)]);
    shown(expect!["sparse[200, 200] of 598 entries + 0.5·KᵀK, K 30×200"], &[(&differences(200), 1.0), (&wide, 0.5)]);
    // With a tall one the product is no smaller than its factor.
    shown(expect!["dense[30, 30]"], &[(&Operator::from(entries.matrix(60, 30)), 1.0)]);
    shown(expect!["KᵀK, K 300×200"], &[(&Operator::from(entries.matrix(300, 200)), 1.0)]);
    // Rows that only together are orthogonal: each alone is not.
    let row = |b: f64| Operator::from(Matrix::new(1, 2, vec![1.0, b]));
    shown(expect!["dense[2, 2]"], &[(&row(1.0), 1.0), (&row(-1.0), 1.0)]);
    let matrix = Operator::kronecker(Operator::from(entries.matrix(9, 30)), Operator::Identity(4));
    let whole = Operator::Identity(120);
    shown(expect!["4 times 2·I[30] + KᵀK, K 9×30"], &[(&matrix, 1.0), (&whole, 2.0)]);
}

#[test]
fn sums_of_sums_stay_what_they_are() {
    let mut entries = Entries(14);
    let mut parts = Vec::new();
    for k in [
        Operator::Identity(40),
        differences(40),
        Operator::from(entries.matrix(3, 40)),
        Operator::from(entries.matrix(80, 40)),
        Operator::kronecker(Operator::from(entries.matrix(3, 20)), Operator::Identity(2)),
    ] {
        let mut sum = Sum::new(40);
        sum.square(&k, &vec![0.7; k.rows()]);
        parts.push(sum.finish());
    }
    for a in &parts {
        for b in &parts {
            let expected = Matrix::zeros(40, 40).add_scaled(2.0, &a.to_dense()).add_scaled(-0.5, &b.to_dense());
            check(&Curvature::sum(&[(2.0, a), (-0.5, b)]), &expected, &format!("{a} and {b}"));
        }
    }
}

#[test]
fn semidefinite_is_told_at_the_border() {
    let mut entries = Entries(15);
    let laplacian = {
        let mut sum = Sum::new(50);
        sum.square(&differences(50), &[1.0; 49]);
        sum.finish()
    };
    // Singular, and semidefinite.
    assert!(laplacian.is_semidefinite());
    let shifted = Curvature::sum(&[(1.0, &laplacian), (-1e-6, &Curvature::scaled_identity(1.0, 50))]);
    assert!(matches!(shifted, Curvature::Sparse(_)) && !shifted.is_semidefinite());
    let low = entries.matrix(5, 40).gram();
    assert!(Curvature::from(low.clone()).is_semidefinite());
    assert!(!Curvature::from(low.add_diagonal(-1e-6)).is_semidefinite());
    let mut sum = Sum::new(40);
    let k = Operator::from(entries.matrix(5, 40));
    sum.square(&k, &[1.0; 5]);
    assert!(sum.clone().finish().is_semidefinite());
    sum.square(&k, &[-2.0; 5]);
    assert!(!sum.finish().is_semidefinite());
    assert!(Curvature::Diagonal(vec![0.0; 3]).is_semidefinite());
    assert!(Curvature::from(Matrix::zeros(20, 20)).is_semidefinite());
}

#[test]
fn a_dense_gram_is_told_from_its_columns() {
    use crate::linalg::Gram;
    let mut entries = Entries(16);
    // Columns of an orthogonal matrix, of different lengths, past the width that is looked at together.
    let n = 70;
    let eigen = crate::linalg::factor::eigen(&entries.matrix(n, n).gram()).expect("finite");
    let scaled = eigen.vectors.matmul(&Matrix::diagonal(&(1..=n).map(|i| i as f64).collect::<Vec<f64>>()));
    let Gram::Diagonal(d) = Operator::from(scaled.clone()).gram() else { panic!("orthogonal columns") };
    assert_near(&d, &(1..=n).map(|i| (i * i) as f64).collect::<Vec<f64>>(), tolerance(n), "lengths");
    let mut mixed = scaled;
    mixed[(0, n - 1)] += 1e-3;
    assert_eq!(Operator::from(mixed).gram(), Gram::General);
}
