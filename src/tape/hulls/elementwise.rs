//! Hulls of elementwise functions.

use super::{Hull, round};
use crate::tape::ir::{Binary, Dtype, Unary};

/// `f(x)`, computed in that type.
pub(super) fn unary(f: Unary, x: Hull, dtype: Dtype) -> Hull {
    let eval = f.function().eval;
    match f {
        Unary::Neg => Hull::new(-x.high, -x.low),
        Unary::Abs => {
            let (a, b) = (x.low.abs(), x.high.abs());
            Hull::new(if x.holds(0.0) { 0.0 } else { a.min(b) }, a.max(b))
        }
        Unary::Square => square(x),
        Unary::Recip => quotient(Hull::point(1.0), x),
        Unary::Sigmoid => Hull::new(sigmoid(x.low, dtype), sigmoid(x.high, dtype)),
        // Outside their domains there is no number that could be in the hull.
        Unary::Sqrt => Hull::new(x.low.max(0.0).sqrt(), x.high.max(0.0).sqrt()),
        Unary::Log => Hull::new(x.low.max(0.0).ln(), x.high.max(0.0).ln()),
        Unary::Log1p => Hull::new(x.low.max(-1.0).ln_1p(), x.high.max(-1.0).ln_1p()),
        Unary::Sign
        | Unary::Exp
        | Unary::Expm1
        | Unary::Tanh
        | Unary::Softplus
        | Unary::Relu
        | Unary::Step
        | Unary::Erf
        | Unary::Floor
        | Unary::Hold => Hull::new(eval(x.low), eval(x.high)),
        Unary::Sin | Unary::Cos => match x.low == x.high {
            true => Hull::point(eval(x.low)),
            false => Hull::new(-1.0, 1.0),
        },
        Unary::IsFinite => Hull::UNIT,
    }
}

/// As the devices compute it, `e = exp(−│x│)`, then `1/(1 + e)` or `e/(1 + e)`, each rounded: 1 from where
/// `1 + e` is, 24 log 2 in singles.
fn sigmoid(x: f64, dtype: Dtype) -> f64 {
    let e = round((-x.abs()).exp(), dtype);
    let top = if x < 0.0 { e } else { 1.0 };
    round(top / round(1.0 + e, dtype), dtype)
}

/// `x²`
pub(super) fn square(x: Hull) -> Hull {
    let size = unary(Unary::Abs, x, Dtype::F64);
    Hull::new(size.low * size.low, size.high * size.high)
}

/// `f(a, b)`
pub(super) fn binary(f: Binary, a: Hull, b: Hull) -> Hull {
    match f {
        Binary::Add => Hull::new(a.low + b.low, a.high + b.high),
        Binary::Sub => Hull::new(a.low - b.high, a.high - b.low),
        Binary::Mul => times(a, b),
        Binary::Div => quotient(a, b),
        Binary::Pow => power(a, b),
        Binary::Max => Hull::new(a.low.max(b.low), a.high.max(b.high)),
        Binary::Min => Hull::new(a.low.min(b.low), a.high.min(b.high)),
        Binary::Less | Binary::LessEqual | Binary::Equal => Hull::UNIT,
    }
}

/// `a b`
pub(super) fn times(a: Hull, b: Hull) -> Hull {
    corners(a, b, |x, y| if x == 0.0 || y == 0.0 { 0.0 } else { x * y })
}

fn quotient(a: Hull, b: Hull) -> Hull {
    match b {
        Hull { low, high } if low > 0.0 || high < 0.0 => corners(a, b, |x, y| if x == 0.0 { 0.0 } else { x / y }),
        // Down to 0 and not across it.
        Hull { low: 0.0, high } if high > 0.0 => {
            let far = |x: f64, toward: f64| if toward * x > 0.0 { toward * f64::INFINITY } else { x / high };
            Hull::new(far(a.low, -1.0), far(a.high, 1.0))
        }
        _ => Hull::ANY,
    }
}

/// `aᵇ` of a known exponent.
fn power(a: Hull, b: Hull) -> Hull {
    let p = b.low;
    let eval = |x: f64| x.powf(p);
    if b.low != b.high {
        return if a.low >= 0.0 { Hull::new(0.0, f64::INFINITY) } else { Hull::ANY };
    }
    if p.fract() == 0.0 && p % 2.0 == 0.0 {
        let size = unary(Unary::Abs, a, Dtype::F64);
        return rising(p, Hull::new(eval(size.low), eval(size.high)));
    }
    if a.low >= 0.0 || p.fract() == 0.0 && p > 0.0 {
        return rising(p, Hull::new(eval(a.low), eval(a.high)));
    }
    if p.fract() == 0.0 { Hull::ANY } else { rising(p, Hull::new(eval(0.0), eval(a.high.max(0.0)))) }
}

/// Ends the other way round where a power falls.
fn rising(p: f64, hull: Hull) -> Hull {
    if p < 0.0 { Hull::new(hull.high, hull.low) } else { hull }
}

/// From the least to the greatest of `f` at the corners.
fn corners(a: Hull, b: Hull, f: impl Fn(f64, f64) -> f64) -> Hull {
    let all = [f(a.low, b.low), f(a.low, b.high), f(a.high, b.low), f(a.high, b.high)];
    // ∞/∞: nothing is known.
    if all.iter().any(|x| x.is_nan()) {
        return Hull::ANY;
    }
    Hull::of(&all).unwrap_or(Hull::ANY)
}
