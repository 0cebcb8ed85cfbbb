//! Which equations `Ev = e` say something of their own, and whether they agree.
//!
//! By QR of `Eᵀ` with pivoting on the columns, each brought to length 1 first, so that a row counts
//! whatever its scale: `Eᵀ Π = Q [R₁ R₂]`. A row beyond the rank is a combination of those before,
//! `R₁⁻¹ R₂`, and so must be its right side.

use super::{Matrix, Operator};

/// Multiplications that a factorisation may take; of more rows it is not known what they say.
const MOST: f64 = 2e10;

/// Share of its parts that a right side may differ by from what the other rows say: data are written with
/// ten digits at least.
const AGREES: f64 = 1e-9;

/// What the rows of a matrix are to each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Dependence {
    /// Which row stands at each place; those beyond the rank follow from those before.
    order: Vec<usize>,
    /// `[R₁ R₂]`
    r: Matrix,
    rank: usize,
    /// What each row was multiplied by, to have length 1.
    shares: Vec<f64>,
}

/// Factorises the rows; `None` of a matrix that is too large to be looked at.
pub fn dependence(operator: &Operator) -> Option<Dependence> {
    let (rows, cols) = operator.extents();
    if (rows as f64) * (rows as f64) * cols as f64 > MOST {
        return None;
    }
    let mut matrix = operator.to_dense();
    let mut shares = vec![1.0; rows];
    for (i, share) in shares.iter_mut().enumerate() {
        let row = &mut matrix.data[i * cols..(i + 1) * cols];
        let length = row.iter().map(|x| x * x).sum::<f64>().sqrt();
        if length > 0.0 {
            *share = 1.0 / length;
            row.iter_mut().for_each(|x| *x /= length);
        }
    }
    let (order, r) = pivoted(&matrix);
    let rank = (0..rows.min(cols)).take_while(|&k| r[(k, k)].abs() > rounding(rows.max(cols))).count();
    Some(Dependence { order, r, rank, shares })
}

impl Dependence {
    /// Rows that are independent of each other and give all others, ascending.
    pub fn kept(&self) -> Vec<usize> {
        let mut kept = self.order[..self.rank].to_vec();
        kept.sort_unstable();
        kept
    }

    /// For every other row a combination `y` with `Eᵀy = 0` in which none of the others that are dropped counts.
    pub fn combinations(&self) -> impl Iterator<Item = Vec<f64>> + '_ {
        let (rank, r) = (self.rank, &self.r);
        (rank..self.order.len()).map(move |j| {
            // R₁ c = the column of R₂, backwards.
            let mut c: Vec<f64> = (0..rank).map(|k| r[(k, j)]).collect();
            for k in (0..rank).rev() {
                c[k] = (c[k] - (k + 1..rank).map(|l| r[(k, l)] * c[l]).sum::<f64>()) / r[(k, k)];
            }
            let mut y = vec![0.0; self.order.len()];
            c.iter().zip(&self.order).for_each(|(c, &i)| y[i] = -c * self.shares[i]);
            y[self.order[j]] = self.shares[self.order[j]];
            y
        })
    }

    /// A combination of rows that says `0 = 1`, where the right sides have one: `Eᵀy = 0`, `⟨e, y⟩ = 1`.
    pub fn contradiction(&self, right: &[f64]) -> Option<Vec<f64>> {
        self.combinations().find_map(|y| {
            let left = disagreement(&y, right)?;
            Some(y.iter().map(|y| y / left).collect())
        })
    }
}

/// `⟨e, y⟩`, where that is more than rounding of right sides as people write them.
pub fn disagreement(y: &[f64], right: &[f64]) -> Option<f64> {
    let parts = || y.iter().zip(right).map(|(y, e)| y * e);
    let (left, size) = (parts().sum::<f64>(), parts().map(f64::abs).sum::<f64>());
    (left.abs() > AGREES * size).then_some(left)
}

/// Rows that are independent of each other and give all others, ascending; or a combination `y` of rows
/// that says `0 = 1`: `Eᵀy = 0`, `⟨e, y⟩ = 1`.
pub fn independent_rows(operator: &Operator, right: &[f64]) -> Result<Vec<usize>, Vec<f64>> {
    match dependence(operator) {
        None => Ok((0..operator.rows()).collect()),
        Some(found) => found.contradiction(right).map_or_else(|| Ok(found.kept()), Err),
    }
}

/// Of a pivot whose column has length 1 to begin with.
fn rounding(extent: usize) -> f64 {
    8.0 * extent as f64 * f64::EPSILON
}

/// Which row stands at each place, and `R`.
fn pivoted(rows: &Matrix) -> (Vec<usize>, Matrix) {
    let qr = rows.as_faer().transpose().col_piv_qr();
    let order = qr.P().arrays().0.to_vec();
    (order, Matrix::from_faer(qr.thin_R()))
}
