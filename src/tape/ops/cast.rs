//! Conversion of dtype: to the nearest single; to an index by truncation, saturating, NaN to 0.

use super::rule::{Operand, Rule, Site, ensure, operands};
use crate::tape::{Builder, Dtype, Type, Value};

pub(crate) struct Cast;

impl Rule for Cast {
    fn check(&self, args: &[&Type], ty: &Type) -> Result<(), String> {
        let [x] = operands(args)?;
        ensure(x.shape == ty.shape, || format!("{x} does not become {ty}"))
    }

    fn eval(&self, args: &[Operand], ty: &Type) -> Vec<f64> {
        let convert = |&x: &f64| match ty.dtype {
            Dtype::F32 => f64::from(x as f32),
            Dtype::F64 => x,
            Dtype::Index => f64::from(x as u32),
        };
        args[0].x.iter().map(convert).collect()
    }

    fn vjp(&self, b: &mut Builder, at: Site, _: usize, cotangent: Value) -> Option<Value> {
        let dtype = b.dtype(at.args[0]);
        b.dtype(at.y).is_float().then(|| b.cast(cotangent, dtype))
    }

    fn jvp(&self, b: &mut Builder, at: Site, tangents: &[Option<Value>]) -> Option<Value> {
        let dtype = b.dtype(at.y);
        tangents[0].filter(|_| dtype.is_float()).map(|tangent| b.cast(tangent, dtype))
    }
}
