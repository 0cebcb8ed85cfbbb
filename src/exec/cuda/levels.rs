//! The pattern of a sparse factor by the levels of its elimination tree: what can be made at a time. The
//! device's factor (`kernels/sparse_factor.cuh`) is read by it.

use crate::linalg::Symbolic;

/// The pattern as the device's table, and its counts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Levels {
    /// One after the other: for each row of the factor the row of the matrix that it is; where each of the `n`
    /// columns starts; row, column and source of each entry; where each row starts; column of each of its
    /// entries left of the pivot, and their place among the columns'; the first column of each level.
    pub table: Vec<u32>,
    /// Entries of the factor, its pivots among them.
    pub entries: usize,
    /// Levels there are.
    pub levels: usize,
}

/// An entry of the factor that the matrix has none at.
const NONE: u32 = u32::MAX;

/// The levels of a plan's factor.
pub(super) fn levels(symbolic: &Symbolic) -> Levels {
    let n = symbolic.n;
    let order = by_level(symbolic);
    let rows = rows(symbolic, &order);
    let parents = tree(&rows);
    // Row i of the factor: all columns on the ways up the tree from the matrix's entries to i.
    let mut seen = vec![usize::MAX; n];
    let mut left: Vec<Vec<u32>> = Vec::with_capacity(n);
    for (i, entries) in rows.iter().enumerate() {
        let mut pattern = Vec::new();
        seen[i] = i;
        for &(column, _) in entries {
            let mut k = column;
            while seen[k] != i {
                seen[k] = i;
                pattern.push(k as u32);
                k = parents[k].expect("the way from an entry leads to its row");
            }
        }
        pattern.sort_unstable();
        left.push(pattern);
    }
    // By columns, ascending since rows are taken so.
    let mut below: Vec<Vec<u32>> = (0..n).map(|j| vec![j as u32]).collect();
    for (i, columns) in left.iter().enumerate() {
        columns.iter().for_each(|&k| below[k as usize].push(i as u32));
    }
    let starts = starts(below.iter().map(Vec::len));
    let entries = *starts.last().expect("there is one more than columns") as usize;
    let mut next: Vec<u32> = starts[..n].iter().map(|start| start + 1).collect();
    let row_entries: Vec<u32> = left
        .iter()
        .flatten()
        .map(|&k| {
            next[k as usize] += 1;
            next[k as usize] - 1
        })
        .collect();
    let mut source = vec![NONE; entries];
    for (i, row) in rows.iter().enumerate() {
        for &(column, entry) in row {
            let at = below[column].binary_search(&(i as u32)).expect("the factor has the matrix's entries");
            source[starts[column] as usize + at] = entry as u32;
        }
    }
    let mut height = vec![0usize; n];
    for (j, parent) in parents.iter().enumerate() {
        if let Some(parent) = *parent {
            height[parent] = height[parent].max(height[j] + 1);
        }
    }
    let levels = height.last().map_or(0, |top| top + 1);
    let firsts = (0..=levels).map(|level| height.partition_point(|&height| height < level) as u32);
    let columns = below.iter().enumerate().flat_map(|(j, rows)| rows.iter().map(move |_| j as u32));
    let mut table: Vec<u32> = order.iter().map(|&row| row as u32).collect();
    table.extend(&starts);
    table.extend(below.iter().flatten());
    table.extend(columns);
    table.extend(source);
    table.extend(self::starts(left.iter().map(Vec::len)));
    table.extend(left.iter().flatten());
    table.extend(row_entries);
    table.extend(firsts);
    Levels { table, entries, levels }
}

/// The plan's order, sorted by level: as good, since a column still comes after those that it needs.
fn by_level(symbolic: &Symbolic) -> Vec<usize> {
    let order = symbolic.order();
    let parents = tree(&rows(symbolic, &order));
    let mut height = vec![0usize; order.len()];
    for (j, parent) in parents.iter().enumerate() {
        if let Some(parent) = *parent {
            height[parent] = height[parent].max(height[j] + 1);
        }
    }
    let mut sorted: Vec<usize> = (0..order.len()).collect();
    sorted.sort_by_key(|&j| height[j]);
    sorted.into_iter().map(|j| order[j]).collect()
}

