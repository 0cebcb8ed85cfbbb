//! Products with sparse matrices. A sparse matrix stays one under `'`, a sign and factors that are numbers;
//! a product with it goes entry by entry. Anything else sees it with its zeros.

use super::ir::{Expr, ExprKind};
use super::lower::Lower;
use crate::catalogue::Function;
use crate::tape::ops::Binary;
use crate::tape::{Shape, Value};

/// Factors of a sparse matrix, and the matrix: `s·M`, `s·Mᵀ`.
#[derive(Debug, Clone)]
pub struct Factored<'e> {
    /// Row starts, columns and entries.
    pub matrix: &'e [Expr; 3],
    /// Rows and columns as it is stored.
    pub stored: [usize; 2],
    /// Whether it is its transpose that stands here.
    pub transpose: bool,
    /// Numbers it is multiplied by.
    factors: Vec<(Factor, &'e Expr)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Factor {
    Times,
    Over,
    /// The expression itself says nothing more.
    Negated,
}

impl<'e> Factored<'e> {
    fn with(mut self, factor: Factor, by: &'e Expr) -> Factored<'e> {
        self.factors.push((factor, by));
        self
    }

    /// Whether it is the matrix, or its transpose, and no multiple.
    pub fn is_plain(&self) -> bool {
        self.factors.is_empty()
    }
}

impl Expr {
    /// The sparse matrix that an expression is, if it is one.
    pub fn factored(&self) -> Option<Factored<'_>> {
        let ExprKind::Apply(function, args) = &self.kind else {
            let ExprKind::Sparse(matrix) = &self.kind else { return None };
            let stored = [self.shape.0[0], self.shape.0[1]];
            return Some(Factored { matrix, stored, transpose: false, factors: Vec::new() });
        };
        match (function, &args[..]) {
            (Function::Transpose, [inner]) => {
                let mut inner = inner.factored()?;
                inner.transpose = !inner.transpose;
                Some(inner)
            }
            (Function::Neg, [inner]) => Some(inner.factored()?.with(Factor::Negated, self)),
            (Function::Mul, [number, inner]) | (Function::Mul, [inner, number]) if number.shape.is_scalar() => {
                Some(inner.factored()?.with(Factor::Times, number))
            }
            (Function::Div, [inner, number]) if number.shape.is_scalar() => {
                Some(inner.factored()?.with(Factor::Over, number))
            }
            _ => None,
        }
    }
}

impl Lower<'_> {
    /// The value of an expression in which a sparse matrix takes part as such.
    pub(super) fn sparse(&mut self, expr: &Expr) -> Option<Value> {
        if let Some(matrix) = expr.factored() {
            return Some(self.with_zeros(&matrix));
        }
        let ExprKind::Apply(function, args) = &expr.kind else { return None };
        match (function, &args[..]) {
            (Function::Mul, [left, right]) => {
                if let Some(matrix) = left.factored().filter(|_| !right.shape.is_scalar()) {
                    let x = self.expr(right);
                    let product = self.times(&matrix, x);
                    return Some(self.b.reshape(product, expr.shape.clone()));
                }
                let matrix = right.factored().filter(|_| left.shape.rank() == 2)?;
                let x = self.expr(left);
                Some(self.behind(&matrix, x))
            }
            (Function::QuadForm, [x, matrix]) => {
                let matrix = matrix.factored()?;
                let x = self.expr(x);
                let product = self.times(&matrix, x);
                Some(self.b.dot(x, product))
            }
            _ => None,
        }
    }

    /// `M x`, of a vector or of each column.
    fn times(&mut self, matrix: &Factored, x: Value) -> Value {
        self.product(matrix, x, matrix.transpose)
    }

    /// `X M = (Mᵀ Xᵀ)ᵀ`
    fn behind(&mut self, matrix: &Factored, x: Value) -> Value {
        let rows = self.b.shape(x).0[0];
        let turned = match rows {
            1 => self.b.reshape(x, Shape::vector(self.b.shape(x).numel())),
            _ => self.b.transpose(x),
        };
        let product = self.product(matrix, turned, !matrix.transpose);
        match rows {
            1 => self.b.reshape(product, Shape::matrix(1, self.b.shape(product).numel())),
            _ => self.b.transpose(product),
        }
    }

    fn product(&mut self, matrix: &Factored, x: Value, transpose: bool) -> Value {
        let [starts, columns, entries] = matrix.matrix;
        let parts = [starts, columns, entries].map(|part| self.expr(part));
        let extent = matrix.stored[usize::from(transpose)];
        let mut product = self.b.sparse(parts, x, transpose, extent);
        for &(factor, by) in &matrix.factors {
            product = match factor {
                Factor::Negated => self.b.neg(product),
                Factor::Times => {
                    let by = self.expr(by);
                    self.b.mul(by, product)
                }
                Factor::Over => {
                    let by = self.expr(by);
                    self.b.div(product, by)
                }
            };
        }
        product
    }

    /// All of the matrix, as a product with the smaller identity.
    fn with_zeros(&mut self, matrix: &Factored) -> Value {
        let [rows, columns] = match (matrix.stored, matrix.transpose) {
            (stored, false) => stored,
            ([rows, columns], true) => [columns, rows],
        };
        let n = rows.min(columns);
        let (row, column) = (self.b.iota([n, n], 0), self.b.iota([n, n], 1));
        let identity = self.b.binary(Binary::Equal, row, column);
        let identity = self.b.cast(identity, self.dtype);
        let dense = if columns <= rows { self.times(matrix, identity) } else { self.behind(matrix, identity) };
        self.b.reshape(dense, [rows, columns])
    }
}
