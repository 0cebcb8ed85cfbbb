//! A sparse matrix by compressed rows: columns ascend within a row, and a position occurs once.

use super::Matrix;

/// A sparse matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct Csr {
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub cols: usize,
    /// Where each row starts in `columns` and `values`; `rows + 1` of them.
    pub starts: Vec<usize>,
    /// Column of each entry.
    pub columns: Vec<usize>,
    /// The entries.
    pub values: Vec<f64>,
}

impl Csr {
    /// The matrix of these entries; those of one place are added in their order. Zeros are dropped.
    pub fn from_triplets(rows: usize, cols: usize, mut triplets: Vec<(usize, usize, f64)>) -> Csr {
        triplets.sort_by_key(|&(i, j, _)| (i, j));
        let mut merged: Vec<(usize, usize, f64)> = Vec::with_capacity(triplets.len());
        for (i, j, value) in triplets {
            assert!(i < rows && j < cols, "entry ({i}, {j}) lies within {rows}×{cols}");
            match merged.last_mut() {
                Some(last) if (last.0, last.1) == (i, j) => last.2 += value,
                _ => merged.push((i, j, value)),
            }
        }
        // A NaN is not equal to zero and stays.
        merged.retain(|entry| entry.2 != 0.0);
        let mut starts = vec![0; rows + 1];
        for &(i, ..) in &merged {
            starts[i + 1] += 1;
        }
        for i in 0..rows {
            starts[i + 1] += starts[i];
        }
        let columns = merged.iter().map(|entry| entry.1).collect();
        let values = merged.iter().map(|entry| entry.2).collect();
        Csr { rows, cols, starts, columns, values }
    }

    /// Rows `picked` of the identity of size `cols`: `(Mx)ᵢ = x[picked[i]]`.
    pub fn selection(picked: &[usize], cols: usize) -> Csr {
        Csr::from_triplets(picked.len(), cols, picked.iter().enumerate().map(|(i, &j)| (i, j, 1.0)).collect())
    }

    /// The entries of a dense matrix that are not zero.
    pub fn from_dense(matrix: &Matrix) -> Csr {
        let (rows, cols) = (matrix.rows, matrix.cols);
        let mut sparse = Csr { rows, cols, starts: vec![0], columns: Vec::new(), values: Vec::new() };
        for i in 0..rows {
            for (j, &value) in matrix.row(i).iter().enumerate().filter(|(_, value)| **value != 0.0) {
                sparse.columns.push(j);
                sparse.values.push(value);
            }
            sparse.starts.push(sparse.values.len());
        }
        sparse
    }

    /// Number of entries.
    pub fn nnz(&self) -> usize {
        self.values.len()
    }

    /// Entries `(column, value)` of a row.
    pub fn row(&self, i: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let range = self.starts[i]..self.starts[i + 1];
        self.columns[range.clone()].iter().copied().zip(self.values[range].iter().copied())
    }

