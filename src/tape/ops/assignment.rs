//! The permutation matrix `P` that maximises `Σᵢⱼ Pᵢⱼ Aᵢⱼ`, of a square matrix: rows and columns are
//! matched so that what is matched adds up to most. NaN throughout where `A` is not finite. Not
//! differentiable here: a derivative is NaN.
//!
//! By shortest augmenting paths with potentials, the Hungarian method in `n³` steps (Kuhn, The Hungarian
//! method for the assignment problem, 1955; Jonker & Volgenant, A shortest augmenting path algorithm for
//! dense and sparse linear assignment problems, 1987). At ties the first column found stays.

use super::rule::{Operand, Rule, ensure_type, operands, square};
use crate::tape::{Builder, Op, Type, Value};

pub(crate) struct Assignment;

impl Rule for Assignment {
    fn check(&self, args: &[&Type], ty: &Type) -> Result<(), String> {
        let [a] = operands(args)?;
        square(a)?;
        ensure_type(ty, a)
    }

    fn eval(&self, args: &[Operand], ty: &Type) -> Vec<f64> {
        let n = ty.shape.0[0];
        if args[0].x.iter().any(|x| !x.is_finite()) {
            return vec![f64::NAN; n * n];
        }
        let mut work = vec![0.0; work_len(n)];
        let columns = assign(n, |i, j| -args[0].x[i * n + j], &mut work);
        let mut y = vec![0.0; n * n];
        for (i, &j) in columns.iter().enumerate() {
            y[i * n + j as usize] = 1.0;
        }
        y
    }

    fn differentiable(&self, _: usize) -> bool {
        false
    }
}

impl Builder {
    /// The permutation matrix that maximises the sum of the elements it picks.
    pub fn assignment(&mut self, a: Value) -> Value {
        let ty = self.ty(a).clone();
        self.push(Op::Assignment, vec![a], ty)
    }
}

/// Numbers that [`assign`] works in.
pub(crate) fn work_len(n: usize) -> usize {
    7 * (n + 1)
}

/// The column of each row such that the costs, which are finite, add up to least.
///
/// `u` and `v` are potentials with `costᵢⱼ ≥ uᵢ + vⱼ`, equal where matched. Each row in turn is matched by
/// the path of least reduced cost that ends in a free column, along which the matching is flipped. Column
/// `n` stands for the row that is being matched.
pub(crate) fn assign(n: usize, cost: impl Fn(usize, usize) -> f64, work: &mut [f64]) -> &[f64] {
    let (u, work) = work.split_at_mut(n + 1);
    let (v, work) = work.split_at_mut(n + 1);
    let (least, work) = work.split_at_mut(n + 1);
    let (before, work) = work.split_at_mut(n + 1);
    let (visited, work) = work.split_at_mut(n + 1);
    let (row_of, column_of) = work.split_at_mut(n + 1);
    /// The row of a column that has none.
    const FREE: f64 = -1.0;
    u.fill(0.0);
    v.fill(0.0);
    row_of.fill(FREE);
    for row in 0..n {
        row_of[n] = row as f64;
        least.fill(f64::INFINITY);
        visited.fill(0.0);
        // Where sums overflow no path is the shortest; there still is one.
        before.fill(n as f64);
        let mut column = n;
        while row_of[column] != FREE {
            visited[column] = 1.0;
            let from = row_of[column] as usize;
            let (mut next, mut step) = (n, f64::INFINITY);
            for j in (0..n).filter(|&j| visited[j] == 0.0) {
                let reduced = cost(from, j) - u[from] - v[j];
                if reduced < least[j] {
                    (least[j], before[j]) = (reduced, column as f64);
                }
                if least[j] < step || next == n {
                    (step, next) = (least[j], j);
                }
            }
            for j in 0..=n {
                if visited[j] != 0.0 {
                    u[row_of[j] as usize] += step;
                    v[j] -= step;
                } else {
                    least[j] -= step;
                }
            }
            column = next;
        }
        while column != n {
            let previous = before[column] as usize;
            row_of[column] = row_of[previous];
            column = previous;
        }
    }
    for (j, &row) in row_of[..n].iter().enumerate() {
        column_of[row as usize] = j as f64;
    }
    &column_of[..n]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::Dtype;
    use crate::tape::philox::{Stream, key};

    /// The most that any permutation reaches.
    fn most(n: usize, a: &[f64], taken: &mut Vec<usize>) -> f64 {
        let row = taken.len();
        if row == n {
            return 0.0;
        }
        let mut best = f64::NEG_INFINITY;
        for j in 0..n {
            if !taken.contains(&j) {
                taken.push(j);
                best = best.max(a[row * n + j] + most(n, a, taken));
                taken.pop();
            }
        }
        best
    }

    #[test]
    fn no_permutation_reaches_more() {
        for n in 1..=6 {
            for seed in 0..60 {
                let stream = Stream::new(key(seed), n as u32);
                // Small whole numbers tie, often; sums of them are exact.
                let range = if seed % 2 == 0 { 3.0 } else { 1e6 };
                let a: Vec<f64> =
                    (0..n * n).map(|j| (range * stream.normal(0, j as u64, Dtype::F64)).round()).collect();
                let ty = Type::new(Dtype::F64, [n, n]);
                let p = Assignment.eval(&[Operand { ty: &ty, x: &a }], &ty);
                let sums = |of: &dyn Fn(usize, usize) -> usize| {
                    (0..n).all(|i| (0..n).map(|j| p[of(i, j)]).sum::<f64>() == 1.0)
                };
                assert!(p.iter().all(|&x| x == 0.0 || x == 1.0));
                assert!(sums(&|i, j| i * n + j) && sums(&|i, j| j * n + i), "{p:?} is no permutation");
                let reached: f64 = p.iter().zip(&a).map(|(p, a)| p * a).sum();
                assert_eq!(reached, most(n, &a, &mut Vec::new()), "{a:?}: {p:?}");
            }
        }
    }

    #[test]
    fn huge_numbers_are_matched_somehow() {
        let ty = Type::new(Dtype::F64, [3, 3]);
        let a = [f64::MAX, -f64::MAX, f64::MAX, -f64::MAX, f64::MAX, f64::MAX, -f64::MAX, -f64::MAX, -f64::MAX];
        let y = Assignment.eval(&[Operand { ty: &ty, x: &a }], &ty);
        assert!(y.chunks(3).all(|row| row.iter().sum::<f64>() == 1.0), "{y:?}");
    }

    #[test]
    fn what_is_not_finite_is_not_matched() {
        let ty = Type::new(Dtype::F64, [2, 2]);
        for x in [f64::NAN, f64::INFINITY] {
            let y = Assignment.eval(&[Operand { ty: &ty, x: &[1.0, x, 0.0, 2.0] }], &ty);
            assert!(y.iter().all(|y| y.is_nan()));
        }
    }
}
