//! The error function `erf x = (2/√π) ∫₀ˣ e^−s² ds`.
//!
//! For `|x| < 3` the value is Kummer's series `(2/√π) e^−x² Σ 2ⁿx²ⁿ⁺¹/(2n+1)!!`, all of whose terms
//! have one sign; beyond, 1 minus Laplace's continued fraction (Abramowitz & Stegun 7.1.6, 7.1.14).

use std::f64::consts::FRAC_2_SQRT_PI;

use super::Function;
use crate::tape::Unary;

pub(super) static ERF: Function = Function {
    name: "erf",
    formula: "erf x",
    eval: erf,
    chain: Some(|b, x, _, t| {
        let square = b.unary(Unary::Square, x);
        let exponent = b.neg(square);
        let bell = b.unary(Unary::Exp, exponent);
        let slope = b.scale(FRAC_2_SQRT_PI, bell);
        b.mul(slope, t)
    }),
    points: &[-6.0, -3.0, -1e-9, 0.0, 0.5, 2.999_99, 20.0],
    kinks: &[],
};

fn erf(x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    let a = x.abs();
    let value = if a < 3.0 { series(a) } else { 1.0 - tail(a) };
    value.copysign(x)
}

fn series(x: f64) -> f64 {
    let (mut term, mut sum, mut n) = (x, x, 0.0);
    while term > sum * f64::EPSILON * 0.25 {
        n += 1.0;
        term *= 2.0 * x * x / (2.0 * n + 1.0);
        sum += term;
    }
    FRAC_2_SQRT_PI * (-x * x).exp() * sum
}

/// `erfc x = e^−x²/√π · 1/(x + ½/(x + 1/(x + (3/2)/(x + …))))`; 60 levels leave less than EPS at 3.
fn tail(x: f64) -> f64 {
    let fraction = (1..=60).rev().fold(x, |below, k| x + 0.5 * f64::from(k) / below);
    FRAC_2_SQRT_PI / 2.0 * (-x * x).exp() / fraction
}

#[cfg(test)]
mod tests {
    use super::erf;

    /// Values to 16 digits, from the series in decimal arithmetic of 40 digits.
    #[test]
    fn tabled_values() {
        for (x, y) in [
            (0.5, 0.520_499_877_813_046_5),
            (1.0, 0.842_700_792_949_714_9),
            (2.0, 0.995_322_265_018_952_7),
            (3.5, 0.999_999_256_901_627_7),
            (-1.0, -0.842_700_792_949_714_9),
        ] {
            assert!((erf(x) - y).abs() < 4.0 * f64::EPSILON, "erf {x} = {}", erf(x));
        }
        assert_eq!((erf(f64::INFINITY), erf(1e-300)), (1.0, 1e-300 * std::f64::consts::FRAC_2_SQRT_PI));
    }
}
