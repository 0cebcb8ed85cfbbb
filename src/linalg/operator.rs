//! Linear operators with their structure kept: what a constraint's `A` and `B` are made of.
//!
//! The functions that build one ([`Operator::compose`], [`Operator::sum`], …) drop what does nothing
//! (`I·M = M`, `0 + M = M`, `2·(3·I) = 6·I`), so that structure shows in the variant. Entries are
//! shared: a clone of an operator copies none.

use std::fmt;
use std::sync::Arc;

use super::{Csr, Matrix};

/// A linear map of doubles.
#[derive(Debug, Clone, PartialEq)]
pub enum Operator {
    /// Every vector of `cols` to the zero of `rows`.
    Zero {
        /// Rows.
        rows: usize,
        /// Columns.
        cols: usize,
    },
    /// `I`
    Identity(usize),
    /// `s·I`
    Scale(f64, usize),
    /// `diag(d)`
    Diagonal(Vec<f64>),
    /// A dense matrix.
    Dense(Arc<Matrix>),
    /// A sparse matrix; selections and finite differences are such.
    Sparse(Arc<Csr>),
    /// One above the other, `[M₁; M₂; …]`, of one width.
    Stack(Vec<Operator>),
    /// Side by side, `[M₁, M₂, …]`, of one height.
    HStack(Vec<Operator>),
    /// Along the diagonal.
    Block(Vec<Operator>),
    /// `s·M`
    Scaled(f64, Box<Operator>),
    /// `Mᵀ`
    Adjoint(Box<Operator>),
    /// `L·R`: the right one is applied first.
    Compose(Box<Operator>, Box<Operator>),
    /// `M₁ + M₂ + …` of one shape.
    Sum(Vec<Operator>),
    /// `L ⊗ R`: on a row-major matrix `X` it is `L X Rᵀ`.
    Kronecker(Box<Operator>, Box<Operator>),
}

impl Operator {
    /// `s·M`
    pub fn scaled(s: f64, m: Operator) -> Operator {
        match m {
            _ if s == 0.0 => Operator::Zero { rows: m.rows(), cols: m.cols() },
            m if s == 1.0 => m,
            Operator::Zero { .. } => m,
            Operator::Identity(n) => Operator::Scale(s, n),
            Operator::Scale(t, n) if s * t == 1.0 => Operator::Identity(n),
            Operator::Scale(t, n) => Operator::Scale(s * t, n),
            Operator::Diagonal(d) => Operator::Diagonal(d.into_iter().map(|x| s * x).collect()),
            Operator::Scaled(t, m) => Operator::scaled(s * t, *m),
            m => Operator::Scaled(s, Box::new(m)),
        }
    }

    /// `L·R`
    pub fn compose(l: Operator, r: Operator) -> Operator {
        assert_eq!(l.cols(), r.rows(), "the right one lands where the left one starts");
        match (l, r) {
            (Operator::Identity(_), m) | (m, Operator::Identity(_)) => m,
            (Operator::Scale(s, _), m) | (m, Operator::Scale(s, _)) => Operator::scaled(s, m),
            (l @ Operator::Zero { .. }, r) | (l, r @ Operator::Zero { .. }) => {
                Operator::Zero { rows: l.rows(), cols: r.cols() }
            }
            (Operator::Diagonal(a), Operator::Diagonal(b)) => {
                Operator::Diagonal(a.into_iter().zip(b).map(|(a, b)| a * b).collect())
            }
            (Operator::Scaled(s, l), r) => Operator::scaled(s, Operator::compose(*l, r)),
            (l, Operator::Scaled(s, r)) => Operator::scaled(s, Operator::compose(l, *r)),
            (Operator::Sparse(a), Operator::Sparse(b)) => a.matmul(&b).into(),
            (l, r) => Operator::Compose(Box::new(l), Box::new(r)),
        }
    }

    /// `M₁ + M₂ + …`, at least one; multiples of the identity and diagonals are added up.
    pub fn sum(terms: Vec<Operator>) -> Operator {
        let (rows, cols) = terms.first().expect("a sum has a term").extents();
        assert!(terms.iter().all(|m| m.extents() == (rows, cols)), "summands have one shape");
        let mut kept: Vec<Operator> = Vec::new();
        for term in terms {
            let joined = match (&term, kept.iter().position(|m| m.diagonal().is_some())) {
                (Operator::Zero { .. }, _) => continue,
                (term, Some(at)) => term.diagonal().zip(kept[at].diagonal()).map(|(a, b)| (at, a, b)),
                _ => None,
            };
            match joined {
                Some((at, a, b)) => {
                    kept[at] = Operator::diagonal_of(a.into_iter().zip(b).map(|(a, b)| a + b).collect());
                }
                None => kept.push(term),
            }
        }
        kept.retain(|m| !matches!(m, Operator::Zero { .. }));
        match kept.len() {
            0 => Operator::Zero { rows, cols },
            1 => kept.remove(0),
            _ => Operator::Sum(kept),
        }
    }

