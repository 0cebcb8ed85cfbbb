//! The position along an axis, as an index: what one-hot rows and triangles are compared against.

use super::rule::{Operand, Rule, Site, ensure, offsets, operands};
use crate::tape::{Builder, Dtype, Type, Value};

pub(crate) struct Iota {
    pub axis: usize,
}

impl Rule for Iota {
    fn check(&self, args: &[&Type], ty: &Type) -> Result<(), String> {
        operands::<0>(args)?;
        ensure(ty.dtype == Dtype::Index && self.axis < ty.shape.rank(), || {
            format!("no positions along {} of {ty}", self.axis)
        })
    }

    fn eval(&self, _: &[Operand], ty: &Type) -> Vec<f64> {
        let mut strides = vec![0; ty.shape.rank()];
        strides[self.axis] = 1;
        offsets(&ty.shape.0, &strides, 0).into_iter().map(|position| position as f64).collect()
    }

    fn vjp(&self, _: &mut Builder, _: Site, _: usize, _: Value) -> Option<Value> {
        None
    }

    fn jvp(&self, _: &mut Builder, _: Site, _: &[Option<Value>]) -> Option<Value> {
        None
    }
}
