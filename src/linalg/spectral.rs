//! Stencils on a grid: symmetric matrices that a fast transform diagonalises.
//!
//! Row `i` of such a matrix is one stencil `k(d)` laid around grid point `i`, and continued where it
//! leaves the grid:
//!
//! ```text
//! reflected   λ_q = Σ_d k(d) Πₐ cos(π qₐ dₐ/nₐ)      by the cosine transform     k even in every axis
//! periodic    λ_q = Σ_d k(d) cos(2π Σₐ qₐ dₐ/nₐ)     by Hartley's                k(d) = k(−d)
//! ```
//!
//! Finite differences `DᵀD` with no difference across the border are reflected stencils, products of
//! periodic convolutions are periodic ones. Whether a matrix is one is checked entry by entry.

use std::borrow::Cow;

use super::transform::{GridTransform, Transform};
use super::{Csr, Curvature};

/// A symmetric matrix `T⁻¹ diag(values) T`.
#[derive(Debug, Clone, PartialEq)]
pub struct Spectrum {
    /// `T`
    pub transform: Transform,
    /// Extents of the grid.
    pub grid: Vec<usize>,
    /// Eigenvalues, in the order of the grid.
    pub values: Vec<f64>,
}

/// Entries of a stencil up to which one is looked for: a 31×31 kernel.
const WIDEST: usize = 1 << 10;

/// Multiplications that a matrix kept as its factor may take to be looked at.
const MOST: f64 = 1e8;

/// `k(d)` by offset.
type Stencil = Vec<(Vec<isize>, f64)>;

/// The spectrum of a matrix on a grid by that transform, where it has one.
pub fn spectrum(matrix: &Curvature, grid: &[usize], transform: Transform) -> Option<Spectrum> {
    let n: usize = grid.iter().product();
    let spectrum = |values| Some(Spectrum { transform, grid: grid.to_vec(), values });
    if n == 0 || matrix.n() != n {
        return None;
    }
    if let Some(s) = matrix.scale() {
        return spectrum(vec![s; n]);
    }
    let sparse = match matrix {
        Curvature::Sparse(sparse) => Cow::Borrowed(sparse.as_ref()),
        // No stencil is that wide, or differs between the middle and the point before it.
        other if other.entries().0 > (WIDEST * n) as f64 || other.entries().1 > MOST => return None,
        other if !is_level(&other.diagonal(), grid) => return None,
        other => Cow::Owned(other.to_sparse()),
    };
    let stencil = stencil(&sparse, grid, transform)?;
    let agrees = is_laid_everywhere(&sparse, &stencil, grid, transform);
    agrees.then(|| spectrum(values(&stencil, grid, transform))).flatten()
}

/// Whether a diagonal is the same at the middle of the grid as a step before it, as a stencil's is there: so a
/// matrix that is none is known before it is multiplied out.
fn is_level(diagonal: &[f64], grid: &[usize]) -> bool {
    let middle: Vec<usize> = grid.iter().map(|n| n / 2).collect();
    let here = diagonal[position(&middle, grid)];
    (0..grid.len()).filter(|&axis| middle[axis] > 0).all(|axis| {
        let mut before = middle.clone();
        before[axis] -= 1;
        let before = diagonal[position(&before, grid)];
        (here - before).abs() <= LEVEL * here.abs().max(before.abs())
    })
}

/// Share by which two diagonal entries may differ that are sums of the same products in another order.
const LEVEL: f64 = 1e-9;

/// The row of the middle of the grid, by offset.
fn stencil(matrix: &Csr, grid: &[usize], transform: Transform) -> Option<Stencil> {
    let middle: Vec<usize> = grid.iter().map(|n| n / 2).collect();
    let row = position(&middle, grid);
    if matrix.starts[row + 1] - matrix.starts[row] > WIDEST {
        return None;
    }
    let mut stencil = Stencil::new();
    for (column, value) in matrix.row(row) {
        let at = coordinates(column, grid);
        let offset: Vec<isize> = at.iter().zip(&middle).map(|(&a, &m)| a as isize - m as isize).collect();
        // One that reaches the border from the middle may already be folded there.
        let folded = |(d, &n): (&isize, &usize)| n > 1 && 2 * d.unsigned_abs() + 1 >= n;
        if transform == Transform::Cosine && offset.iter().zip(grid).any(folded) {
            return None;
        }
        stencil.push((offset, value));
    }
    let find = |offset: &[isize]| stencil.iter().find(|(d, _)| d == offset).map(|(_, value)| *value);
    let even = |(offset, value): &(Vec<isize>, f64)| {
        (0..grid.len()).all(|axis| {
            let mut mirrored = offset.clone();
            mirrored[axis] = -mirrored[axis];
            find(&mirrored).is_some_and(|other| near(other, *value, value.abs()))
        })
    };
    (transform == Transform::Hartley || stencil.iter().all(even)).then_some(stencil)
}

