//! Logarithmic barriers and entropies.

pub mod entropy;
pub mod kl_div;
pub mod neg_entropy;
pub mod neg_log;

use crate::tape::ops::{Binary, Unary};
use crate::tape::{Builder, Value};

/// `a · log`, which is 0 where `a` is, whatever the logarithm.
pub fn times_log(b: &mut Builder, a: Value, log: Value) -> Value {
    let product = b.mul(a, log);
    let zero = b.constant_like(0.0, product);
    b.select(a, product, zero)
}

/// The step of `Σ x log x − s x`, whose slope is `log x + 1 − s`: given `ℓ = s − 1`, the `x` with
/// `x + t(log x − ℓ) = v`. With `x = t eᵘ`:
///
/// ```text
/// u + eᵘ = c = v/t + ℓ − log t        x = t eᵘ = v + t(ℓ − log t − u)
/// ```
///
/// the latter where `u` is large. At `t = 0` it is the nearest point of `x ≥ 0`. Chaux et al., A variational
/// formulation for frame-based inverse problems (2007), who write it with Lambert's W.
pub fn step(b: &mut Builder, v: Value, t: Value, l: Value) -> Value {
    let log_t = b.unary(Unary::Log, t);
    let shift = b.sub(l, log_t);
    let scaled = b.div(v, t);
    let c = b.add(scaled, shift);
    let u = b.log_omega(c);
    let e = b.unary(Unary::Exp, u);
    let small = b.mul(t, e);
    let rest = b.sub(shift, u);
    let rest = b.mul(t, rest);
    let large = b.add(v, rest);
    let one = b.constant_like(1.0, u);
    let is_large = b.binary(Binary::Less, one, u);
    let x = b.select(is_large, large, small);
    let nearest = b.unary(Unary::Relu, v);
    b.select(t, x, nearest)
}
