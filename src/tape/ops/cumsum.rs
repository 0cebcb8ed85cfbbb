//! Running sums along the last axis, `yᵢ = Σⱼ≤ᵢ xⱼ`, or from the other end, `yᵢ = Σⱼ≥ᵢ xⱼ`: the
//! transpose of each other.
//!
//! Along an axis of `n` the plain recurrence errs by up to `n·EPS·Σ│x│`. The rounding errors of its
//! sums are therefore summed beside it (Ogita, Rump & Oishi, Accurate sum and dot product, 2005), which
//! leaves one rounding of the result and `n²·EPS²·Σ│x│`.

use super::Op;
use super::rule::{Operand, Rule, Site, ensure, ensure_float, ensure_type, linear, operands};
use crate::tape::{Builder, Type, Value};

pub(crate) struct CumSum {
    pub reverse: bool,
}

impl Rule for CumSum {
    fn check(&self, args: &[&Type], ty: &Type) -> Result<(), String> {
        let [x] = operands(args)?;
        ensure_float(x)?;
        ensure(x.shape.rank() >= 1, || format!("{x} has no axis to sum along"))?;
        ensure_type(ty, x)
    }

    fn eval(&self, args: &[Operand], ty: &Type) -> Vec<f64> {
        let n = ty.shape.0.last().copied().unwrap_or(1);
        let mut y = args[0].x.to_vec();
        for row in y.chunks_exact_mut(n.max(1)) {
            let mut sum = Running::default();
            if self.reverse {
                row.iter_mut().rev().for_each(|x| *x = sum.add(*x));
            } else {
                row.iter_mut().for_each(|x| *x = sum.add(*x));
            }
        }
        y
    }

    fn vjp(&self, b: &mut Builder, at: Site, _: usize, cotangent: Value) -> Option<Value> {
        let ty = b.ty(at.args[0]).clone();
        Some(b.push(Op::CumSum { reverse: !self.reverse }, vec![cotangent], ty))
    }

    fn jvp(&self, b: &mut Builder, at: Site, tangents: &[Option<Value>]) -> Option<Value> {
        tangents[0].map(|tangent| linear(b, at, 0, tangent))
    }
}

/// A sum, and the sum of its rounding errors.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Running {
    sum: f64,
    error: f64,
}

impl Running {
    /// Adds a number; gives the sum so far.
    #[inline]
    pub fn add(&mut self, x: f64) -> f64 {
        let sum = self.sum + x;
        // Knuth's two-sum: what was lost, exactly. Of an infinite sum it would be a NaN.
        let back = sum - self.sum;
        let lost = (self.sum - (sum - back)) + (x - back);
        self.sum = sum;
        if sum.is_finite() {
            self.error += lost;
        }
        if self.sum.is_finite() { self.sum + self.error } else { self.sum }
    }
}
