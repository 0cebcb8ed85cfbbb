//! The rows of the operator that an atom's subject is made with: where they are at right angles, the step
//! of `φ(Kv + k)` follows from that of `φ`.

use super::proximal::Row;
use crate::linalg::{Matrix, Operator};

/// The rows of `K`, where `KKᵀ` is diagonal.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Rows {
    /// A row reads one element at most, no two the same: its column and factor.
    Elements(Vec<Option<(usize, f64)>>),
    /// Rows at right angles and of one length: `KKᵀ = νI`, and the columns they read.
    Orthogonal {
        /// `ν`
        nu: f64,
        /// Columns with an entry.
        columns: Vec<usize>,
    },
}

/// Rows up to which `KKᵀ` of a dense `K` is looked at: its cost is `rows² · columns`.
const ROWS_LOOKED_AT: usize = 512;

impl Rows {
    /// Of an operator; `None` where its rows are not at right angles.
    pub fn of(operator: &Operator) -> Option<Rows> {
        let n = operator.cols();
        if let Some(s) = operator.scalar() {
            return Some(Rows::Elements((0..n).map(|column| (s != 0.0).then_some((column, s))).collect()));
        }
        let sparse = operator.to_sparse();
        let mut taken = vec![false; n];
        let mut elements = Vec::with_capacity(sparse.rows);
        for row in 0..sparse.rows {
            let entries: Vec<(usize, f64)> = sparse.row(row).filter(|&(_, x)| x != 0.0).take(2).collect();
            match entries[..] {
                [] => elements.push(None),
                [(column, _)] if !taken[column] => {
                    taken[column] = true;
                    elements.push(Some(entries[0]));
                }
                _ if sparse.rows <= ROWS_LOOKED_AT && sparse.rows <= n => {
                    return Rows::orthogonal(&operator.to_dense());
                }
                _ => return None,
            }
        }
        Some(Rows::Elements(elements))
    }

    fn orthogonal(k: &Matrix) -> Option<Rows> {
        let gram = k.transpose().gram();
        let nu = gram.data[0];
        // A sum of `cols` products, each rounded once.
        let rounding = 4.0 * f64::EPSILON * k.cols as f64 * nu;
        let wanted = |at: usize| if at / k.rows == at % k.rows { nu } else { 0.0 };
        let holds = nu > 0.0 && gram.data.iter().enumerate().all(|(at, &x)| (x - wanted(at)).abs() <= rounding);
        let columns = (0..k.cols).filter(|&c| (0..k.rows).any(|r| k.data[r * k.cols + c] != 0.0)).collect();
        holds.then_some(Rows::Orthogonal { nu, columns })
    }

    /// The columns with an entry.
    pub fn columns(&self) -> Vec<usize> {
        match self {
            Rows::Elements(elements) => elements.iter().flatten().map(|&(column, _)| column).collect(),
            Rows::Orthogonal { columns, .. } => columns.clone(),
        }
    }

    /// What each row meets in two diagonals; one entry where all rows are alike. A row without an entry
    /// moves nothing, and meets what another row meets.
    pub fn met(&self, gram: &[f64], curvature: &[f64]) -> Vec<Row> {
        let at = |nu: f64, column: usize| Row { nu, gram: gram[column], curvature: curvature[column] };
        match self {
            Rows::Elements(elements) => {
                let first = elements.iter().flatten().next().map(|&(column, s)| at(s * s, column));
                let nothing = first.unwrap_or(Row { nu: 1.0, gram: 1.0, curvature: 0.0 });
                elements.iter().map(|element| element.map_or(nothing, |(column, s)| at(s * s, column))).collect()
            }
            Rows::Orthogonal { nu, columns } => columns.iter().map(|&column| at(*nu, column)).collect(),
        }
    }
}
