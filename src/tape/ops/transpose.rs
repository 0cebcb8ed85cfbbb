//! Result axis `i` is operand axis `perm[i]`.

use super::Op;
use super::rule::{Operand, Rule, Site, ensure, ensure_type, linear, offsets, operands};
use crate::tape::{Builder, Shape, Type, Value};

pub(crate) struct Transpose<'a> {
    pub perm: &'a [usize],
}

impl Rule for Transpose<'_> {
    fn check(&self, args: &[&Type], ty: &Type) -> Result<(), String> {
        let [x] = operands(args)?;
        let mut sorted = self.perm.to_vec();
        sorted.sort_unstable();
        let is_permutation = sorted.into_iter().eq(0..x.shape.rank());
        ensure(is_permutation, || format!("{:?} is no permutation of the axes of {x}", self.perm))?;
        let shape = Shape(self.perm.iter().map(|&axis| x.shape.0[axis]).collect());
        ensure_type(ty, &Type { dtype: x.dtype, shape })
    }

    fn eval(&self, args: &[Operand], ty: &Type) -> Vec<f64> {
        let strides = args[0].ty.shape.strides();
        let strides: Vec<usize> = self.perm.iter().map(|&axis| strides[axis]).collect();
        offsets(&ty.shape.0, &strides, 0).into_iter().map(|at| args[0].x[at]).collect()
    }

    fn vjp(&self, b: &mut Builder, at: Site, _: usize, cotangent: Value) -> Option<Value> {
        let mut inverse = vec![0; self.perm.len()];
        for (i, &axis) in self.perm.iter().enumerate() {
            inverse[axis] = i;
        }
        let ty = b.ty(at.args[0]).clone();
        Some(b.push(Op::Transpose { perm: inverse }, vec![cotangent], ty))
    }

    fn jvp(&self, b: &mut Builder, at: Site, tangents: &[Option<Value>]) -> Option<Value> {
        tangents[0].map(|tangent| linear(b, at, 0, tangent))
    }
}
