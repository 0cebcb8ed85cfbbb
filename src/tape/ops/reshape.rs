//! The same elements, row-major, in another shape.

use super::rule::{Operand, Rule, Site, ensure, linear, operands};
use crate::tape::{Builder, Type, Value};

pub(crate) struct Reshape;

impl Rule for Reshape {
    fn check(&self, args: &[&Type], ty: &Type) -> Result<(), String> {
        let [x] = operands(args)?;
        ensure(x.dtype == ty.dtype && x.shape.numel() == ty.shape.numel(), || format!("{x} does not become {ty}"))
    }

    fn eval(&self, args: &[Operand], _: &Type) -> Vec<f64> {
        args[0].x.to_vec()
    }

    fn vjp(&self, b: &mut Builder, at: Site, _: usize, cotangent: Value) -> Option<Value> {
        let shape = b.shape(at.args[0]).clone();
        Some(b.reshape(cotangent, shape))
    }

    fn jvp(&self, b: &mut Builder, at: Site, tangents: &[Option<Value>]) -> Option<Value> {
        tangents[0].map(|tangent| linear(b, at, 0, tangent))
    }
}
