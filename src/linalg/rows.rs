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

/// Rows that are independent of each other and give all others, ascending; or a combination `y` of rows
/// that says `0 = 1`: `Eᵀy = 0`, `⟨e, y⟩ = 1`.
pub fn independent_rows(operator: &Operator, right: &[f64]) -> Result<Vec<usize>, Vec<f64>> {
    let (rows, cols) = operator.extents();
    if (rows as f64) * (rows as f64) * cols as f64 > MOST {
        return Ok((0..rows).collect());
    }
    let mut matrix = operator.to_dense();
    let lengths: Vec<f64> = (0..rows).map(|i| matrix.row(i).iter().map(|x| x * x).sum::<f64>().sqrt()).collect();
    for (i, &length) in lengths.iter().enumerate().filter(|(_, length)| **length > 0.0) {
        matrix.data[i * cols..(i + 1) * cols].iter_mut().for_each(|x| *x /= length);
    }
    let scaled = |i: usize| right[i] / if lengths[i] > 0.0 { lengths[i] } else { 1.0 };
    let (order, r) = pivoted(&matrix);
    let rank = (0..rows.min(cols)).take_while(|&k| r[(k, k)].abs() > rounding(rows.max(cols))).count();
    for j in rank..rows {
        // R₁ c = the column of R₂, backwards.
        let mut c: Vec<f64> = (0..rank).map(|k| r[(k, j)]).collect();
        for k in (0..rank).rev() {
            c[k] = (c[k] - (k + 1..rank).map(|l| r[(k, l)] * c[l]).sum::<f64>()) / r[(k, k)];
        }
        let parts: Vec<f64> = c.iter().zip(&order).map(|(c, &i)| c * scaled(i)).collect();
        let own = scaled(order[j]);
        let left = own - parts.iter().sum::<f64>();
        let size = own.abs() + parts.iter().map(|x| x.abs()).sum::<f64>();
        if left.abs() > AGREES * size {
            let mut y = vec![0.0; rows];
            let share = |i: usize| 1.0 / if lengths[i] > 0.0 { left * lengths[i] } else { left };
            c.iter().zip(&order).for_each(|(c, &i)| y[i] = -c * share(i));
            y[order[j]] = share(order[j]);
            return Err(y);
        }
    }
    let mut kept = order[..rank].to_vec();
    kept.sort_unstable();
    Ok(kept)
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
