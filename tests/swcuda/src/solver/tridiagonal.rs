//! Eigenvalues and eigenvectors of a symmetric matrix: Householder's reduction to a tridiagonal matrix, then QL
//! sweeps with implicit shifts (Golub & Van Loan, Matrix Computations, 4th ed., §8.3). In double precision.

/// Sweeps for one eigenvalue; two or three are usual.
const SWEEPS: usize = 60;

/// Eigenvalues in ascending order, and eigenvectors by columns.
pub(super) struct Eigen {
    pub values: Vec<f64>,
    pub vectors: Vec<f64>,
    /// How many eigenvalues did not converge.
    pub failed: i32,
}

/// Of the symmetric matrix of order n given by columns, whole.
pub(super) fn eigen(a: &[f64], n: usize) -> Eigen {
    let (mut diagonal, mut beside, mut q) = tridiagonal(a, n);
    let failed = ql(&mut diagonal, &mut beside, &mut q, n);
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|i, j| diagonal[*i].total_cmp(&diagonal[*j]));
    let values = order.iter().map(|i| diagonal[*i]).collect();
    let vectors = order.iter().flat_map(|i| q[i * n..(i + 1) * n].iter().copied()).collect();
    Eigen { values, vectors, failed }
}

/// `A = Q T Q'`: the diagonal of T, what stands beside it (`beside[i]` joins i and i + 1), and Q by columns.
fn tridiagonal(a: &[f64], n: usize) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let mut a = a.to_vec();
    let mut q = vec![0.0; n * n];
    for i in 0..n {
        q[i * n + i] = 1.0;
    }
    let mut reflectors = Vec::new();
    for k in 0..n.saturating_sub(2) {
        // A reflection I − v v' makes column k zero below the element under the diagonal; v'v = 2.
        let x = &a[k * n + k + 1..(k + 1) * n];
        let scale = x.iter().fold(0.0f64, |m, v| m.max(v.abs()));
        if scale == 0.0 {
            reflectors.push(Vec::new());
            continue;
        }
        // Scaled, so that no square vanishes.
        let mut v: Vec<f64> = x.iter().map(|e| e / scale).collect();
        let norm = v.iter().map(|e| e * e).sum::<f64>().sqrt();
        let root = (norm * (norm + v[0].abs())).sqrt();
        let reflected = -norm.copysign(v[0]);
        v[0] -= reflected;
        v.iter_mut().for_each(|e| *e /= root);
        // p = A v; A −= v w' + w v' with w = p − (p'v / 2) v.
        let first = k + 1;
        let mut w = vec![0.0; v.len()];
        for (j, vj) in v.iter().enumerate() {
            let column = &a[(first + j) * n + first..(first + j + 1) * n];
            w.iter_mut().zip(column).for_each(|(w, c)| *w += c * vj);
        }
        let half = 0.5 * w.iter().zip(&v).map(|(w, v)| w * v).sum::<f64>();
        w.iter_mut().zip(&v).for_each(|(w, v)| *w -= half * v);
        for j in 0..v.len() {
            let (vj, wj) = (v[j], w[j]);
            let column = &mut a[(first + j) * n + first..(first + j + 1) * n];
            for (i, c) in column.iter_mut().enumerate() {
                *c -= v[i] * wj + w[i] * vj;
            }
        }
        a[k * n + k + 1] = scale * reflected;
        reflectors.push(v);
    }
    // Q is the product of the reflections, built from the last.
    for (k, v) in reflectors.iter().enumerate().rev() {
        for j in k + 1..n {
            let column = &mut q[j * n + k + 1..(j + 1) * n];
            let dot: f64 = column.iter().zip(v).map(|(c, v)| c * v).sum();
            column.iter_mut().zip(v).for_each(|(c, v)| *c -= dot * v);
        }
    }
    let diagonal = (0..n).map(|i| a[i * n + i]).collect();
    let beside = (0..n.saturating_sub(1)).map(|i| a[i * n + i + 1]).collect();
    (diagonal, beside, q)
}

