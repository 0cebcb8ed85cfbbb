//! A number. In singles it is the nearest single; as an index it is whole and below 2³².

use super::rule::{Operand, Rule, Site, ensure, operands};
use crate::tape::{Builder, Dtype, Type, Value};

pub(crate) struct Const(pub f64);

impl Rule for Const {
    fn check(&self, args: &[&Type], ty: &Type) -> Result<(), String> {
        operands::<0>(args)?;
        ensure(ty.shape.is_scalar(), || format!("a constant is a scalar, not {ty}"))?;
        let is_index = self.0 >= 0.0 && self.0 <= u32::MAX.into() && self.0.fract() == 0.0;
        ensure(ty.dtype.is_float() || is_index, || format!("{} is not an index", self.0))
    }

    fn eval(&self, _: &[Operand], ty: &Type) -> Vec<f64> {
        vec![if ty.dtype == Dtype::F32 { f64::from(self.0 as f32) } else { self.0 }]
    }

    fn vjp(&self, _: &mut Builder, _: Site, _: usize, _: Value) -> Option<Value> {
        None
    }

    fn jvp(&self, _: &mut Builder, _: Site, _: &[Option<Value>]) -> Option<Value> {
        None
    }
}