    /// Entries `(row, column, value)`, row by row.
    pub fn entries(&self) -> impl Iterator<Item = (usize, usize, f64)> + '_ {
        (0..self.rows).flat_map(move |i| self.row(i).map(move |(j, value)| (i, j, value)))
    }

    /// The transpose, by counting.
    pub fn transpose(&self) -> Csr {
        let mut starts = vec![0; self.cols + 1];
        self.columns.iter().for_each(|&j| starts[j + 1] += 1);
        (0..self.cols).for_each(|j| starts[j + 1] += starts[j]);
        let mut next = starts.clone();
        let (mut columns, mut values) = (vec![0; self.nnz()], vec![0.0; self.nnz()]);
        for (i, j, value) in self.entries() {
            (columns[next[j]], values[next[j]]) = (i, value);
            next[j] += 1;
        }
        Csr { rows: self.cols, cols: self.rows, starts, columns, values }
    }

    /// The lower triangle, its diagonal with it; every place of the diagonal is an entry.
    pub fn lower(&self) -> Csr {
        let mut lower =
            Csr { rows: self.rows, cols: self.cols, starts: vec![0], columns: Vec::new(), values: Vec::new() };
        for i in 0..self.rows {
            let mut on_diagonal = 0.0;
            for (j, value) in self.row(i).take_while(|&(j, _)| j <= i) {
                if j == i {
                    on_diagonal = value;
                } else {
                    lower.columns.push(j);
                    lower.values.push(value);
                }
            }
            lower.columns.push(i);
            lower.values.push(on_diagonal);
            lower.starts.push(lower.values.len());
        }
        lower
    }

    /// `[self; other]`
    pub fn above(&self, other: &Csr) -> Csr {
        assert_eq!(self.cols, other.cols, "matrices above each other have one width");
        let mut both = self.clone();
        both.rows += other.rows;
        both.starts.extend(other.starts[1..].iter().map(|start| self.nnz() + start));
        both.columns.extend(&other.columns);
        both.values.extend(&other.values);
        both
    }

    /// Its values at the entries of a pattern that has all of its own.
    pub fn spread(&self, pattern: &Csr) -> Vec<f64> {
        assert_eq!((self.rows, self.cols), (pattern.rows, pattern.cols), "a pattern is as large as what it holds");
        let mut spread = vec![0.0; pattern.nnz()];
        for i in 0..self.rows {
            let places = pattern.starts[i]..pattern.starts[i + 1];
            for (j, value) in self.row(i) {
                let at = pattern.columns[places.clone()].binary_search(&j).expect("the pattern has every entry");
                spread[places.start + at] = value;
            }
        }
        spread
    }

    /// `scale · self`
    pub fn scale(mut self, scale: f64) -> Csr {
        self.values.iter_mut().for_each(|value| *value *= scale);
        self
    }

    /// `self + other`
    pub fn add(&self, other: &Csr) -> Csr {
        assert_eq!((self.rows, self.cols), (other.rows, other.cols), "summands have one shape");
        let mut sum =
            Csr { rows: self.rows, cols: self.cols, starts: vec![0], columns: Vec::new(), values: Vec::new() };
        for i in 0..self.rows {
            let (mut a, mut b) = (self.row(i).peekable(), other.row(i).peekable());
            loop {
                let column = match (a.peek(), b.peek()) {
                    (Some(&(j, _)), Some(&(k, _))) => j.min(k),
                    (Some(&(j, _)), None) | (None, Some(&(j, _))) => j,
                    (None, None) => break,
                };
                let own = a.next_if(|&(j, _)| j == column).map_or(0.0, |(_, value)| value);
                let value = own + b.next_if(|&(j, _)| j == column).map_or(0.0, |(_, value)| value);
                // A NaN is not equal to zero and stays.
                if value != 0.0 {
                    sum.columns.push(column);
                    sum.values.push(value);
                }
            }
            sum.starts.push(sum.values.len());
        }
        sum
    }

    /// `self · other`, row by row (Gustavson).
    pub fn matmul(&self, other: &Csr) -> Csr {
        assert_eq!(self.cols, other.rows, "inner extents agree");
        let mut sums = vec![0.0; other.cols];
        let mut touched = Vec::new();
        let mut seen = vec![false; other.cols];
        let mut product =
            Csr { rows: self.rows, cols: other.cols, starts: vec![0], columns: Vec::new(), values: Vec::new() };
        for i in 0..self.rows {
            for (k, a) in self.row(i) {
                for (j, b) in other.row(k) {
                    if !std::mem::replace(&mut seen[j], true) {
                        touched.push(j);
                    }
                    sums[j] += a * b;
                }
            }
            touched.sort_unstable();
            for j in touched.drain(..) {
                seen[j] = false;
                let sum = std::mem::take(&mut sums[j]);
                if sum != 0.0 {
                    product.columns.push(j);
                    product.values.push(sum);
                }
            }
            product.starts.push(product.values.len());
        }
        product
    }

    /// `y += alpha · M x`, or `Mᵀ x`.
    pub fn accumulate(&self, alpha: f64, x: &[f64], y: &mut [f64], adjoint: bool) {
        for (i, j, value) in self.entries() {
            let (to, from) = if adjoint { (j, i) } else { (i, j) };
            y[to] += alpha * value * x[from];
        }
    }

    /// All entries.
    pub fn to_dense(&self) -> Matrix {
        let mut matrix = Matrix::zeros(self.rows, self.cols);
        for (i, j, value) in self.entries() {
            matrix[(i, j)] = value;
        }
        matrix
    }
}
