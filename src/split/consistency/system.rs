//! All equations of a player, one above the other, and the parts of them that can depend on each other.

use crate::linalg::{Csr, Operator};
use crate::model::ir::{Member, VarId};
use crate::split::ir::Coupling;

/// Entries of all rows that are looked at: 100 MB.
const MOST_ENTRIES: usize = 4_000_000;

/// Equations that are linear, as rows `K v = right`. A family's rows stand there once a member.
pub(super) struct System<'a> {
    /// In source order.
    pub equations: Vec<&'a Coupling>,
    /// `K`
    pub matrix: Csr,
    /// `−offset`
    pub right: Vec<f64>,
    /// Where the rows of each equation start, and the end of all.
    starts: Vec<usize>,
}

/// There is more than is looked at.
pub(super) struct TooLarge;

/// Rows that share columns with each other alone.
pub(super) struct Piece {
    /// Which rows, ascending.
    pub rows: Vec<usize>,
    /// Those rows, without the columns in which they have no entry.
    pub matrix: Csr,
}

impl<'a> System<'a> {
    /// `Ok(None)` of no equations that could contradict each other, an error of more entries than are looked at. An
    /// equation that is not linear has no rows to combine.
    pub fn of(equations: &'a [Coupling]) -> Result<Option<System<'a>>, TooLarge> {
        let own = equations.iter().filter(|equation| equation.curved().next().is_none()).collect();
        let own = without_own_variables(own);
        let entries: usize =
            own.iter().map(|equation| equation.over.unwrap_or(1).saturating_mul(count(equation))).sum();
        if own.is_empty() {
            return Ok(None);
        }
        if entries > MOST_ENTRIES {
            return Err(TooLarge);
        }
        let mut starts = vec![0];
        let mut right = Vec::new();
        for equation in &own {
            (0..equation.over.unwrap_or(1)).for_each(|_| right.extend(equation.offset.iter().map(|x| -x)));
            starts.push(right.len());
        }
        let matrix = rows(&own, right.len());
        Ok(Some(System { equations: own, matrix, right, starts }))
    }

    /// The rows of an equation.
    pub fn rows_of(&self, equation: usize) -> std::ops::Range<usize> {
        self.starts[equation]..self.starts[equation + 1]
    }

    /// Which equation a row belongs to.
    pub fn equation_of(&self, row: usize) -> usize {
        self.starts.partition_point(|&start| start <= row) - 1
    }

    /// `link`, `link[2]`; `link[3][2]` of a family's third member.
    pub fn name(&self, row: usize) -> String {
        let at = self.equation_of(row);
        let equation = self.equations[at];
        let (height, row) = (equation.offset.len(), row - self.starts[at]);
        let mut name = equation.name.clone();
        if equation.over.is_some() {
            name.push_str(&format!("[{}]", row / height + 1));
        }
        if height > 1 {
            name.push_str(&format!("[{}]", row % height + 1));
        }
        name
    }

    /// The pieces that may hold a combination which vanishes. A row with a column to itself can always be met and
    /// is in no such combination: it is peeled off, and what is left of such rows in turn.
    pub fn pieces(&self) -> Vec<Piece> {
        let left = peeled(&self.matrix);
        let mut root: Vec<usize> = (0..self.matrix.cols).collect();
        for &row in &left {
            let mut filled = filled(&self.matrix, row);
            let Some(first) = filled.next() else { continue };
            for other in filled {
                let (a, b) = (find(&mut root, first), find(&mut root, other));
                root[a.max(b)] = a.min(b);
            }
        }
        // A row without an entry is a piece of its own.
        let mut of_root: Vec<Option<usize>> = vec![None; self.matrix.cols];
        let mut grouped: Vec<Vec<usize>> = Vec::new();
        for &row in &left {
            let column = filled(&self.matrix, row).next();
            let place = column.and_then(|column| of_root[find(&mut root, column)]);
            match place {
                Some(place) => grouped[place].push(row),
                None => {
                    if let Some(column) = column {
                        of_root[find(&mut root, column)] = Some(grouped.len());
                    }
                    grouped.push(vec![row]);
                }
            }
        }
        let mut local = vec![usize::MAX; self.matrix.cols];
        grouped.into_iter().map(|rows| self.piece(rows, &mut local)).collect()
    }

    /// `local` is scratch: columns of other pieces don't matter.
    fn piece(&self, rows: Vec<usize>, local: &mut [usize]) -> Piece {
        let mut columns: Vec<usize> = rows.iter().flat_map(|&row| filled(&self.matrix, row)).collect();
        columns.sort_unstable();
        columns.dedup();
        columns.iter().enumerate().for_each(|(at, &column)| local[column] = at);
        let entries = rows.iter().enumerate().flat_map(|(at, &row)| {
            self.matrix.row(row).filter(|(_, x)| *x != 0.0).map(move |(column, x)| (at, column, x))
        });
        let entries = entries.map(|(at, column, x)| (at, local[column], x)).collect();
        Piece { matrix: Csr::from_triplets(rows.len(), columns.len(), entries), rows }
    }
}

/// Without the equations that have a variable to themselves, element by element, and without what these leave so in
/// turn: `A*x - z = 0` can be met whatever x is. Most problems have no others, and their rows are never made.
fn without_own_variables(mut equations: Vec<&Coupling>) -> Vec<&Coupling> {
    loop {
        let before = equations.len();
        let uses = |var: VarId| equations.iter().flat_map(|it| &it.parts).filter(|part| part.var == var).count();
        let own = |equation: &Coupling| {
            equation.parts.iter().any(|part| {
                let each = equation.over.is_none() || part.member == Member::Loop;
                each && part.scalar().is_some_and(|s| s != 0.0) && uses(part.var) == 1
            })
        };
        let left = equations.iter().copied().filter(|equation| !own(equation)).collect::<Vec<_>>();
        equations = left;
        if equations.len() == before {
            return equations;
        }
    }
}

fn count(equation: &Coupling) -> usize {
    let operators = equation.parts.iter().filter_map(|part| part.operator.as_ref());
    operators.map(|operator| operator.row_counts().iter().sum::<usize>()).sum()
}

/// A variable and a member of it count as two: a combination in which both vanish is one in which their sum does.
fn rows(equations: &[&Coupling], height: usize) -> Csr {
    let mut starts: Vec<((VarId, Member), usize)> = Vec::new();
    let (mut row, mut width) = (0, 0);
    let mut entries = Vec::new();
    for equation in equations {
        let sparse: Vec<Option<Csr>> =
            equation.parts.iter().map(|part| part.operator.as_ref().map(Operator::to_sparse)).collect();
        for member in 0..equation.over.unwrap_or(1) {
            for (part, operator) in equation.parts.iter().zip(&sparse) {
                let Some(operator) = operator else { continue };
                let key = match part.member {
                    Member::Loop => (part.var, Member::At(member as u32)),
                    other => (part.var, other),
                };
                let start = match starts.binary_search_by_key(&key, |(seen, _)| *seen) {
                    Ok(at) => starts[at].1,
                    Err(at) => {
                        starts.insert(at, (key, width));
                        width += operator.cols;
                        width - operator.cols
                    }
                };
                entries.extend(operator.entries().map(|(i, j, x)| (row + i, start + j, x)));
            }
            row += equation.offset.len();
        }
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

/// The first column that a column is joined to; the way there is made shorter.
fn find(root: &mut [usize], column: usize) -> usize {
    let mut first = column;
    while root[first] != first {
        first = root[first];
    }
    root[column] = first;
    first
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
