//! Arrays for judging answers: row-major, loops written out, nothing of the program under test.

use std::fs;
use std::io::Read;
use std::path::Path;

/// A matrix; a vector is one column, a number one element.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    pub rows: usize,
    pub cols: usize,
    pub data: Vec<f64>,
}

impl Array {
    pub fn new(rows: usize, cols: usize, data: Vec<f64>) -> Array {
        assert_eq!(data.len(), rows * cols, "{rows} × {cols} elements");
        Array { rows, cols, data }
    }

    pub fn column(data: Vec<f64>) -> Array {
        Array::new(data.len(), 1, data)
    }

    /// Numbers in text, a row a line; packed where the file's name with `.gz` is there instead.
    pub fn read(path: &Path) -> Array {
        let mut text = String::new();
        match fs::File::open(path) {
            Ok(mut file) => file.read_to_string(&mut text),
            Err(_) => {
                let mut name = path.as_os_str().to_owned();
                name.push(".gz");
                let file = fs::File::open(&name).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                flate2::read::GzDecoder::new(file).read_to_string(&mut text)
            }
        }
        .expect("a table is text");
        let rows: Vec<Vec<f64>> = text
            .lines()
            .map(|line| line.split(',').map(|number| number.trim().parse().expect("a number")).collect())
            .collect();
        Array::new(rows.len(), rows[0].len(), rows.concat())
    }

    pub fn at(&self, row: usize, col: usize) -> f64 {
        self.data[row * self.cols + col]
    }

    /// Element of a vector.
    pub fn get(&self, at: usize) -> f64 {
        self.data[at]
    }

    /// A row as a vector.
    pub fn row(&self, row: usize) -> Array {
        Array::column(self.data[row * self.cols..(row + 1) * self.cols].to_vec())
    }

    pub fn transpose(&self) -> Array {
        let data = (0..self.cols).flat_map(|col| (0..self.rows).map(move |row| self.at(row, col))).collect();
        Array::new(self.cols, self.rows, data)
    }

    pub fn times(&self, other: &Array) -> Array {
        assert_eq!(self.cols, other.rows);
        let entry = |i: usize, j: usize| (0..self.cols).map(|k| self.at(i, k) * other.at(k, j)).sum();
        let data = (0..self.rows).flat_map(|i| (0..other.cols).map(move |j| entry(i, j))).collect();
        Array::new(self.rows, other.cols, data)
    }

    pub fn zip(&self, other: &Array, f: impl Fn(f64, f64) -> f64) -> Array {
        assert_eq!((self.rows, self.cols), (other.rows, other.cols));
        let data = self.data.iter().zip(&other.data).map(|(&a, &b)| f(a, b)).collect();
        Array::new(self.rows, self.cols, data)
    }

    pub fn minus(&self, other: &Array) -> Array {
        self.zip(other, |a, b| a - b)
    }

    pub fn dot(&self, other: &Array) -> f64 {
        self.zip(other, |a, b| a * b).sum()
    }

    pub fn sum(&self) -> f64 {
        self.data.iter().sum()
    }

    /// `Σ f(element)`
    pub fn sum_of(&self, f: impl Fn(f64) -> f64) -> f64 {
        self.data.iter().map(|&x| f(x)).sum()
    }

    pub fn squares(&self) -> f64 {
        self.sum_of(|x| x * x)
    }

    /// `Σ |element|`
    pub fn norm1(&self) -> f64 {
        self.sum_of(f64::abs)
    }

    /// The greatest magnitude.
    pub fn largest(&self) -> f64 {
        self.data.iter().fold(0.0, |largest, x| f64::max(largest, x.abs()))
    }

    /// The greatest element, 0 where all are negative.
    pub fn excess(&self) -> f64 {
        self.data.iter().fold(0.0, |largest, &x| f64::max(largest, x))
    }

    /// `xᵀPx`
    pub fn quadratic(&self, p: &Array) -> f64 {
        self.dot(&p.times(self))
    }

    /// `‖left − right‖∞ / (1 + ‖right‖∞)`
    pub fn off(&self, right: &Array) -> f64 {
        self.minus(right).largest() / (1.0 + right.largest())
    }

    /// Singular values, by turning pairs of columns until all are at right angles (one-sided Jacobi).
    pub fn singular_values(&self) -> Vec<f64> {
        let mut columns = self.transpose();
        let (n, m) = (columns.rows, columns.cols);
        for _ in 0..60 {
            let mut turned = false;
            for i in 0..n {
                for j in i + 1..n {
                    let (a, b) = (columns.row(i), columns.row(j));
                    let (aa, bb, ab) = (a.squares(), b.squares(), a.dot(&b));
                    if ab.abs() <= 1e-15 * (aa * bb).sqrt() || ab == 0.0 {
                        continue;
                    }
                    turned = true;
                    let angle = 0.5 * (2.0 * ab).atan2(bb - aa);
                    let (s, c) = angle.sin_cos();
                    for k in 0..m {
                        columns.data[i * m + k] = c * a.get(k) - s * b.get(k);
                        columns.data[j * m + k] = s * a.get(k) + c * b.get(k);
                    }
                }
            }
            if !turned {
                break;
            }
        }
        (0..n).map(|i| columns.row(i).squares().sqrt()).collect()
    }

    /// The pivots of Gauss on a symmetric matrix: all positive where it is positive definite, and their
    /// product is the determinant.
    pub fn pivots(&self) -> Vec<f64> {
        let mut a = self.clone();
        let n = a.rows;
        for k in 0..n {
            for i in k + 1..n {
                let factor = a.at(i, k) / a.at(k, k);
                for j in k..n {
                    a.data[i * n + j] -= factor * a.at(k, j);
                }
            }
        }
        (0..n).map(|k| a.at(k, k)).collect()
    }

    /// How far the least eigenvalue of a symmetric matrix lies below 0, within a factor of two: the
    /// least power of two that makes it positive definite, and 0 below 1e-12.
    pub fn indefiniteness(&self) -> f64 {
        let positive = |shift: f64| {
            let mut shifted = self.clone();
            (0..self.rows).for_each(|i| shifted.data[i * self.cols + i] += shift);
            shifted.pivots().iter().all(|&pivot| pivot > 0.0)
        };
        let mut shift = 1e-12;
        if positive(shift) {
            return 0.0;
        }
        while !positive(shift) {
            shift *= 2.0;
        }
        shift
    }
}

#[test]
fn singular_values_and_pivots_are_right() {
    // [3 0; 4 5] has singular values √45 and √5.
    let mut found = Array::new(2, 2, vec![3.0, 0.0, 4.0, 5.0]).singular_values();
    found.sort_by(f64::total_cmp);
    assert!((found[0] - 5f64.sqrt()).abs() < 1e-14 && (found[1] - 45f64.sqrt()).abs() < 1e-14);
    assert_eq!(Array::new(2, 2, vec![4.0, 2.0, 2.0, 5.0]).pivots(), [4.0, 4.0]);
    assert_eq!(Array::new(2, 2, vec![1.0, 1.0, 1.0, 1.0]).indefiniteness(), 0.0);
    // Eigenvalues 3 and −1.
    let below = Array::new(2, 2, vec![1.0, 2.0, 2.0, 1.0]).indefiniteness();
    assert!((1.0..2.0).contains(&below));
}
