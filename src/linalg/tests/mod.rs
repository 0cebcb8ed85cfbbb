//! Each operator against its dense matrix; each factorisation against its definition.

use expect_test::expect;

mod curvature;
mod residual;
mod rows;
mod sparse;
mod spectral;

use super::{Csr, Gram, Matrix, Operator, factor};

/// A small generator, seeded: entries in [−1, 1).
struct Entries(u64);

impl Entries {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((self.0 >> 11) as f64 / (1u64 << 52) as f64) - 1.0
    }

    fn matrix(&mut self, rows: usize, cols: usize) -> Matrix {
        Matrix::from_fn(rows, cols, |_, _| self.next())
    }

    fn vector(&mut self, n: usize) -> Vec<f64> {
        (0..n).map(|_| self.next()).collect()
    }
}

/// Bound of the difference of two ways to sum `terms` products of size one.
fn tolerance(terms: usize) -> f64 {
    8.0 * terms as f64 * f64::EPSILON
}

fn assert_near(a: &[f64], b: &[f64], tolerance: f64, what: &str) {
    assert_eq!(a.len(), b.len(), "{what}");
    for (x, y) in a.iter().zip(b) {
        assert!((x - y).abs() <= tolerance * (1.0 + x.abs()), "{what}: {x} and {y}");
    }
}

/// One of each variant, nested.
fn zoo() -> Vec<Operator> {
    let mut entries = Entries(1);
    let dense = |rows, cols, entries: &mut Entries| Operator::from(entries.matrix(rows, cols));
    let sparse = Operator::from(Csr::from_triplets(3, 4, vec![(0, 3, 2.0), (2, 1, -1.0), (2, 0, 0.5), (2, 1, 4.0)]));
    let square = dense(4, 4, &mut entries);
    vec![
        Operator::Zero { rows: 2, cols: 3 },
        Operator::Identity(3),
        Operator::Scale(-2.0, 3),
        Operator::Diagonal(vec![1.0, -2.0, 3.0]),
        dense(3, 4, &mut entries),
        sparse.clone(),
        Operator::selection(&[2, 0, 2], 4),
        Operator::stack(vec![sparse.clone(), Operator::Identity(4), dense(1, 4, &mut entries)]),
        Operator::hstack(vec![sparse.clone(), Operator::Scale(3.0, 3), dense(3, 2, &mut entries)]),
        Operator::block(vec![sparse.clone(), Operator::Identity(2), dense(1, 2, &mut entries)]),
        -sparse.clone(),
        Operator::stack(vec![sparse.clone(), Operator::Identity(4)]).adjoint(),
        Operator::compose(dense(2, 3, &mut entries), sparse.clone()),
        Operator::sum(vec![square.clone(), Operator::Identity(4), Operator::Diagonal(vec![1.0, 2.0, 3.0, 4.0])]),
        Operator::kronecker(dense(2, 3, &mut entries), sparse.clone()),
        Operator::kronecker(Operator::Identity(2), sparse),
    ]
}

#[test]
fn apply_is_the_product_with_the_dense_matrix() {
    let mut entries = Entries(2);
    for m in zoo() {
        let dense = m.to_dense();
        assert_eq!((dense.rows, dense.cols), m.extents(), "{m}");
        let (x, y) = (entries.vector(m.cols()), entries.vector(m.rows()));
        let product = |m: &Matrix, x: &[f64]| m.matmul(&Matrix::new(x.len(), 1, x.to_vec())).data;
        assert_near(&m.apply(&x), &product(&dense, &x), tolerance(20), &m.to_string());
        assert_near(&m.apply_adjoint(&y), &product(&dense.transpose(), &y), tolerance(20), &m.to_string());
        assert_near(&m.clone().adjoint().apply(&y), &m.apply_adjoint(&y), tolerance(20), &m.to_string());
    }
}

#[test]
fn gram_says_what_the_dense_product_is() {
    for m in zoo() {
        let product = m.to_dense().gram();
        let diagonal = m.gram().diagonal(m.cols());
        let off = |i: usize, j: usize| i != j && product[(i, j)].abs() > tolerance(20);
        let mixed = (0..m.cols()).any(|i| (0..m.cols()).any(|j| off(i, j)));
        assert_eq!(diagonal.is_none(), mixed, "{m}");
        if let Some(d) = diagonal {
            let own: Vec<f64> = (0..m.cols()).map(|i| product[(i, i)]).collect();
            assert_near(&d, &own, tolerance(20), &m.to_string());
        }
    }
}

#[test]
fn gram_sees_through_cancellation_and_rounding() {
    // [1 1; 1 −1] in two rows: neither row alone is diagonal.
    let row = |b: f64| Operator::from(Matrix::new(1, 2, vec![1.0, b]));
    assert_eq!(Operator::stack(vec![row(1.0), row(-1.0)]).gram(), Gram::Scaled(2.0));
    assert_eq!(Operator::stack(vec![row(1.0), row(-0.5)]).gram(), Gram::General);
    assert_eq!(Operator::stack(vec![Operator::Identity(3), Operator::Scale(2.0, 3)]).gram(), Gram::Scaled(5.0));
    assert_eq!(Operator::selection(&[0, 2], 3).gram(), Gram::Diagonal(vec![1.0, 0.0, 1.0]));
    // A rotation is orthogonal up to rounding.
    let (s, c) = 0.3f64.sin_cos();
    assert!(
        matches!(Operator::from(Matrix::new(2, 2, vec![c, -s, s, c])).gram(), Gram::Scaled(k) if (k - 1.0).abs() < 1e-15)
    );
}