/// The lower triangle of the matrix in another order, by rows: each entry's column, and its place in the
/// matrix's.
fn rows(symbolic: &Symbolic, order: &[usize]) -> Vec<Vec<(usize, usize)>> {
    let mut at = vec![0; order.len()];
    order.iter().enumerate().for_each(|(position, &row)| at[row] = position);
    let mut rows = vec![Vec::new(); order.len()];
    for i in 0..symbolic.n {
        for entry in symbolic.starts[i]..symbolic.starts[i + 1] {
            let (a, b) = (at[i], at[symbolic.columns[entry]]);
            rows[a.max(b)].push((a.min(b), entry));
        }
    }
    rows
}

/// The elimination tree: the parent of a column is the first row below its pivot in the factor (Liu 1990,
/// algorithm 4.2, with shortened ways).
fn tree(rows: &[Vec<(usize, usize)>]) -> Vec<Option<usize>> {
    let mut parents = vec![None; rows.len()];
    let mut tops: Vec<Option<usize>> = vec![None; rows.len()];
    for (i, entries) in rows.iter().enumerate() {
        for &(column, _) in entries.iter().filter(|(column, _)| *column < i) {
            let mut k = column;
            while let Some(top) = tops[k].replace(i) {
                if top == i {
                    break;
                }
                k = top;
            }
            if parents[k].is_none() {
                parents[k] = Some(i);
            }
        }
    }
    parents
}

/// Where parts of these lengths start, and where the last ends.
fn starts(lens: impl Iterator<Item = usize>) -> Vec<u32> {
    let mut end = 0;
    let mut starts = vec![0];
    for len in lens {
        end += len;
        starts.push(u32::try_from(end).expect("a factor has fewer than 2³² entries"));
    }
    starts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::Csr;

    /// The lower triangle of a grid's Laplacian, where an order that eliminates from the border fills little.
    fn grid(side: usize) -> Csr {
        let mut triplets = Vec::new();
        for at in 0..side * side {
            triplets.push((at, at, 4.5));
            if at % side > 0 {
                triplets.push((at, at - 1, -1.0));
            }
            if at >= side {
                triplets.push((at, at - side, -1.0));
            }
        }
        Csr::from_triplets(side * side, side * side, triplets)
    }

    #[test]
    fn it_is_the_plans_pattern_and_its_levels_are_few() {
        let symbolic = Symbolic::new(&grid(8), 0);
        let levels = levels(&symbolic);
        assert_eq!(levels.entries, symbolic.factor_len(), "the plan is one of columns");
        assert!(levels.levels < 40, "{} levels of 64 columns", levels.levels);
        let [starts, rest] = [64, 64 + 65].map(|at| &levels.table[at..]);
        assert_eq!(starts[64] as usize, levels.entries);
        // Each column starts with its pivot and goes down.
        for j in 0..64 {
            let column = &rest[starts[j] as usize..starts[j + 1] as usize];
            assert_eq!(column[0] as usize, j);
            assert!(column.windows(2).all(|pair| pair[0] < pair[1]));
        }
        let sources = &rest[2 * levels.entries..3 * levels.entries];
        let mut from: Vec<u32> = sources.iter().copied().filter(|&at| at != NONE).collect();
        from.sort_unstable();
        assert_eq!(from, (0..symbolic.nnz() as u32).collect::<Vec<_>>(), "every entry has its place");
    }

    #[test]
    fn a_diagonal_is_one_level_and_nothing_is_none() {
        let diagonal = Csr::from_triplets(5, 5, (0..5).map(|i| (i, i, 1.0)).collect());
        let found = levels(&Symbolic::new(&diagonal, 0));
        assert_eq!((found.entries, found.levels), (5, 1));
        let found = levels(&Symbolic::new(&Csr::from_triplets(0, 0, Vec::new()), 0));
        assert_eq!((found.entries, found.levels), (0, 0));
    }
}