    /// `[M₁; M₂; …]`, at least one.
    pub fn stack(mut parts: Vec<Operator>) -> Operator {
        assert!(parts.windows(2).all(|pair| pair[0].cols() == pair[1].cols()), "stacked operators have one width");
        if parts.len() == 1 { parts.remove(0) } else { Operator::Stack(parts) }
    }

    /// `[M₁, M₂, …]`, at least one.
    pub fn hstack(mut parts: Vec<Operator>) -> Operator {
        assert!(
            parts.windows(2).all(|pair| pair[0].rows() == pair[1].rows()),
            "operators side by side have one height"
        );
        if parts.len() == 1 { parts.remove(0) } else { Operator::HStack(parts) }
    }

    /// Along the diagonal, at least one.
    pub fn block(mut parts: Vec<Operator>) -> Operator {
        if parts.len() == 1 { parts.remove(0) } else { Operator::Block(parts) }
    }

    /// `diag(d)` in its simplest form.
    pub fn diagonal_of(d: Vec<f64>) -> Operator {
        match d.first() {
            Some(&s) if d.iter().all(|&x| x == s) => Operator::scaled(s, Operator::Identity(d.len())),
            _ => Operator::Diagonal(d),
        }
    }

    /// `(Mx)ᵢ = x[picked[i]]`
    pub fn selection(picked: &[usize], cols: usize) -> Operator {
        if picked.len() == cols && picked.iter().enumerate().all(|(i, &j)| i == j) {
            return Operator::Identity(cols);
        }
        Csr::selection(picked, cols).into()
    }

    /// `1ᵀ`, which sums `n` entries.
    pub fn ones(n: usize) -> Operator {
        Matrix::new(1, n, vec![1.0; n]).into()
    }

    /// `L ⊗ R`
    pub fn kronecker(l: Operator, r: Operator) -> Operator {
        match (l, r) {
            (Operator::Identity(1), m) | (m, Operator::Identity(1)) => m,
            (Operator::Identity(a), Operator::Identity(b)) => Operator::Identity(a * b),
            (l, r) => Operator::Kronecker(Box::new(l), Box::new(r)),
        }
    }

    /// `Mᵀ`
    pub fn adjoint(self) -> Operator {
        match self {
            Operator::Zero { rows, cols } => Operator::Zero { rows: cols, cols: rows },
            m @ (Operator::Identity(_) | Operator::Scale(..) | Operator::Diagonal(_)) => m,
            Operator::Dense(m) => m.transpose().into(),
            Operator::Sparse(m) => m.transpose().into(),
            Operator::Scaled(s, m) => Operator::scaled(s, m.adjoint()),
            Operator::Adjoint(m) => *m,
            m => Operator::Adjoint(Box::new(m)),
        }
    }

    /// `s` where it is written `s·I`.
    pub fn scalar(&self) -> Option<f64> {
        match self {
            Operator::Identity(_) => Some(1.0),
            Operator::Scale(s, _) => Some(*s),
            _ => None,
        }
    }

    /// Rows.
    pub fn rows(&self) -> usize {
        self.extents().0
    }

    /// Columns.
    pub fn cols(&self) -> usize {
        self.extents().1
    }

    /// `(rows, columns)`
    pub fn extents(&self) -> (usize, usize) {
        match self {
            Operator::Zero { rows, cols } => (*rows, *cols),
            Operator::Identity(n) | Operator::Scale(_, n) => (*n, *n),
            Operator::Diagonal(d) => (d.len(), d.len()),
            Operator::Dense(m) => (m.rows, m.cols),
            Operator::Sparse(m) => (m.rows, m.cols),
            Operator::Stack(parts) => (parts.iter().map(Operator::rows).sum(), parts.first().map_or(0, Operator::cols)),
            Operator::HStack(parts) => {
                (parts.first().map_or(0, Operator::rows), parts.iter().map(Operator::cols).sum())
            }
            Operator::Block(parts) => (parts.iter().map(Operator::rows).sum(), parts.iter().map(Operator::cols).sum()),
            Operator::Scaled(_, m) => m.extents(),
            Operator::Adjoint(m) => (m.cols(), m.rows()),
            Operator::Compose(l, r) => (l.rows(), r.cols()),
            Operator::Sum(terms) => terms.first().map_or((0, 0), Operator::extents),
            Operator::Kronecker(l, r) => (l.rows() * r.rows(), l.cols() * r.cols()),
        }
    }