#[test]
fn norm_bound_holds_and_is_exact_where_it_can_be() {
    for m in zoo() {
        let values = factor::svd(&m.to_dense()).expect("finite").values;
        let norm = values.first().copied().unwrap_or(0.0);
        assert!(m.norm_bound() >= norm * (1.0 - tolerance(20)), "{m}: {} < {norm}", m.norm_bound());
    }
    assert_eq!(Operator::stack(vec![Operator::Identity(2), Operator::Scale(-1.0, 2)]).norm_bound(), 2.0f64.sqrt());
    assert_eq!(Operator::Diagonal(vec![1.0, -3.0]).norm_bound(), 3.0);
}

#[test]
fn structure_shows_in_the_variant() {
    let dense = Operator::from(Matrix::zeros(2, 2));
    let scale = Operator::Scale(2.0, 2);
    assert_eq!(Operator::compose(Operator::Identity(2), dense.clone()), dense);
    assert_eq!(Operator::compose(scale.clone(), Operator::Scale(0.5, 2)), Operator::Identity(2));
    assert_eq!(Operator::sum(vec![Operator::Identity(2), scale.clone()]), Operator::Scale(3.0, 2));
    assert_eq!(Operator::sum(vec![scale.clone(), -scale]), Operator::Zero { rows: 2, cols: 2 });
    assert_eq!(-(-dense.clone()), dense);
}

#[test]
fn is_written_as_in_a_formula() {
    let text: String = zoo().iter().map(|m| format!("{m}\n")).collect();
    expect![[r#"
        0
        I
        −2 I
        diag(3)
        dense 3×4
        sparse 3×4
        sparse 3×4
        [sparse 3×4; I; dense 1×4]
        [sparse 3×4, 3 I, dense 3×2]
        blocks(sparse 3×4, I, dense 1×2)
        −(sparse 3×4)
        ([sparse 3×4; I])ᵀ
        (dense 2×3)·(sparse 3×4)
        dense 4×4 + diag(4)
        (dense 2×3) ⊗ (sparse 3×4)
        (I) ⊗ (sparse 3×4)
    "#]]
    .assert_eq(&text);
}

#[test]
fn factorisations_solve() {
    let mut entries = Entries(3);
    let n = 9;
    let m = entries.matrix(n, n);
    let a = m.gram().add_scaled(1.0, &Matrix::identity(n));
    let b = entries.vector(n);
    let residual = |a: &Matrix, x: &[f64]| Operator::from(a.clone()).apply(x);

    let cholesky = factor::cholesky(&a).expect("positive definite");
    let l = cholesky.lower();
    assert_near(&l.matmul(&l.transpose()).data, &a.data, tolerance(50), "LLᵀ");
    let mut x = b.clone();
    cholesky.solve(&mut x);
    assert_near(&residual(&a, &x), &b, tolerance(100), "Cholesky");
    assert!(factor::cholesky(&Matrix::diagonal(&[1.0, -1.0])).is_none());
    assert!(factor::cholesky(&Matrix::diagonal(&[1.0, f64::NAN])).is_none());

    let indefinite = a.clone().add_scaled(-3.0, &Matrix::identity(n));
    let mut x = b.clone();
    factor::symmetric(&indefinite).expect("finite").solve(&mut x);
    assert_near(&residual(&indefinite, &x), &b, tolerance(1000), "LBLᵀ");

    let eigen = factor::eigen(&a).expect("finite");
    assert!(eigen.values.is_sorted());
    let scaled = eigen.vectors.matmul(&Matrix::diagonal(&eigen.values));
    assert_near(&scaled.matmul(&eigen.vectors.transpose()).data, &a.data, tolerance(100), "VΛVᵀ");
    let log_det: f64 = eigen.values.iter().map(|x| x.ln()).sum();
    assert_near(&[cholesky.log_det()], &[log_det], tolerance(100), "log det");
}

#[test]
fn least_squares_is_shortest() {
    let mut entries = Entries(4);
    // Rank 2: its normal equations are singular.
    let a = entries.matrix(5, 2).matmul(&entries.matrix(2, 4));
    assert_eq!(factor::svd(&a).expect("finite").rank(5), 2);
    let b = entries.vector(5);
    let x = factor::least_squares(&a, &b).expect("finite");
    let operator = Operator::from(a.clone());
    let left: Vec<f64> = operator.apply(&x).iter().zip(&b).map(|(p, b)| p - b).collect();
    assert_near(&operator.apply_adjoint(&left), &[0.0; 4], tolerance(200), "normal equations");
    // The shortest lies in the row space: it is its own projection.
    let svd = factor::svd(&a).expect("finite");
    let v = Matrix::from_fn(4, 2, |i, k| svd.v[(i, k)]);
    let onto = Operator::from(v.matmul(&v.transpose()));
    assert_near(&onto.apply(&x), &x, tolerance(200), "row space");
}

#[test]
fn sparse_products_and_transposes_agree_with_dense() {
    let mut entries = Entries(5);
    let mut sparse = |rows, cols| {
        let dense = Matrix::from_fn(rows, cols, |_, _| {
            let x = entries.next();
            if x > 0.3 { x } else { 0.0 }
        });
        (Csr::from_dense(&dense), dense)
    };
    let ((a, dense_a), (b, dense_b), (c, dense_c)) = (sparse(6, 7), sparse(7, 5), sparse(6, 7));
    assert_near(&a.matmul(&b).to_dense().data, &dense_a.matmul(&dense_b).data, tolerance(7), "product");
    assert_eq!(a.transpose().to_dense(), dense_a.transpose());
    assert_eq!(a.add(&c).to_dense(), dense_a.add_scaled(1.0, &dense_c));
}
