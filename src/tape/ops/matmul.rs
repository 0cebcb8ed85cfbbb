//! `op(a) · op(b)` of two matrices, `op` the identity or the transpose.
//!
//! Devices choose the order of the inner sums, so products agree to rounding, not to the bit; a
//! device's own order does not depend on the number of threads.

use super::rule::{Operand, Rule, Site, ensure, ensure_float, ensure_type, linear, operands, total};
use crate::tape::{Builder, Type, Value, tree};

pub(crate) struct MatMul {
    pub ta: bool,
    pub tb: bool,
}

impl Rule for MatMul {
    fn check(&self, args: &[&Type], ty: &Type) -> Result<(), String> {
        let [a, b] = operands(args)?;
        ensure_float(a)?;
        ensure(a.dtype == b.dtype, || format!("operands differ: {a} and {b}"))?;
        ensure(a.shape.rank() == 2 && b.shape.rank() == 2, || format!("{a} and {b} are not matrices"))?;
        let ((rows, inner), (other, columns)) = self.extents(a, b);
        ensure(inner == other, || format!("inner extents differ: {inner} and {other}"))?;
        ensure_type(ty, &Type::new(a.dtype, [rows, columns]))
    }

    fn eval(&self, args: &[Operand], _: &Type) -> Vec<f64> {
        let [a, b] = [args[0], args[1]];
        let ((rows, inner), (_, columns)) = self.extents(a.ty, b.ty);
        let a_at = |i, k| if self.ta { a.x[k * rows + i] } else { a.x[i * inner + k] };
        let b_at = |k, j| if self.tb { b.x[j * inner + k] } else { b.x[k * columns + j] };
        let entry = |i, j| tree::sum(inner, |k| a_at(i, k) * b_at(k, j));
        (0..rows).flat_map(|i| (0..columns).map(move |j| (i, j))).map(|(i, j)| entry(i, j)).collect()
    }

    fn vjp(&self, b: &mut Builder, at: Site, k: usize, cotangent: Value) -> Option<Value> {
        let [left, right] = [at.args[0], at.args[1]];
        Some(match (k, self.ta, self.tb) {
            (0, false, tb) => b.matmul(cotangent, right, false, !tb),
            (0, true, tb) => b.matmul(right, cotangent, tb, true),
            (_, ta, false) => b.matmul(left, cotangent, !ta, false),
            (_, ta, true) => b.matmul(cotangent, left, true, ta),
        })
    }

    fn jvp(&self, b: &mut Builder, at: Site, tangents: &[Option<Value>]) -> Option<Value> {
        let parts = [0, 1].map(|k| tangents[k].map(|tangent| linear(b, at, k, tangent)));
        total(b, parts)
    }
}

impl MatMul {
    /// Rows and columns of `op(a)` and of `op(b)`.
    fn extents(&self, a: &Type, b: &Type) -> ((usize, usize), (usize, usize)) {
        let extents = |ty: &Type, transposed: bool| {
            let [rows, columns] = [ty.shape.0[0], ty.shape.0[1]];
            if transposed { (columns, rows) } else { (rows, columns) }
        };
        (extents(a, self.ta), extents(b, self.tb))
    }
}
