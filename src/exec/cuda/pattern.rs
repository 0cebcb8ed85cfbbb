//! A sparse pattern by rows turned into one by columns, for transposed products.

/// Where each of `width` columns starts; the row of each entry, and its position among the rows': by column,
/// entries of one in the order of the rows.
pub(super) fn by_columns(starts: &[u32], columns: &[u32], width: usize) -> [Vec<u32>; 3] {
    let mut ends = vec![0; width + 1];
    columns.iter().for_each(|&column| ends[column as usize + 1] += 1);
    for column in 0..width {
        ends[column + 1] += ends[column];
    }
    let by_columns = ends.clone();
    let (mut rows, mut entries) = (vec![0; columns.len()], vec![0; columns.len()]);
    for (row, range) in starts.windows(2).enumerate() {
        for entry in range[0]..range[1] {
            let next = &mut ends[columns[entry as usize] as usize];
            rows[*next as usize] = row as u32;
            entries[*next as usize] = entry;
            *next += 1;
        }
    }
    [by_columns, rows, entries]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_keep_the_order_of_rows() {
        // [a 0 b; 0 0 c; d e 0]
        let [starts, rows, entries] = by_columns(&[0, 2, 3, 5], &[0, 2, 2, 0, 1], 3);
        assert_eq!(starts, [0, 2, 3, 5]);
        assert_eq!(rows, [0, 2, 2, 0, 1]);
        assert_eq!(entries, [0, 3, 4, 1, 2]);
        assert_eq!(by_columns(&[0], &[], 2), [vec![0, 0, 0], vec![], vec![]]);
    }
}
