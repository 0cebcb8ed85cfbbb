//! Equations that contradict each other, found before anything runs.
//!
//! A row with a variable to itself can always be met, so it has no part in a contradiction: such rows are
//! peeled off, and what is left of them in turn. In `A*x - z = 0` that is all of them; of the rest a QR
//! factorisation says which combination of rows is `0 = 1`.

use super::direction;
use super::ir::Coupling;
use crate::diag::{Code, Diag, Diags, number};
use crate::linalg::{Csr, Operator, independent_rows};
use crate::model::ir::{Member, VarId};

/// Entries of all rows that are looked at: 100 MB.
const MOST_ENTRIES: usize = 4_000_000;

/// Numbers of the rows that are left, in full, and multiplications of their factor: half a second.
const MOST_NUMBERS: usize = 10_000_000;
const MOST_FLOPS: f64 = 2e9;

/// Rows that a message names.
const NAMED: usize = 6;

/// Share of the heaviest row from which a row counts.
const COUNTS: f64 = 1e-7;

/// Reports a combination of equations that no point satisfies.
pub(super) fn check(equations: &[Coupling], diags: &mut Diags) {
    // An equation that is not linear has no rows to combine.
    let is_plain = |equation: &&Coupling| equation.over.is_none() && equation.curved().next().is_none();
    let own: Vec<&Coupling> = equations.iter().filter(is_plain).collect();
    let entries: usize = own.iter().flat_map(|e| &e.parts).filter_map(|part| part.operator.as_ref()).map(count).sum();
    if own.is_empty() || entries > MOST_ENTRIES {
        return;
    }
    let matrix = rows(&own);
    let left = peeled(&matrix);
    let core = Csr::selection(&left, matrix.rows).matmul(&matrix);
    let (rows, columns) = (core.rows, core.cols);
    if rows == 0 || rows * columns > MOST_NUMBERS || (rows * rows) as f64 * columns as f64 > MOST_FLOPS {
        return;
    }
    let offsets: Vec<f64> = own.iter().flat_map(|equation| &equation.offset).copied().collect();
    let right: Vec<f64> = left.iter().map(|&row| -offsets[row]).collect();
    let Err(weights) = independent_rows(&core.into(), &right) else { return };
    let largest = weights.iter().fold(0.0, |largest: f64, w| w.abs().max(largest));
    let named: Vec<(usize, f64)> = left
        .iter()
        .zip(&weights)
        .filter(|(_, w)| w.abs() > COUNTS * largest)
        .map(|(&row, w)| (row, w / largest))
        .collect();
    diags.push(contradiction(&own, &named, 1.0 / largest));
}

fn count(operator: &Operator) -> usize {
    operator.row_counts().iter().sum()
}

/// All equations, one above the other. A variable and a member of it count as two: a combination in which
/// both vanish is one in which their sum does.
fn rows(equations: &[&Coupling]) -> Csr {
    let mut starts: Vec<((VarId, Member), usize)> = Vec::new();
    let (mut height, mut width) = (0, 0);
    let mut entries = Vec::new();
    for equation in equations {
        for part in &equation.parts {
            let Some(operator) = &part.operator else { continue };
            let key = (part.var, part.member);
            let start = starts.iter().find(|(seen, _)| *seen == key).map(|&(_, start)| start).unwrap_or_else(|| {
                starts.push((key, width));
                width += operator.cols();
                width - operator.cols()
            });
            entries.extend(operator.to_sparse().entries().map(|(i, j, x)| (height + i, start + j, x)));
        }
        height += equation.offset.len();
    }
    Csr::from_triplets(height, width, entries)
}

/// The rows that are left once those with a column to themselves are gone, again and again.
fn peeled(matrix: &Csr) -> Vec<usize> {
    let columns = matrix.transpose();
    let mut counts: Vec<usize> = (0..columns.rows).map(|j| filled(&columns, j).count()).collect();
    let mut here = vec![true; matrix.rows];
    let mut alone: Vec<usize> = (0..counts.len()).filter(|&j| counts[j] == 1).collect();
    while let Some(column) = alone.pop() {
        let Some(row) = filled(&columns, column).find(|&row| here[row]) else { continue };
        here[row] = false;
        for j in filled(matrix, row) {
            counts[j] -= 1;
            if counts[j] == 1 {
                alone.push(j);
            }
        }
    }
    (0..matrix.rows).filter(|&row| here[row]).collect()
}

/// Columns of a row's entries other than 0.
fn filled(matrix: &Csr, row: usize) -> impl Iterator<Item = usize> + '_ {
    matrix.row(row).filter(|(_, x)| *x != 0.0).map(|(j, _)| j)
}

/// `named` are rows, counted through, and their weights; added up they say `0 = right`.
fn contradiction(equations: &[&Coupling], named: &[(usize, f64)], right: f64) -> Diag {
    let mut involved: Vec<&Coupling> = Vec::new();
    let mut words = String::new();
    for &(row, weight) in named.iter().take(NAMED) {
        let mut row = row;
        let mut at = 0;
        while row >= equations[at].offset.len() {
            row -= equations[at].offset.len();
            at += 1;
        }
        let equation = equations[at];
        if !involved.iter().any(|other| std::ptr::eq(*other, equation)) {
            involved.push(equation);
        }
        let sign = direction::sign(words.is_empty(), weight);
        let times = number(weight.abs());
        let times = if times == "1" { String::new() } else { format!("{times} × ") };
        let name =
            if equation.offset.len() == 1 { equation.name.clone() } else { format!("{}[{}]", equation.name, row + 1) };
        words.push_str(&format!("{sign}{times}{name}"));
    }
    if named.len() > NAMED {
        words.push_str(&format!(" and {} rows more", named.len() - NAMED));
    }
    let mut diag = Diag::new(
        Code::InconsistentConstraint,
        involved[0].span,
        "the equations contradict each other: nothing satisfies them all",
    )
    .here(if involved.len() == 1 { "rows of this one" } else { "this one" })
    .certify(format!("{words} says 0 = {}", number(right)))
    .help("the multipliers would grow without end; take out the row that is wrong, or correct its right side");
    for other in &involved[1..] {
        diag = diag.label(other.span, "and this one");
    }
    diag
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_with_a_variable_to_themselves_are_peeled() {
        // 0 and 1 share columns 0 and 1; 2 has column 2, and once it is gone 3 has column 3.
        let entries = [(0, 0), (0, 1), (1, 0), (1, 1), (2, 2), (2, 3), (2, 0), (3, 3), (3, 1)];
        let matrix = Csr::from_triplets(4, 4, entries.map(|(i, j)| (i, j, 1.0)).to_vec());
        assert_eq!(peeled(&matrix), [0, 1]);
        assert_eq!(peeled(&Csr::from_triplets(1, 1, vec![(0, 0, 0.0)])), [0]);
    }
}
