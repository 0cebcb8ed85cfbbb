//! Sparse matrix times vector, or times a matrix, CSR. Linear in `x`; the matrix is data, and has no
//! derivative. Row starts ascend to the number of entries and columns lie inside, as whoever reads the
//! data checks.

use super::Op;
use super::rule::{Operand, Rule, Site, ensure, ensure_float, ensure_type, linear, no_derivative, operands, total};
use crate::tape::{Builder, Dtype, Type, Value};

pub(crate) struct SparseMatVec {
    pub transpose: bool,
}

impl Rule for SparseMatVec {
    fn check(&self, args: &[&Type], ty: &Type) -> Result<(), String> {
        let [starts, columns, values, x] = operands(args)?;
        ensure(args[..3].iter().all(|arg| arg.shape.rank() == 1), || "takes vectors for the matrix".into())?;
        ensure_float(values)?;
        ensure_type(columns, &Type { dtype: Dtype::Index, shape: values.shape.clone() })?;
        ensure(starts.dtype == Dtype::Index && starts.shape.0[0] >= 1, || format!("{starts} are no row starts"))?;
        let columns_agree = matches!(x.shape.rank(), 1 | 2) && x.shape.0[1..] == *ty.shape.0.get(1..).unwrap_or(&[]);
        let fits = columns_agree && ty.shape.rank() == x.shape.rank();
        ensure(x.dtype == values.dtype && ty.dtype == values.dtype && fits, || format!("{values} · {x} is not {ty}"))?;
        let rows = if self.transpose { x } else { ty };
        ensure(rows.shape.0[0] + 1 == starts.shape.0[0], || format!("{starts} are not the row starts of {rows}"))
    }

    fn eval(&self, args: &[Operand], ty: &Type) -> Vec<f64> {
        let [starts, columns, values, x] = [args[0].x, args[1].x, args[2].x, args[3].x];
        let width: usize = ty.shape.0[1..].iter().product();
        let mut y = vec![0.0; ty.shape.numel()];
        for row in 0..starts.len() - 1 {
            for entry in starts[row] as usize..starts[row + 1] as usize {
                let column = columns[entry] as usize;
                let (to, from) = if self.transpose { (column, row) } else { (row, column) };
                for k in 0..width {
                    y[to * width + k] += values[entry] * x[from * width + k];
                }
            }
        }
        y
    }

    fn vjp(&self, b: &mut Builder, at: Site, k: usize, cotangent: Value) -> Option<Value> {
        if !self.differentiable(k) {
            return no_derivative(b, at.args[k]);
        }
        let ty = b.ty(at.args[3]).clone();
        let args = vec![at.args[0], at.args[1], at.args[2], cotangent];
        Some(b.push(Op::SparseMatVec { transpose: !self.transpose }, args, ty))
    }

    fn jvp(&self, b: &mut Builder, at: Site, tangents: &[Option<Value>]) -> Option<Value> {
        let by_matrix = tangents[2].and_then(|_| no_derivative(b, at.y));
        let by_vector = tangents[3].map(|tangent| linear(b, at, 3, tangent));
        total(b, [by_matrix, by_vector])
    }

    fn differentiable(&self, k: usize) -> bool {
        k == 3
    }
}
