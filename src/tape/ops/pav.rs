//! Weighted isotonic regression along the last axis, operands `v, w`: the ascending `x` that minimises
//! `½ Σ wᵢ(xᵢ − vᵢ)²`, by the min–max formula (Robertson, Wright & Dykstra, Order Restricted Statistical
//! Inference, 1988, §1.4)
//!
//! ```text
//! xᵢ = max  min  Σⱼ..ₖ wv / Σⱼ..ₖ w
//!     j ≤ i k ≥ i
//! ```
//!
//! Elements whose weights are all 0 count alike. A row with an element or a weight that is not finite,
//! or a weight below 0, is NaN throughout. Not differentiable here: a derivative is NaN.

use super::rule::{Operand, Rule, ensure, ensure_float, ensure_type, operands};
use crate::tape::Type;

pub(crate) struct Pav;

impl Rule for Pav {
    fn check(&self, args: &[&Type], ty: &Type) -> Result<(), String> {
        let [v, w] = operands(args)?;
        ensure_float(v)?;
        ensure(v == w, || format!("operands differ: {v} and {w}"))?;
        ensure(v.shape.rank() >= 1, || format!("{v} has no axis"))?;
        ensure_type(ty, v)
    }

    fn eval(&self, args: &[Operand], ty: &Type) -> Vec<f64> {
        let n = ty.shape.0.last().copied().unwrap_or(1).max(1);
        let rows = args[0].x.chunks_exact(n).zip(args[1].x.chunks_exact(n));
        rows.flat_map(|(v, w)| if is_regular(v, w) { isotonic(v, w) } else { vec![f64::NAN; n] }).collect()
    }

    fn differentiable(&self, _: usize) -> bool {
        false
    }
}

fn is_regular(v: &[f64], w: &[f64]) -> bool {
    v.iter().all(|v| v.is_finite()) && w.iter().all(|&w| w.is_finite() && w >= 0.0)
}

fn isotonic(v: &[f64], w: &[f64]) -> Vec<f64> {
    let n = v.len();
    let mut x = vec![f64::NEG_INFINITY; n];
    for j in 0..n {
        let mut means: Vec<f64> = Vec::with_capacity(n - j);
        let (mut weight, mut mean) = (0.0, 0.0);
        for k in j..n {
            weight += w[k];
            let share = if weight > 0.0 { w[k] / weight } else { 1.0 / (k - j + 1) as f64 };
            mean += share * (v[k] - mean);
            means.push(mean);
        }
        let mut least = f64::INFINITY;
        for i in (j..n).rev() {
            least = least.min(means[i - j]);
            x[i] = x[i].max(least);
        }
    }
    x
}