    /// The diagonal, where the variant says that nothing else is there.
    pub fn diagonal(&self) -> Option<Vec<f64>> {
        match self {
            Operator::Zero { rows, cols } if rows == cols => Some(vec![0.0; *rows]),
            Operator::Identity(n) => Some(vec![1.0; *n]),
            Operator::Scale(s, n) => Some(vec![*s; *n]),
            Operator::Diagonal(d) => Some(d.clone()),
            _ => None,
        }
    }

    /// `M x`
    pub fn apply(&self, x: &[f64]) -> Vec<f64> {
        let mut y = vec![0.0; self.rows()];
        self.accumulate(1.0, x, &mut y, false);
        y
    }

    /// `Mᵀ y`
    pub fn apply_adjoint(&self, y: &[f64]) -> Vec<f64> {
        let mut x = vec![0.0; self.cols()];
        self.accumulate(1.0, y, &mut x, true);
        x
    }

    /// `y += alpha · M x`, or `alpha · Mᵀ x`.
    pub fn accumulate(&self, alpha: f64, x: &[f64], y: &mut [f64], adjoint: bool) {
        match self {
            Operator::Zero { .. } => {}
            Operator::Identity(_) => axpy(alpha, x, y),
            Operator::Scale(s, _) => axpy(alpha * s, x, y),
            Operator::Diagonal(d) => y.iter_mut().zip(d).zip(x).for_each(|((y, d), x)| *y += alpha * d * x),
            Operator::Dense(m) if adjoint => (0..m.rows).for_each(|i| axpy(alpha * x[i], m.row(i), y)),
            Operator::Dense(m) => (0..m.rows).for_each(|i| y[i] += alpha * dot(m.row(i), x)),
            Operator::Sparse(m) => m.accumulate(alpha, x, y, adjoint),
            Operator::Stack(parts) | Operator::HStack(parts) | Operator::Block(parts) => {
                // The adjoint of one above the other is side by side.
                let spread = if adjoint { Operator::is_hstack } else { Operator::is_stack };
                let shared = if adjoint { Operator::is_stack } else { Operator::is_hstack };
                let (mut from, mut to) = (0, 0);
                for part in parts {
                    let (rows, cols) = if adjoint { (part.cols(), part.rows()) } else { part.extents() };
                    part.accumulate(alpha, &x[from..from + cols], &mut y[to..to + rows], adjoint);
                    from += if spread(self) { 0 } else { cols };
                    to += if shared(self) { 0 } else { rows };
                }
            }
            Operator::Scaled(s, m) => m.accumulate(alpha * s, x, y, adjoint),
            Operator::Adjoint(m) => m.accumulate(alpha, x, y, !adjoint),
            Operator::Compose(l, r) => {
                let (first, second) = if adjoint { (l, r) } else { (r, l) };
                let mut middle = vec![0.0; l.cols()];
                first.accumulate(1.0, x, &mut middle, adjoint);
                second.accumulate(alpha, &middle, y, adjoint);
            }
            Operator::Sum(terms) => terms.iter().for_each(|m| m.accumulate(alpha, x, y, adjoint)),
            Operator::Kronecker(l, r) => kronecker(l, r, alpha, x, y, adjoint),
        }
    }

    fn is_stack(&self) -> bool {
        matches!(self, Operator::Stack(_))
    }

    fn is_hstack(&self) -> bool {
        matches!(self, Operator::HStack(_))
    }

    /// All entries.
    pub fn to_dense(&self) -> Matrix {
        match self {
            Operator::Dense(m) => m.as_ref().clone(),
            m => m.to_sparse().to_dense(),
        }
    }

    /// The entries that are not zero.
    pub fn to_sparse(&self) -> Csr {
        let (rows, cols) = self.extents();
        match self {
            Operator::Dense(m) => Csr::from_dense(m),
            Operator::Sparse(m) => m.as_ref().clone(),
            Operator::Scaled(s, m) => m.to_sparse().scale(*s),
            Operator::Adjoint(m) => m.to_sparse().transpose(),
            Operator::Compose(l, r) => l.to_sparse().matmul(&r.to_sparse()),
            other => {
                let mut triplets = Vec::new();
                other.triplets(&mut triplets);
                Csr::from_triplets(rows, cols, triplets)
            }
        }
    }

