//! Rows by index, and the transpose: rows added at their index. An index past the end gathers NaN
//! (from an index tensor, 0) and scatters nothing; derivatives suppose that there is none.

use super::Op;
use super::rule::{Operand, Rule, Site, ensure, ensure_type, linear, operands};
use crate::tape::{Builder, Dtype, Type, Value};

pub(crate) struct Gather;

impl Rule for Gather {
    fn check(&self, args: &[&Type], ty: &Type) -> Result<(), String> {
        let [x, index] = operands(args)?;
        ensure_rows(x, index, ty)
    }

    fn eval(&self, args: &[Operand], ty: &Type) -> Vec<f64> {
        let [x, index] = [args[0], args[1]];
        let width = x.ty.shape.0[1..].iter().product();
        let missing = vec![if ty.dtype.is_float() { f64::NAN } else { 0.0 }; width];
        let row = |&i: &f64| x.x.get(i as usize * width..(i as usize + 1) * width).unwrap_or(&missing);
        index.x.iter().flat_map(row).copied().collect()
    }

    fn vjp(&self, b: &mut Builder, at: Site, k: usize, cotangent: Value) -> Option<Value> {
        debug_assert_eq!(k, 0, "an index has no cotangent");
        let ty = b.ty(at.args[0]).clone();
        Some(b.push(Op::ScatterAdd, vec![at.args[1], cotangent], ty))
    }

    fn jvp(&self, b: &mut Builder, at: Site, tangents: &[Option<Value>]) -> Option<Value> {
        tangents[0].map(|tangent| linear(b, at, 0, tangent))
    }
}

pub(crate) struct ScatterAdd;

impl Rule for ScatterAdd {
    fn check(&self, args: &[&Type], ty: &Type) -> Result<(), String> {
        let [index, rows] = operands(args)?;
        ensure(ty.dtype.is_float(), || format!("{ty} is not floating"))?;
        ensure_rows(ty, index, rows)
    }

    fn eval(&self, args: &[Operand], ty: &Type) -> Vec<f64> {
        let [index, rows] = [args[0], args[1]];
        let width: usize = ty.shape.0[1..].iter().product();
        let mut y = vec![0.0; ty.shape.numel()];
        for (position, &i) in index.x.iter().enumerate() {
            if let Some(row) = y.get_mut(i as usize * width..(i as usize + 1) * width) {
                row.iter_mut().zip(&rows.x[position * width..]).for_each(|(y, x)| *y += x);
            }
        }
        y
    }

    fn vjp(&self, b: &mut Builder, at: Site, k: usize, cotangent: Value) -> Option<Value> {
        debug_assert_eq!(k, 1, "an index has no cotangent");
        let ty = b.ty(at.args[1]).clone();
        Some(b.push(Op::Gather, vec![cotangent, at.args[0]], ty))
    }

    fn jvp(&self, b: &mut Builder, at: Site, tangents: &[Option<Value>]) -> Option<Value> {
        tangents[1].map(|tangent| linear(b, at, 1, tangent))
    }
}

/// Fails unless `rows` are rows of `whole`, as many as the index vector says.
fn ensure_rows(whole: &Type, index: &Type, rows: &Type) -> Result<(), String> {
    let is_vector = index.dtype == Dtype::Index && index.shape.rank() == 1;
    ensure(is_vector, || format!("{index} is not a vector of indices"))?;
    ensure(whole.shape.rank() >= 1, || format!("{whole} has no rows"))?;
    let mut rule = whole.clone();
    rule.shape.0[0] = index.shape.0[0];
    ensure_type(rows, &rule)
}
