//! The directions along which a positive semidefinite matrix is 0.
//!
//! Of a small matrix by its eigenvectors; brought to echelon form, so that `x[1] − x[2]` is shown and no mixture
//! of several such. Of a large one by a factor: `σ(F + σI)⁻¹` leaves what lies in the null space and takes the
//! rest to `σ/λ` of it. Taken of a unit vector, it gives the direction that this element is free in.
//!
//! What curves little because its unit is small is not flat: a direction is held against the diagonal that it
//! meets, `dᵀFd` against `Σ dᵢ²Fᵢᵢ`.

use super::unique::{Shape, ZERO};
use crate::linalg::{Curvature, Matrix, factor};

/// Order up to which eigenvectors are computed: a tenth of a second.
const EIGEN: usize = 500;

/// Entries below this share of the largest are rounding.
const ROUNDING: f64 = 1e-9;

/// Share of the largest entry from which one on the diagonal is one: a column of data 1e-14 times as long as another
/// is in other units, and still a column.
const NONE: f64 = 1e-30;

/// How far above `ZERO` a direction may be found to curve that was made of several.
const NEAR: f64 = 10.0;

/// Shift of a factor by the largest entry, and how often it is applied.
const SHIFT: f64 = 1e-8;
const TURNS: usize = 4;

/// Directions along which nothing happens.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::steps) struct Flat {
    /// One of them.
    pub direction: Vec<f64>,
    /// `dᵀFd/dᵀd`
    pub curvature: f64,
    /// Largest entry on the diagonal, and where.
    pub largest: f64,
    pub at: usize,
    /// How many independent ones there are, where that is known.
    pub count: Option<usize>,
}

/// A direction along which a positive semidefinite matrix is 0, where there is one and it is not too large to be
/// looked at.
pub(in crate::steps) fn flat(sum: &Curvature) -> Option<Flat> {
    let diagonal = sum.diagonal();
    let largest = diagonal.iter().fold(0.0f64, |largest, d| largest.max(d.abs()));
    let is_none = |d: f64| d.abs() <= NONE * largest;
    let (direction, count) = match sum {
        Curvature::Diagonal(d) => {
            let at = d.iter().position(|&d| is_none(d))?;
            let mut direction = vec![0.0; d.len()];
            direction[at] = 1.0;
            (direction, Some(d.iter().filter(|&&d| is_none(d)).count()))
        }
        sum if sum.n() <= EIGEN => {
            let scales: Vec<f64> = diagonal.iter().map(|&d| if is_none(d) { 1.0 } else { d.abs().sqrt() }).collect();
            let full = sum.to_dense();
            let scaled = Matrix::from_fn(full.rows, full.cols, |i, j| full[(i, j)] / (scales[i] * scales[j]));
            let eigen = factor::eigen(&scaled)?;
            let count = eigen.values.iter().take_while(|value| value.abs() <= ZERO).count();
            let column = |k: usize| (0..full.rows).map(|i| eigen.vectors[(i, k)] / scales[i]).collect();
            (echelon((0..count).map(column).collect())?, Some(count))
        }
        sum => (by_factor(sum, largest)?, None),
    };
    let mut image = vec![0.0; direction.len()];
    sum.accumulate(1.0, &direction, &mut image);
    let along = |x: &[f64]| x.iter().zip(&direction).map(|(x, d)| x * d).sum::<f64>();
    let met: f64 = diagonal.iter().zip(&direction).map(|(f, d)| f.abs() * d * d).sum();
    let is_flat = is_none(met / along(&direction)) || along(&image).abs() <= NEAR * ZERO * met;
    let curvature = along(&image) / along(&direction);
    let at = diagonal.iter().position(|d| d.abs() == largest)?;
    is_flat.then_some(Flat { direction, curvature, largest, at, count })
}

/// The simplest of the combinations of some vectors: of those that are 1 in one place and 0 in as many others as
/// can be, the one that moves fewest elements.
fn echelon(mut rows: Vec<Vec<f64>>) -> Option<Vec<f64>> {
    let (count, n) = (rows.len(), rows.first()?.len());
    for k in 0..count {
        // Full pivoting, so that no division is by what is nearly 0.
        let places = (k..count).flat_map(|row| (0..n).map(move |at| (row, at)));
        let (row, at) = places.max_by(|&(a, i), &(b, j)| rows[a][i].abs().total_cmp(&rows[b][j].abs()))?;
        rows.swap(k, row);
        let size = rows[k][at];
        let own: Vec<f64> = rows[k].iter().map(|x| x / size).collect();
        for (_, row) in rows.iter_mut().enumerate().filter(|(other, _)| *other != k) {
            let times = row[at];
            row.iter_mut().zip(&own).for_each(|(x, own)| *x -= times * own);
        }
        rows[k] = own;
    }
    rows.iter_mut().for_each(|row| clean(row));
    // Of several with as few, the one that moves the first element.
    let moved = |row: &Vec<f64>| row.iter().filter(|x| **x != 0.0).count();
    let first = |row: &Vec<f64>| row.iter().position(|x| *x != 0.0);
    let mut simplest = rows.into_iter().min_by_key(|row| (moved(row), first(row)))?;
    normalise(&mut simplest);
    Some(simplest)
}

/// By inverse iteration, from two starts: any vector, to find an element that is free, and that element.
fn by_factor(sum: &Curvature, largest: f64) -> Option<Vec<f64>> {
    let factor = Shape::of(sum)?.factor(SHIFT * largest.max(f64::MIN_POSITIVE))?;
    let within = |mut x: Vec<f64>| {
        for _ in 0..TURNS {
            factor.solve(&mut x);
            let size = x.iter().fold(0.0f64, |size, x| size.max(x.abs()));
            x.iter_mut().for_each(|x| *x /= size.max(f64::MIN_POSITIVE));
        }
        x
    };
    // Weyl's sequence: no start that a structure could be at right angles to.
    let golden = 0.618_033_988_749_894_9;
    let any = within((0..sum.n()).map(|i| (i as f64 * golden).fract() - 0.5).collect());
    let at = (0..any.len()).max_by(|&i, &j| any[i].abs().total_cmp(&any[j].abs()))?;
    let mut unit = vec![0.0; sum.n()];
    unit[at] = 1.0;
    let mut direction = within(unit);
    clean(&mut direction);
    normalise(&mut direction);
    Some(direction)
}

fn clean(x: &mut [f64]) {
    let largest = x.iter().fold(0.0f64, |largest, x| largest.max(x.abs()));
    x.iter_mut().filter(|x| x.abs() <= ROUNDING * largest).for_each(|x| *x = 0.0);
}

/// The largest entry is 1, and the first that moves is positive.
fn normalise(x: &mut [f64]) {
    let largest = x.iter().fold(0.0f64, |largest, x| largest.max(x.abs()));
    let first = x.iter().find(|x| **x != 0.0).map_or(1.0, |x| x.signum());
    x.iter_mut().for_each(|x| *x *= first / largest.max(f64::MIN_POSITIVE));
    // −0 of what did not move.
    x.iter_mut().for_each(|x| *x += 0.0);
}
