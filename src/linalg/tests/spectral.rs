//! Transforms against their sums; spectra against the matrices they are of.

use super::{Entries, assert_near, tolerance};
use crate::linalg::spectral::spectrum;
use crate::linalg::transform::{GridTransform, Transform};
use crate::linalg::{Csr, Curvature, Matrix, Operator, Sum};

/// The matrix of a transform of one grid, by its formula.
fn matrix(kind: Transform, grid: &[usize]) -> Matrix {
    let n: usize = grid.iter().product();
    let at = |mut k: usize| {
        let mut place = vec![0; grid.len()];
        for (place, &extent) in place.iter_mut().zip(grid).rev() {
            (*place, k) = (k % extent, k / extent);
        }
        place
    };
    Matrix::from_fn(n, n, |k, i| {
        let axes = || at(k).into_iter().zip(at(i)).zip(grid).map(|((k, i), &n)| (k as f64, i as f64, n as f64));
        match kind {
            Transform::Cosine => axes()
                .map(|(k, i, n)| {
                    let scale = if k == 0.0 { 1.0 / n } else { 2.0 / n };
                    scale.sqrt() * (std::f64::consts::PI * k * (2.0 * i + 1.0) / (2.0 * n)).cos()
                })
                .product(),
            Transform::Hartley => {
                let angle: f64 = axes().map(|(k, i, n)| 2.0 * std::f64::consts::PI * k * i / n).sum();
                (angle.cos() + angle.sin()) / (n as f64).sqrt()
            }
        }
    })
}

const GRIDS: &[&[usize]] =
    &[&[1], &[2], &[7], &[16], &[4, 6], &[5, 1, 3], &[3, 4, 5], &[1, 1], &[12, 20], &[0], &[3, 0]];

#[test]
fn transforms_are_their_sums_and_orthogonal() {
    for kind in [Transform::Cosine, Transform::Hartley] {
        for grid in GRIDS {
            let n: usize = grid.iter().product();
            let what = format!("{} of {grid:?}", kind.name());
            let x = Entries(20).vector(n);
            let expected = Operator::from(matrix(kind, grid)).apply(&x);
            let plan = GridTransform::<f64>::new(kind, grid);
            let mut y = x.clone();
            plan.apply(&mut y, false);
            assert_near(&y, &expected, tolerance(n.max(1)), &what);
            plan.apply(&mut y, true);
            assert_near(&y, &x, tolerance(n.max(1)), &what);
            let mut single: Vec<f32> = x.iter().map(|&x| x as f32).collect();
            GridTransform::<f32>::new(kind, grid).apply(&mut single, false);
            let single: Vec<f64> = single.into_iter().map(f64::from).collect();
            assert_near(&single, &expected, 8.0 * (n + 1) as f64 * f64::from(f32::EPSILON), &what);
        }
    }
}

/// Forward differences along an axis: none across the border, or around it.
fn differences(grid: &[usize], axis: usize, periodic: bool) -> Operator {
    let n: usize = grid.iter().product();
    let stride: usize = grid[axis + 1..].iter().product();
    let mut entries = Vec::new();
    for i in 0..n {
        let at = i / stride % grid[axis];
        let next = match (at + 1 < grid[axis], periodic) {
            (true, _) => i + stride,
            (false, true) => i + stride - grid[axis] * stride,
            (false, false) => continue,
        };
        entries.push((i, i, -1.0));
        entries.push((i, next, 1.0));
    }
    Csr::from_triplets(n, n, entries).into()
}

/// `Σ wₐ DₐᵀDₐ + μI`
fn laplacian(grid: &[usize], weights: &[f64], mu: f64, periodic: bool) -> Curvature {
    let n: usize = grid.iter().product();
    let mut sum = Sum::new(n);
    for (axis, &w) in weights.iter().enumerate() {
        sum.square(&differences(grid, axis, periodic), &vec![w; n]);
    }
    sum.square(&Operator::Identity(n), &vec![mu; n]);
    sum.finish()
}

/// `T⁻¹ diag(λ) T` is the matrix.
fn check(curvature: &Curvature, grid: &[usize], kind: Transform) {
    let spectrum = spectrum(curvature, grid, kind).expect("a stencil");
    let t = matrix(kind, grid);
    let product = t.transpose().matmul(&Matrix::diagonal(&spectrum.values)).matmul(&t);
    let scale = spectrum.values.iter().fold(0.0f64, |scale, x| scale.max(x.abs()));
    assert_near(&product.data, &curvature.to_dense().data, scale * tolerance(t.rows), &format!("{grid:?}"));
}

#[test]
fn differences_on_a_grid_have_a_spectrum() {
    for (grid, weights) in
        [(&[20][..], &[1.5][..]), (&[6, 9], &[1.0, 1.0]), (&[8, 5], &[1.0, 3.0]), (&[5, 6, 7], &[1.0, 2.0, 0.5])]
    {
        check(&laplacian(grid, weights, 0.25, false), grid, Transform::Cosine);
        check(&laplacian(grid, weights, 0.25, true), grid, Transform::Hartley);
        // The border tells them apart.
        assert_eq!(spectrum(&laplacian(grid, weights, 0.25, true), grid, Transform::Cosine), None);
        assert_eq!(spectrum(&laplacian(grid, weights, 0.25, false), grid, Transform::Hartley), None);
    }
}

#[test]
fn a_blur_has_a_spectrum_however_lopsided() {
    // Kᵀ K of a periodic convolution: symmetric about its centre, not in each axis.
    let (rows, columns) = (9, 11);
    let kernel = Entries(21).matrix(3, 3);
    let entries = (0..rows * columns).flat_map(|at| {
        let (r, c) = (at / columns, at % columns);
        let kernel = &kernel;
        (0..9).map(move |k| {
            let to = (r + k / 3) % rows * columns + (c + k % 3) % columns;
            (at, to, kernel[(k / 3, k % 3)])
        })
    });
    let k = Operator::from(Csr::from_triplets(rows * columns, rows * columns, entries.collect()));
    let mut sum = Sum::new(rows * columns);
    sum.square(&k, &vec![2.0; rows * columns]);
    check(&sum.finish(), &[rows, columns], Transform::Hartley);
}

#[test]
fn what_is_no_stencil_has_no_spectrum() {
    let grid = [6, 9];
    let one_off = |at: (usize, usize)| {
        let Curvature::Sparse(m) = laplacian(&grid, &[1.0, 1.0], 1.0, false) else { panic!("sparse") };
        let mut triplets: Vec<_> = m.entries().collect();
        triplets.push((at.0, at.1, 1e-3));
        triplets.push((at.1, at.0, 1e-3));
        Curvature::from(Csr::from_triplets(54, 54, triplets))
    };
    for at in [(0, 0), (0, 1), (53, 53), (20, 21), (3, 40)] {
        assert_eq!(spectrum(&one_off(at), &grid, Transform::Cosine), None, "{at:?}");
    }
    // A grid of another shape.
    assert_eq!(spectrum(&laplacian(&grid, &[1.0, 1.0], 1.0, false), &[9, 6], Transform::Cosine), None);
    assert_eq!(spectrum(&laplacian(&grid, &[1.0, 1.0], 1.0, false), &[9, 5], Transform::Cosine), None);
    // A multiple of the identity has one on any.
    let identity = Curvature::scaled_identity(3.0, 54);
    assert_eq!(spectrum(&identity, &grid, Transform::Hartley).map(|s| s.values), Some(vec![3.0; 54]));
}
