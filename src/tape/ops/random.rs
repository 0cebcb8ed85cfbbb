//! Counter-based random numbers, as [`philox`](crate::tape::philox) defines them: element `j` depends
//! on the key, the stream, the step and `j`, and on nothing else.

use super::Distribution;
use super::rule::{Operand, Rule, Site, ensure, ensure_float, ensure_type, operands};
use crate::tape::philox::Stream;
use crate::tape::{Builder, Dtype, Shape, Type, Value};

pub(crate) struct Random {
    pub distribution: Distribution,
    pub stream: u32,
}

impl Rule for Random {
    fn check(&self, args: &[&Type], ty: &Type) -> Result<(), String> {
        let [key, step] = operands(args)?;
        ensure_type(key, &Type::new(Dtype::Index, [2]))?;
        ensure_type(step, &Type::new(Dtype::Index, Shape::scalar()))?;
        ensure_float(ty)?;
        ensure(ty.shape.numel() as u64 <= 1 << 34, || format!("{ty} is longer than a step of a stream"))
    }

    fn eval(&self, args: &[Operand], ty: &Type) -> Vec<f64> {
        let stream = Stream::new([args[0].x[0] as u32, args[0].x[1] as u32], self.stream);
        let step = args[1].x[0] as u32;
        let element = |j| match self.distribution {
            Distribution::Uniform => stream.uniform(step, j, ty.dtype),
            Distribution::Normal => stream.normal(step, j, ty.dtype),
        };
        (0..ty.shape.numel() as u64).map(element).collect()
    }

    fn vjp(&self, _: &mut Builder, _: Site, _: usize, _: Value) -> Option<Value> {
        None
    }

    fn jvp(&self, _: &mut Builder, _: Site, _: &[Option<Value>]) -> Option<Value> {
        None
    }
}
