//! Singular values by one-sided Jacobi rotations (Golub & Van Loan, Matrix Computations, 4th ed., §8.6.3): pairs
//! of columns are made orthogonal until all are. In double precision.

/// Sweeps over all pairs; ten are many.
const SWEEPS: usize = 60;

/// `A = U S V'` for A of m×n, m ≥ n: U m×m and V n×n by columns, S descending.
pub(super) struct Singular {
    pub u: Vec<f64>,
    pub s: Vec<f64>,
    pub v: Vec<f64>,
    /// Whether the sweeps did not suffice.
    pub failed: bool,
}

pub(super) fn singular(a: &[f64], m: usize, n: usize) -> Singular {
    // Scaled, so that squares neither overflow nor vanish.
    let largest = a.iter().fold(0.0f64, |l, x| l.max(x.abs()));
    let scale = if largest > 0.0 && largest.is_finite() { largest } else { 1.0 };
    let scaled = |column: &[f64]| column.iter().map(|x| x / scale).collect::<Vec<f64>>();
    let mut columns: Vec<Vec<f64>> = a.chunks_exact(m.max(1)).map(scaled).collect();
    let mut v: Vec<Vec<f64>> = (0..n).map(|j| unit(n, j)).collect();
    let mut failed = true;
    for _ in 0..SWEEPS {
        let mut rotated = false;
        for i in 0..n {
            for j in i + 1..n {
                rotated |= orthogonalise(&mut columns, &mut v, i, j);
            }
        }
        if !rotated {
            failed = false;
            break;
        }
    }
    let norms: Vec<f64> = columns.iter().map(|c| norm(c)).collect();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|i, j| norms[*j].total_cmp(&norms[*i]));
    let s: Vec<f64> = order.iter().map(|i| norms[*i]).collect();
    let largest = s.first().copied().unwrap_or(0.0);
    let mut basis: Vec<Vec<f64>> = Vec::new();
    for (i, value) in order.iter().zip(&s) {
        if *value > largest * f64::EPSILON * m as f64 && *value > 0.0 {
            basis.push(columns[*i].iter().map(|x| x / value).collect());
        } else {
            // A direction for a value that is nothing: any that is orthogonal to the others.
            let next = orthogonal_to(&basis, m);
            basis.push(next);
        }
    }
    while basis.len() < m {
        let next = orthogonal_to(&basis, m);
        basis.push(next);
    }
    let v = order.iter().flat_map(|i| v[*i].iter().copied()).collect();
    let s = s.iter().map(|s| s * scale).collect();
    Singular { u: basis.concat(), s, v, failed }
}

fn unit(n: usize, j: usize) -> Vec<f64> {
    (0..n).map(|i| (i == j) as u8 as f64).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(a: &[f64]) -> f64 {
    let scale = a.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    if scale == 0.0 || !scale.is_finite() {
        return scale;
    }
    scale * a.iter().map(|v| (v / scale).powi(2)).sum::<f64>().sqrt()
}

/// Rotates columns i and j so that they are orthogonal, unless they are.
fn orthogonalise(columns: &mut [Vec<f64>], v: &mut [Vec<f64>], i: usize, j: usize) -> bool {
    let (a, b, c) = (dot(&columns[i], &columns[i]), dot(&columns[j], &columns[j]), dot(&columns[i], &columns[j]));
    // Below the roundings of the sums nothing is left to do; what isn't finite gets no better.
    let skewed = c.abs() > f64::EPSILON * a.sqrt() * b.sqrt() && c.abs() >= f64::MIN_POSITIVE;
    if !skewed {
        return false;
    }
    let zeta = (b - a) / (2.0 * c);
    let t = 1f64.copysign(zeta) / (zeta.abs() + zeta.hypot(1.0));
    let cosine = 1.0 / t.hypot(1.0);
    let sine = cosine * t;
    for set in [columns, v] {
        let (left, right) = set.split_at_mut(j);
        for (x, y) in left[i].iter_mut().zip(&mut right[0]) {
            (*x, *y) = (cosine * *x - sine * *y, sine * *x + cosine * *y);
        }
    }
    true
}

/// A unit vector orthogonal to a basis that does not span the space: the axis that is furthest from it, made
/// orthogonal twice.
fn orthogonal_to(basis: &[Vec<f64>], m: usize) -> Vec<f64> {
    let left = |axis: usize| 1.0 - basis.iter().map(|b| b[axis] * b[axis]).sum::<f64>();
    let axis = (0..m).max_by(|a, b| left(*a).total_cmp(&left(*b))).unwrap_or(0);
    let mut x = unit(m, axis);
    for _ in 0..2 {
        for b in basis {
            let along = dot(&x, b);
            x.iter_mut().zip(b).for_each(|(x, b)| *x -= along * b);
        }
        let length = norm(&x);
        x.iter_mut().for_each(|x| *x /= length);
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(a: &[f64], m: usize, n: usize) {
        let f = singular(a, m, n);
        assert!(!f.failed);
        assert!(f.s.is_sorted_by(|a, b| a >= b));
        let scale = a.iter().fold(1e-300f64, |m, v| m.max(v.abs()));
        let tolerance = 50.0 * m as f64 * f64::EPSILON;
        for j in 0..n {
            for i in 0..m {
                let back: f64 = (0..n).map(|k| f.u[k * m + i] * f.s[k] * f.v[k * n + j]).sum();
                let off = (back - a[j * m + i]).abs() / scale;
                assert!(off <= tolerance, "off by {off}");
            }
        }
        for (set, order) in [(&f.u, m), (&f.v, n)] {
            for i in 0..order {
                for j in 0..order {
                    let d = dot(&set[i * order..(i + 1) * order], &set[j * order..(j + 1) * order]);
                    let off = (d - (i == j) as u8 as f64).abs();
                    assert!(off <= tolerance, "not orthonormal by {off}");
                }
            }
        }
    }

    #[test]
    fn random_and_special_matrices() {
        let mut random = crate::machine::Random(11);
        for (m, n) in [(1, 1), (2, 2), (3, 2), (5, 5), (9, 4), (20, 20), (7, 1)] {
            let a: Vec<f64> = (0..m * n).map(|_| (random.next() % 2001) as f64 / 1000.0 - 1.0).collect();
            check(&a, m, n);
            check(&vec![0.0; m * n], m, n);
            check(&vec![1.0; m * n], m, n);
            check(&a.iter().map(|x| x * 1e-200).collect::<Vec<_>>(), m, n);
        }
    }
}
