//! Elementwise ops: the operands have the shape of the result. The functions are in
//! [`unary`](super::unary) and [`binary`](super::binary).

use super::rule::{Operand, Rule, Site, ensure, ensure_float, ensure_type, operands, total};
use crate::tape::{Builder, Dtype, Type, Value};

pub(crate) struct Unary(pub super::Unary);

impl Rule for Unary {
    fn check(&self, args: &[&Type], ty: &Type) -> Result<(), String> {
        let [x] = operands(args)?;
        ensure_float(x)?;
        ensure_type(ty, x)
    }

    fn eval(&self, args: &[Operand], _: &Type) -> Vec<f64> {
        args[0].x.iter().map(|&x| (self.0.function().eval)(x)).collect()
    }

    fn vjp(&self, b: &mut Builder, at: Site, _: usize, cotangent: Value) -> Option<Value> {
        self.0.function().chain.map(|chain| chain(b, at.args[0], at.y, cotangent))
    }

    fn jvp(&self, b: &mut Builder, at: Site, tangents: &[Option<Value>]) -> Option<Value> {
        tangents[0].and_then(|tangent| self.vjp(b, at, 0, tangent))
    }
}

pub(crate) struct Binary(pub super::Binary);

impl Rule for Binary {
    fn check(&self, args: &[&Type], ty: &Type) -> Result<(), String> {
        let [a, b] = operands(args)?;
        ensure(a == b, || format!("operands differ: {a} and {b}"))?;
        let function = self.0.function();
        ensure(a.dtype.is_float() || function.eval_index.is_some(), || format!("no {} of indices", function.name))?;
        ensure_type(ty, a)
    }

    fn eval(&self, args: &[Operand], ty: &Type) -> Vec<f64> {
        let function = self.0.function();
        let pairs = args[0].x.iter().zip(args[1].x);
        match function.eval_index {
            Some(eval) if ty.dtype == Dtype::Index => pairs.map(|(&a, &b)| eval(a as u32, b as u32).into()).collect(),
            _ => pairs.map(|(&a, &b)| (function.eval)(a, b)).collect(),
        }
    }

    fn vjp(&self, b: &mut Builder, at: Site, k: usize, cotangent: Value) -> Option<Value> {
        self.0.function().chain.map(|chain| chain[k](b, at.args[0], at.args[1], at.y, cotangent))
    }

    fn jvp(&self, b: &mut Builder, at: Site, tangents: &[Option<Value>]) -> Option<Value> {
        let parts = [0, 1].map(|k| tangents[k].and_then(|tangent| self.vjp(b, at, k, tangent)));
        total(b, parts)
    }
}

/// `c ≠ 0 ? a : b`. What is not chosen is seen neither in the value nor in the derivative.
pub(crate) struct Select;

impl Rule for Select {
    fn check(&self, args: &[&Type], ty: &Type) -> Result<(), String> {
        let [c, a, b] = operands(args)?;
        ensure(a == b && c.shape == a.shape, || format!("operands differ: {c}, {a} and {b}"))?;
        ensure_type(ty, a)
    }

    fn eval(&self, args: &[Operand], ty: &Type) -> Vec<f64> {
        (0..ty.shape.numel()).map(|i| args[if args[0].x[i] != 0.0 { 1 } else { 2 }].x[i]).collect()
    }

    fn vjp(&self, b: &mut Builder, at: Site, k: usize, cotangent: Value) -> Option<Value> {
        let zero = b.constant_like(0.0, cotangent);
        match k {
            0 => None,
            1 => Some(b.select(at.args[0], cotangent, zero)),
            _ => Some(b.select(at.args[0], zero, cotangent)),
        }
    }

    fn jvp(&self, b: &mut Builder, at: Site, tangents: &[Option<Value>]) -> Option<Value> {
        let [_, yes, no] = tangents.try_into().expect("a select has three operands");
        let like: Value = Option::or(yes, no)?;
        let zero = b.constant_like(0.0, like);
        Some(b.select(at.args[0], yes.unwrap_or(zero), no.unwrap_or(zero)))
    }
}