    fn triplets(&self, to: &mut Vec<(usize, usize, f64)>) {
        match self {
            Operator::Stack(parts) | Operator::HStack(parts) | Operator::Block(parts) => {
                let (mut row, mut col) = (0, 0);
                for part in parts {
                    to.extend(part.to_sparse().entries().map(|(i, j, value)| (row + i, col + j, value)));
                    row += if self.is_hstack() { 0 } else { part.rows() };
                    col += if self.is_stack() { 0 } else { part.cols() };
                }
            }
            Operator::Sum(terms) => terms.iter().for_each(|m| to.extend(m.to_sparse().entries())),
            Operator::Kronecker(l, r) => {
                let right = r.to_sparse();
                for (i, j, a) in l.to_sparse().entries() {
                    to.extend(right.entries().map(|(k, l, b)| (i * right.rows + k, j * right.cols + l, a * b)));
                }
            }
            other => {
                let diagonal = other.diagonal().unwrap_or_default();
                to.extend(diagonal.into_iter().enumerate().map(|(i, value)| (i, i, value)));
            }
        }
    }
}

/// `Y += alpha · L X Rᵀ`, or with both adjoints.
fn kronecker(l: &Operator, r: &Operator, alpha: f64, x: &[f64], y: &mut [f64], adjoint: bool) {
    let flip = |m: &Operator| if adjoint { (m.cols(), m.rows()) } else { m.extents() };
    let ((l_rows, l_cols), (r_rows, r_cols)) = (flip(l), flip(r));
    // X Rᵀ, kept by columns, so that L is applied to what lies together.
    let mut right = vec![0.0; r_rows * l_cols];
    let mut row = vec![0.0; r_rows];
    for i in 0..l_cols {
        row.fill(0.0);
        r.accumulate(1.0, &x[i * r_cols..][..r_cols], &mut row, adjoint);
        row.iter().enumerate().for_each(|(j, &value)| right[j * l_cols + i] = value);
    }
    let mut column = vec![0.0; l_rows];
    for j in 0..r_rows {
        column.fill(0.0);
        l.accumulate(alpha, &right[j * l_cols..][..l_cols], &mut column, adjoint);
        column.iter().enumerate().for_each(|(i, &value)| y[i * r_rows + j] += value);
    }
}

impl From<Matrix> for Operator {
    fn from(matrix: Matrix) -> Operator {
        Operator::Dense(Arc::new(matrix))
    }
}

impl From<Csr> for Operator {
    fn from(matrix: Csr) -> Operator {
        Operator::Sparse(Arc::new(matrix))
    }
}

impl std::ops::Neg for Operator {
    type Output = Operator;

    fn neg(self) -> Operator {
        Operator::scaled(-1.0, self)
    }
}

fn axpy(alpha: f64, x: &[f64], y: &mut [f64]) {
    y.iter_mut().zip(x).for_each(|(y, x)| *y += alpha * x);
}

fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

/// As in a formula: `I`, `−2 I`, `diag(3)`, `dense 2×3`, `[I; −I]`, `A·B`.
impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, open: &str, parts: &[Operator], separator: &str, close: &str| {
            write!(f, "{open}")?;
            for (i, part) in parts.iter().enumerate() {
                write!(f, "{}{part}", if i > 0 { separator } else { "" })?;
            }
            write!(f, "{close}")
        };
        let factor = |s: f64| match s {
            1.0 => String::new(),
            -1.0 => "−".to_string(),
            s if s < 0.0 => format!("−{} ", -s),
            s => format!("{s} "),
        };
        match self {
            Operator::Zero { .. } => write!(f, "0"),
            Operator::Identity(_) => write!(f, "I"),
            Operator::Scale(s, _) => write!(f, "{}I", factor(*s)),
            Operator::Diagonal(d) => write!(f, "diag({})", d.len()),
            Operator::Dense(m) => write!(f, "dense {}×{}", m.rows, m.cols),
            Operator::Sparse(m) => write!(f, "sparse {}×{}", m.rows, m.cols),
            Operator::Stack(parts) => list(f, "[", parts, "; ", "]"),
            Operator::HStack(parts) => list(f, "[", parts, ", ", "]"),
            Operator::Block(parts) => list(f, "blocks(", parts, ", ", ")"),
            Operator::Scaled(s, m) => write!(f, "{}({m})", factor(*s)),
            Operator::Adjoint(m) => write!(f, "({m})ᵀ"),
            Operator::Compose(l, r) => write!(f, "({l})·({r})"),
            Operator::Sum(terms) => list(f, "", terms, " + ", ""),
            Operator::Kronecker(l, r) => write!(f, "({l}) ⊗ ({r})"),
        }
    }
}
