//! The proximal step of total variation along the last axis, operands `v` and a number `t ≥ 0`: the `x`
//! that minimises `½‖x − v‖² + t Σ│xᵢ₊₁ − xᵢ│`. With `r` the running sums of `v`, `x` is the slopes of the
//! shortest string from `(0, 0)` to `(n, rₙ)` that stays within `t` of `r` (Davies & Kovac, Local
//! extremes, runs, strings and multiresolution, 2001, §3).
//!
//! The string runs straight until no straight line from its last knot stays inside; then it has a knot
//! where it touched the side that it would have left. Here every next knot is searched afresh.
//!
//! A row with an element that is not finite is NaN throughout, and so is everything where `t` is NaN or
//! below 0. Not differentiable here: a derivative is NaN.

use super::rule::{Operand, Rule, ensure, ensure_float, ensure_type, operands};
use crate::tape::{Shape, Type};

pub(crate) struct TautString;

impl Rule for TautString {
    fn check(&self, args: &[&Type], ty: &Type) -> Result<(), String> {
        let [v, t] = operands(args)?;
        ensure_float(v)?;
        ensure(v.shape.rank() >= 1, || format!("{v} has no axis"))?;
        ensure_type(t, &Type { dtype: v.dtype, shape: Shape::scalar() })?;
        ensure_type(ty, v)
    }

    fn eval(&self, args: &[Operand], ty: &Type) -> Vec<f64> {
        let (n, t) = (ty.shape.0.last().copied().unwrap_or(1).max(1), args[1].x[0]);
        let regular = |v: &[f64]| t >= 0.0 && v.iter().all(|v| v.is_finite());
        args[0].x.chunks_exact(n).flat_map(|v| if regular(v) { string(v, t) } else { vec![f64::NAN; n] }).collect()
    }

    fn differentiable(&self, _: usize) -> bool {
        false
    }
}

fn string(v: &[f64], t: f64) -> Vec<f64> {
    let n = v.len();
    // Beyond this the string is straight.
    let t = t.min(v.iter().map(|x| x.abs()).sum());
    let mut x = vec![0.0; n];
    // The last knot, and how far above `r` the string is there.
    let (mut start, mut above) = (0, 0.0);
    while start < n {
        let (mut end, mut slope, mut next) = (n, f64::NAN, 0.0);
        // The flattest line to the upper side and the steepest to the lower, and where they touch it.
        let (mut upper, mut lower) = ((f64::INFINITY, n), (f64::NEG_INFINITY, n));
        let mut sum = 0.0;
        for at in start + 1..=n {
            sum += v[at - 1];
            let side = if at < n { t } else { 0.0 };
            let length = (at - start) as f64;
            let (to_upper, to_lower) = ((sum - above + side) / length, (sum - above - side) / length);
            if to_upper < lower.0 {
                (slope, end, next) = (lower.0, lower.1, -t);
                break;
            }
            if to_lower > upper.0 {
                (slope, end, next) = (upper.0, upper.1, t);
                break;
            }
            if to_upper <= upper.0 {
                upper = (to_upper, at);
            }
            if to_lower >= lower.0 {
                lower = (to_lower, at);
            }
            if at == n {
                slope = to_upper;
            }
        }
        x[start..end].fill(slope);
        (start, above) = (end, next);
    }
    x
}
