//! Position of the greatest element of the last axis, the first at a tie; a NaN counts as greatest.
//! Its derivative is zero.

use super::rule::{Operand, Rule, Site, ensure, ensure_float, ensure_type, operands};
use crate::tape::{Builder, Dtype, Shape, Type, Value};

pub(crate) struct ArgMax;

impl Rule for ArgMax {
    fn check(&self, args: &[&Type], ty: &Type) -> Result<(), String> {
        let [x] = operands(args)?;
        ensure_float(x)?;
        let extents = &x.shape.0;
        ensure(extents.last().is_some_and(|&n| n > 0), || format!("{x} has no greatest element"))?;
        ensure_type(ty, &Type { dtype: Dtype::Index, shape: Shape(extents[..extents.len() - 1].to_vec()) })
    }

    fn eval(&self, args: &[Operand], _: &Type) -> Vec<f64> {
        let n = *args[0].ty.shape.0.last().expect("the operand has an axis");
        let first_greatest = |row: &[f64]| {
            let better = |best: usize, i: usize| row[i] > row[best] || (row[i].is_nan() && !row[best].is_nan());
            (1..n).fold(0, |best, i| if better(best, i) { i } else { best }) as f64
        };
        args[0].x.chunks_exact(n).map(first_greatest).collect()
    }

    fn vjp(&self, _: &mut Builder, _: Site, _: usize, _: Value) -> Option<Value> {
        None
    }

    fn jvp(&self, _: &mut Builder, _: Site, _: &[Option<Value>]) -> Option<Value> {
        None
    }
}
