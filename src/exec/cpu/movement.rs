//! Data movement: boxes from one layout into another, rows by index.

use super::memory::Element;

/// Side of the squares by which a matrix is transposed: two of them, of doubles, fit half an L1.
const SQUARE: usize = 32;

/// Copies a box; an axis is its extent, the stride read and the stride written.
pub(super) fn copy_box<T: Element>(from: &[T], to: &mut [T], axes: &[(usize, usize, usize)]) {
    match *axes {
        [] => to[0] = from[0],
        [(n, 1, 1)] => to[..n].copy_from_slice(&from[..n]),
        [(n, read, written)] => (0..n).for_each(|i| to[i * written] = from[i * read]),
        [(rows, row_read, row_written), (columns, read, written)] if (read, written) != (1, 1) => {
            for top in (0..rows).step_by(SQUARE) {
                for left in (0..columns).step_by(SQUARE) {
                    for i in top..rows.min(top + SQUARE) {
                        for j in left..columns.min(left + SQUARE) {
                            to[i * row_written + j * written] = from[i * row_read + j * read];
                        }
                    }
                }
            }
        }
        [(n, read, written), ref inner @ ..] => {
            (0..n).for_each(|i| copy_box(&from[i * read..], &mut to[i * written..], inner));
        }
    }
}

/// Rows of `x` by index; one past the end is `missing`.
pub(super) fn gather<T: Element>(y: &mut [T], x: &[T], index: &[u32], width: usize, missing: T) {
    if width == 0 {
        return;
    }
    for (y, &i) in y.chunks_exact_mut(width).zip(index) {
        match x.get(i as usize * width..(i as usize + 1) * width) {
            Some(row) => y.copy_from_slice(row),
            None => y.fill(missing),
        }
    }
}

/// Zeros, with each row added at its index in order of position; past the end, nowhere.
pub(super) fn scatter_add<T: Element + std::ops::Add<Output = T>>(y: &mut [T], index: &[u32], x: &[T], width: usize) {
    y.fill(T::default());
    if width == 0 {
        return;
    }
    for (x, &i) in x.chunks_exact(width).zip(index) {
        if let Some(row) = y.get_mut(i as usize * width..(i as usize + 1) * width) {
            row.iter_mut().zip(x).for_each(|(y, &x)| *y = *y + x);
        }
    }
}

/// `y[(o·extent + k)·inner + i] = k`
pub(super) fn iota(y: &mut [u32], extent: usize, inner: usize) {
    for block in y.chunks_exact_mut((extent * inner).max(1)) {
        block.chunks_exact_mut(inner.max(1)).enumerate().for_each(|(k, run)| run.fill(k as u32));
    }
}

/// The position of the greatest of each row, the first at a tie; a NaN counts as greatest.
pub(super) fn argmax<T: Element + PartialOrd>(y: &mut [u32], x: &[T], row: usize) {
    for (y, x) in y.iter_mut().zip(x.chunks_exact(row)) {
        let mut best = 0;
        for (i, &candidate) in x.iter().enumerate() {
            let best_is_nan = x[best].partial_cmp(&x[best]).is_none();
            if !best_is_nan && (candidate > x[best] || candidate.partial_cmp(&candidate).is_none()) {
                best = i;
            }
        }
        *y = best as u32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_are_copied_in_any_layout() {
        let from: Vec<f64> = (0..40 * 50).map(f64::from).collect();
        let mut to = vec![0.0; 40 * 50];
        copy_box(&from, &mut to, &[(40, 50, 1), (50, 1, 40)]);
        for i in 0..40 {
            for j in 0..50 {
                assert_eq!(to[j * 40 + i], from[i * 50 + j]);
            }
        }
        // Every other row, of it the middle, among zeros.
        let mut to = vec![0.0; 12];
        copy_box(&from[51..], &mut to[1..], &[(3, 100, 4), (2, 1, 1)]);
        assert_eq!(to, [0.0, 51.0, 52.0, 0.0, 0.0, 151.0, 152.0, 0.0, 0.0, 251.0, 252.0, 0.0]);
        let mut to = vec![0.0; 1];
        copy_box(&from[7..], &mut to, &[]);
        assert_eq!(to, [7.0]);
    }

    #[test]
    fn rows_by_index() {
        let x = [1.0, 2.0, 3.0, 4.0];
        let mut y = [0.0; 6];
        gather(&mut y, &x, &[1, 9, 0], 2, -1.0);
        assert_eq!(y, [3.0, 4.0, -1.0, -1.0, 1.0, 2.0]);
        let mut y = [9.0; 4];
        scatter_add(&mut y, &[1, 9, 1], &[1.0, 2.0, 5.0, 6.0, 10.0, 20.0], 2);
        assert_eq!(y, [0.0, 0.0, 11.0, 22.0]);
    }

    #[test]
    fn positions() {
        let mut y = [9; 12];
        iota(&mut y, 3, 2);
        assert_eq!(y, [0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2]);
        let mut best = [9; 3];
        argmax(&mut best, &[1.0, 3.0, 3.0, f64::NAN, 9.0, f64::NAN, 0.0, -1.0, -2.0], 3);
        assert_eq!(best, [1, 0, 0]);
    }
}