/// Rounding of an entry that is a sum of a few products.
fn near(a: f64, b: f64, scale: f64) -> bool {
    (a - b).abs() <= 64.0 * f64::EPSILON * scale
}

/// Whether every row is the stencil around its point.
fn is_laid_everywhere(matrix: &Csr, stencil: &Stencil, grid: &[usize], transform: Transform) -> bool {
    let scale = stencil.iter().fold(0.0f64, |scale, (_, value)| scale.max(value.abs()));
    let mut laid = vec![0.0; matrix.cols];
    let mut touched = Vec::with_capacity(stencil.len());
    (0..matrix.rows).all(|row| {
        let at = coordinates(row, grid);
        for (offset, value) in stencil {
            let continued = |((&a, &d), &n): ((&usize, &isize), &usize)| match transform {
                Transform::Hartley => (a as isize + d).rem_euclid(n as isize) as usize,
                Transform::Cosine => reflected(a as isize + d, n),
            };
            let to: Vec<usize> = at.iter().zip(offset).zip(grid).map(continued).collect();
            let to = position(&to, grid);
            laid[to] += value;
            touched.push(to);
        }
        matrix.row(row).for_each(|(column, value)| {
            laid[column] -= value;
            touched.push(column);
        });
        touched.drain(..).all(|column| near(std::mem::take(&mut laid[column]), 0.0, scale))
    })
}

/// A position past the border, reflected at the edge of the last element: `−1 ↦ 0`, `n ↦ n − 1`.
fn reflected(at: isize, n: usize) -> usize {
    let n = n as isize;
    let within = at.rem_euclid(2 * n);
    (if within < n { within } else { 2 * n - 1 - within }) as usize
}

fn values(stencil: &Stencil, grid: &[usize], transform: Transform) -> Vec<f64> {
    let n: usize = grid.iter().product();
    match transform {
        Transform::Hartley => {
            // The first row of the matrix, whose transform is the spectrum.
            let mut row = vec![0.0; n];
            for (offset, value) in stencil {
                let to: Vec<usize> =
                    offset.iter().zip(grid).map(|(&d, &n)| d.rem_euclid(n as isize) as usize).collect();
                row[position(&to, grid)] += value;
            }
            GridTransform::new(transform, grid).apply(&mut row, false);
            let scale = (n as f64).sqrt();
            row.iter().map(|x| x * scale).collect()
        }
        Transform::Cosine => cosines(stencil, grid),
    }
}

/// `Σ_d k(d) Πₐ cos(π qₐ dₐ/nₐ)`, an axis at a time from the last.
fn cosines(stencil: &Stencil, grid: &[usize]) -> Vec<f64> {
    // By the offsets of the axes still to be summed; what is summed already is a block of numbers.
    let mut blocks: Vec<(Vec<isize>, Vec<f64>)> = stencil.iter().map(|(d, value)| (d.clone(), vec![*value])).collect();
    for &n in grid.iter().rev() {
        let cosine: Vec<f64> = (0..2 * n).map(|i| (std::f64::consts::PI * i as f64 / n as f64).cos()).collect();
        let mut summed: Vec<(Vec<isize>, Vec<f64>)> = Vec::new();
        for (mut offset, block) in blocks {
            let d = offset.pop().expect("an offset has an entry an axis").unsigned_abs();
            let at = summed.iter().position(|(other, _)| *other == offset).unwrap_or_else(|| {
                summed.push((offset, vec![0.0; n * block.len()]));
                summed.len() - 1
            });
            for (q, to) in summed[at].1.chunks_exact_mut(block.len()).enumerate() {
                let c = cosine[q * d % (2 * n)];
                to.iter_mut().zip(&block).for_each(|(to, x)| *to += c * x);
            }
        }
        blocks = summed;
    }
    blocks.pop().map_or(Vec::new(), |(_, values)| values)
}

fn coordinates(mut position: usize, grid: &[usize]) -> Vec<usize> {
    let mut at = vec![0; grid.len()];
    for (at, &n) in at.iter_mut().zip(grid).rev() {
        (*at, position) = (position % n, position / n);
    }
    at
}

fn position(at: &[usize], grid: &[usize]) -> usize {
    at.iter().zip(grid).fold(0, |position, (&at, &n)| position * n + at)
}
