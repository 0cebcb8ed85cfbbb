//! Operands joined along an axis, in order; at least one.

use super::Range;
use super::rule::{Operand, Rule, Site, ensure, ensure_type};
use crate::tape::{Builder, Type, Value};

pub(crate) struct Concat {
    pub axis: usize,
}

impl Rule for Concat {
    fn check(&self, args: &[&Type], ty: &Type) -> Result<(), String> {
        let Some(first) = args.first() else { return Err("joins nothing".into()) };
        ensure(self.axis < first.shape.rank(), || format!("{first} lacks axis {}", self.axis))?;
        let mut joined = (*first).clone();
        joined.shape.0[self.axis] = 0;
        for arg in args {
            let mut rest = (*arg).clone();
            ensure(self.axis < rest.shape.rank(), || format!("{arg} lacks axis {}", self.axis))?;
            rest.shape.0[self.axis] = joined.shape.0[self.axis];
            ensure(rest == joined, || format!("{arg} does not join {first} along axis {}", self.axis))?;
            joined.shape.0[self.axis] += arg.shape.0[self.axis];
        }
        ensure_type(ty, &joined)
    }

    fn eval(&self, args: &[Operand], ty: &Type) -> Vec<f64> {
        let before: usize = ty.shape.0[..self.axis].iter().product();
        let mut y = Vec::with_capacity(ty.shape.numel());
        for row in 0..before {
            for arg in args {
                let width = arg.x.len() / before;
                y.extend_from_slice(&arg.x[row * width..(row + 1) * width]);
            }
        }
        y
    }

    fn vjp(&self, b: &mut Builder, at: Site, k: usize, cotangent: Value) -> Option<Value> {
        let start = at.args[..k].iter().map(|&arg| b.shape(arg).0[self.axis]).sum();
        let mut ranges: Vec<Range> =
            b.shape(at.args[k]).0.iter().map(|&len| Range { start: 0, len, step: 1 }).collect();
        ranges[self.axis].start = start;
        Some(b.slice(cotangent, ranges))
    }

    fn jvp(&self, b: &mut Builder, at: Site, tangents: &[Option<Value>]) -> Option<Value> {
        tangents.iter().any(Option::is_some).then(|| {
            let parts = at.args.iter().zip(tangents);
            let parts = parts.map(|(&arg, tangent)| tangent.unwrap_or_else(|| b.constant_like(0.0, arg))).collect();
            b.concat(parts, self.axis)
        })
    }
}
