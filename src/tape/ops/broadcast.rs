//! Operand axis `i` becomes result axis `axes[i]`; the other axes repeat it. Its transpose is a sum.

use super::Reducer;
use super::rule::{Operand, Rule, Site, ensure, linear, offsets, operands};
use crate::tape::{Builder, Type, Value};

pub(crate) struct Broadcast<'a> {
    pub axes: &'a [usize],
}

impl Rule for Broadcast<'_> {
    fn check(&self, args: &[&Type], ty: &Type) -> Result<(), String> {
        let [x] = operands(args)?;
        ensure(x.dtype == ty.dtype, || format!("{x} does not become {ty}"))?;
        ensure(self.axes.len() == x.shape.rank(), || format!("{} axes for {x}", self.axes.len()))?;
        ensure(self.axes.is_sorted_by(|a, b| a < b), || format!("axes {:?} do not ascend", self.axes))?;
        let fits = self.axes.iter().zip(&x.shape.0).all(|(&axis, extent)| ty.shape.0.get(axis) == Some(extent));
        ensure(fits, || format!("{x} does not lie along axes {:?} of {ty}", self.axes))
    }

    fn eval(&self, args: &[Operand], ty: &Type) -> Vec<f64> {
        let mut strides = vec![0; ty.shape.rank()];
        for (&axis, stride) in self.axes.iter().zip(args[0].ty.shape.strides()) {
            strides[axis] = stride;
        }
        offsets(&ty.shape.0, &strides, 0).into_iter().map(|at| args[0].x[at]).collect()
    }

    fn vjp(&self, b: &mut Builder, at: Site, _: usize, cotangent: Value) -> Option<Value> {
        let repeated = (0..b.shape(at.y).rank()).filter(|axis| !self.axes.contains(axis)).collect();
        Some(b.reduce(Reducer::Sum, cotangent, repeated))
    }

    fn jvp(&self, b: &mut Builder, at: Site, tangents: &[Option<Value>]) -> Option<Value> {
        tangents[0].map(|tangent| linear(b, at, 0, tangent))
    }
}
