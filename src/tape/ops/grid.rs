//! Orthogonal transforms of a grid along all of its axes, as [`Transform`] defines them. Each is linear,
//! and its adjoint is its inverse.

use super::Op;
use super::rule::{Operand, Rule, Site, ensure, ensure_float, ensure_type, linear, operands};
use crate::linalg::transform::Transform;
use crate::tape::{Builder, Type, Value};

pub(crate) struct Grid {
    pub transform: Transform,
    pub inverse: bool,
}

impl Rule for Grid {
    fn check(&self, args: &[&Type], ty: &Type) -> Result<(), String> {
        let [x] = operands(args)?;
        ensure_float(x)?;
        ensure(x.shape.rank() > 0, || "a number is no grid".to_string())?;
        ensure_type(ty, x)
    }

    fn eval(&self, args: &[Operand], ty: &Type) -> Vec<f64> {
        match self.transform {
            Transform::Cosine => cosine(args[0].x, &ty.shape.0, self.inverse),
            Transform::Hartley => hartley(args[0].x, &ty.shape.0),
        }
    }

    fn vjp(&self, b: &mut Builder, _: Site, _: usize, cotangent: Value) -> Option<Value> {
        let ty = b.ty(cotangent).clone();
        Some(b.push(Op::Grid { transform: self.transform, inverse: !self.inverse }, vec![cotangent], ty))
    }

    fn jvp(&self, b: &mut Builder, at: Site, tangents: &[Option<Value>]) -> Option<Value> {
        tangents[0].map(|tangent| linear(b, at, 0, tangent))
    }
}

/// By its sums, an axis after the other.
fn cosine(x: &[f64], extents: &[usize], inverse: bool) -> Vec<f64> {
    let mut x = x.to_vec();
    let mut inner = 1;
    for &n in extents.iter().rev() {
        let entry = |k: usize, i: usize| {
            let scale = if k == 0 { 1.0 } else { 2.0 };
            let angle = std::f64::consts::PI * (k * (2 * i + 1)) as f64 / (2 * n) as f64;
            (scale / n as f64).sqrt() * angle.cos()
        };
        let sum = |at: usize| -> f64 {
            let (outer, to, column) = (at / (n * inner), at / inner % n, at % inner);
            let term = |from: usize| {
                let entry = if inverse { entry(from, to) } else { entry(to, from) };
                entry * x[(outer * n + from) * inner + column]
            };
            (0..n).map(term).sum()
        };
        x = (0..x.len()).map(sum).collect();
        inner *= n;
    }
    x
}

/// By its sums.
fn hartley(x: &[f64], extents: &[usize]) -> Vec<f64> {
    let scale = (x.len() as f64).sqrt().recip();
    let entry = |mut k: usize, mut i: usize| {
        let mut turns = 0.0;
        for &n in extents.iter().rev() {
            turns += ((k % n) * (i % n) % n) as f64 / n as f64;
            (k, i) = (k / n, i / n);
        }
        let angle = 2.0 * std::f64::consts::PI * turns;
        scale * (angle.cos() + angle.sin())
    };
    (0..x.len()).map(|k| x.iter().enumerate().map(|(i, x)| entry(k, i) * x).sum()).collect()
}