/// Makes T diagonal; its rotations are gathered in Q.
fn ql(diagonal: &mut [f64], beside: &mut Vec<f64>, q: &mut [f64], n: usize) -> i32 {
    beside.push(0.0);
    // What is below the roundings of the largest row is nothing.
    let norm = diagonal.iter().zip(beside.iter()).fold(0.0f64, |m, (d, e)| m.max(d.abs() + e.abs()));
    let mut failed = 0;
    for l in 0..n {
        let mut sweeps = 0;
        loop {
            // The first place from l on where the matrix falls apart.
            let small = |i: &usize| beside[*i].abs() <= f64::EPSILON * norm;
            let end = (l..n - 1).find(small).unwrap_or(n - 1);
            if end == l {
                break;
            }
            if sweeps == SWEEPS {
                failed += 1;
                break;
            }
            sweeps += 1;
            // Wilkinson's shift.
            let mut g = (diagonal[l + 1] - diagonal[l]) / (2.0 * beside[l]);
            let mut r = g.hypot(1.0);
            g = diagonal[end] - diagonal[l] + beside[l] / (g + r.copysign(g));
            let (mut s, mut c, mut p) = (1.0, 1.0, 0.0);
            let mut broke = false;
            for i in (l..end).rev() {
                let (f, b) = (s * beside[i], c * beside[i]);
                r = f.hypot(g);
                beside[i + 1] = r;
                if r == 0.0 {
                    // It falls apart in the middle: begin again.
                    diagonal[i + 1] -= p;
                    beside[end] = 0.0;
                    broke = true;
                    break;
                }
                (s, c) = (f / r, g / r);
                g = diagonal[i + 1] - p;
                r = (diagonal[i] - g) * s + 2.0 * c * b;
                p = s * r;
                diagonal[i + 1] = g + p;
                g = c * r - b;
                let (left, right) = q.split_at_mut((i + 1) * n);
                for (x, y) in left[i * n..].iter_mut().zip(&mut right[..n]) {
                    (*x, *y) = (c * *x - s * *y, s * *x + c * *y);
                }
            }
            if !broke {
                diagonal[l] -= p;
                beside[l] = g;
                beside[end] = 0.0;
            }
        }
    }
    failed
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `‖A V − V Λ‖` and `‖V'V − I‖` at most a few roundings of the matrix.
    fn check(a: &[f64], n: usize) {
        let e = eigen(a, n);
        assert_eq!(e.failed, 0);
        assert!(e.values.is_sorted());
        let scale = a.iter().fold(1e-300f64, |m, v| m.max(v.abs()));
        let tolerance = 50.0 * n as f64 * f64::EPSILON;
        for j in 0..n {
            let v = &e.vectors[j * n..(j + 1) * n];
            for i in 0..n {
                let av: f64 = (0..n).map(|k| a[k * n + i] * v[k]).sum();
                let residual = (av - e.values[j] * v[i]).abs() / scale;
                assert!(residual <= tolerance, "residual {residual} of {i}, {j}");
                let w = &e.vectors[i * n..(i + 1) * n];
                let dot: f64 = v.iter().zip(w).map(|(v, w)| v * w).sum();
                let off = (dot - (i == j) as u8 as f64).abs();
                assert!(off <= tolerance, "not orthonormal by {off}");
            }
        }
    }

    #[test]
    fn random_and_special_matrices() {
        let mut random = crate::machine::Random(7);
        for n in [1, 2, 3, 4, 7, 20, 41, 100] {
            let mut a = vec![0.0; n * n];
            for i in 0..n {
                for j in 0..=i {
                    let x = (random.next() % 2001) as f64 / 1000.0 - 1.0;
                    (a[i * n + j], a[j * n + i]) = (x, x);
                }
            }
            check(&a, n);
            check(&vec![0.0; n * n], n);
            check(&vec![1.0; n * n], n);
            let identity: Vec<f64> = (0..n * n).map(|i| (i % (n + 1) == 0) as u8 as f64).collect();
            check(&identity, n);
        }
        assert_eq!(eigen(&[2.0, 1.0, 1.0, 2.0], 2).values.iter().map(|v| v.round()).collect::<Vec<_>>(), [1.0, 3.0]);
    }
}
