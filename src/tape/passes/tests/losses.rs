//! Losses as people write them, run in singles: values and slopes.

use super::super::{optimise, stabilise};
use super::{complement, exp, log, program, sigmoid, written_sigmoid};
use crate::exec::reference::{Rounding, interpret};
use crate::tape::{Builder, Dtype, Type, Unary, Value, gradient};

/// Runs the gradient of a sum of losses in singles, each function rounded correctly.
fn in_singles(build: impl FnOnce(&mut Builder, Value) -> Value, u: &[f64], stable: bool) -> (Vec<f64>, Vec<f64>) {
    let mut written = program(Dtype::F32, u.len(), build);
    if stable {
        written = stabilise(&written).0;
    }
    let mut b = Builder::new("gradient");
    let input = b.input("u", Type::new(Dtype::F32, [u.len()]));
    let losses = b.inline(&written, &[input])[0];
    let sum = b.sum(losses);
    let slopes = gradient(&mut b, sum, &[input])[0];
    b.output("losses", losses);
    b.output("slopes", slopes);
    let program = if stable { optimise(b.program()) } else { b.finish() };
    let mut values = interpret(&program, &[u.to_vec()], Rounding::Instructions);
    let [losses, slopes] = [0, 1].map(|i| std::mem::take(&mut values[program.outputs[i].value.index()]));
    (losses, slopes)
}

/// `log(1 + eˣ)` in doubles.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

type Build = fn(&mut Builder, Value) -> Value;

type Scalar = fn(f64) -> f64;

/// The naive losses of a discriminator, with their values and slopes.
fn losses() -> Vec<(&'static str, Build, Scalar, Scalar)> {
    let minus_softplus_of_minus: Scalar = |u| -softplus(-u);
    let minus_softplus: Scalar = |u| -softplus(u);
    let sigma: Scalar = |u| 1.0 / (1.0 + (-u).exp());
    vec![
        (
            "log(sigmoid(u))",
            |b, u| {
                let d = sigmoid(b, u);
                log(b, d)
            },
            minus_softplus_of_minus,
            |u| 1.0 / (1.0 + u.exp()),
        ),
        (
            "log(1 − sigmoid(u))",
            |b, u| {
                let d = sigmoid(b, u);
                let rest = complement(b, d);
                log(b, rest)
            },
            minus_softplus,
            |u| -1.0 / (1.0 + (-u).exp()),
        ),
        (
            "log(1 − 1/(1 + exp(−u)))",
            |b, u| {
                let d = written_sigmoid(b, u);
                let rest = complement(b, d);
                log(b, rest)
            },
            minus_softplus,
            |u| -1.0 / (1.0 + (-u).exp()),
        ),
        (
            "log(1 + exp(u))",
            |b, u| {
                let exp = exp(b, u);
                let sum = b.offset(exp, 1.0);
                log(b, sum)
            },
            softplus,
            sigma,
        ),
    ]
}

#[test]
fn naive_losses_hold_in_singles_to_ten_thousand() {
    let mut u: Vec<f64> = [0.0, 1e-6, 0.5, 3.0, 12.1, 14.7, 16.7, 43.7, 87.4, 88.8, 104.0, 709.0, 1e4].to_vec();
    u.extend(u.clone().iter().map(|u| -u));
    // Inputs are singles.
    u.iter_mut().for_each(|u| *u = f64::from(*u as f32));
    // Below this a single is 0 or has lost digits.
    let smallest = f64::from(f32::MIN_POSITIVE);
    let close = |x: f64, y: f64| (x - y).abs() <= 4.0 * f64::from(f32::EPSILON) * y.abs() + smallest;
    for (name, build, value, slope) in losses() {
        let (values, slopes) = in_singles(build, &u, true);
        for (i, &u) in u.iter().enumerate() {
            assert!(close(values[i], value(u)), "{name} at {u} is {}, not {}", values[i], value(u));
            assert!(close(slopes[i], slope(u)), "{name}′ at {u} is {}, not {}", slopes[i], slope(u));
        }
        let (values, slopes) = in_singles(build, &u, false);
        assert!(values.iter().chain(&slopes).any(|x| !x.is_finite()), "{name} fails as written");
    }
}

#[test]
fn the_slope_of_softplus_at_zero_is_a_half() {
    let branches: Build = |b, u| {
        let magnitude = b.unary(Unary::Abs, u);
        let minus = b.neg(magnitude);
        let exp = exp(b, minus);
        let sum = b.offset(exp, 1.0);
        let tail = log(b, sum);
        let positive = b.unary(Unary::Relu, u);
        b.add(positive, tail)
    };
    assert_eq!(in_singles(branches, &[0.0], true), (vec![f64::from(2f32.ln())], vec![0.5]));
    assert_eq!(in_singles(branches, &[0.0], false).1, [0.0], "differentiating the branches gives this");
}

#[test]
fn norms_have_slope_zero_at_zero_and_do_not_overflow() {
    let norm: Build = |b, u| {
        let sum = b.sum_squares(u);
        b.unary(Unary::Sqrt, sum)
    };
    assert_eq!(in_singles(norm, &[0.0, 0.0], true), (vec![0.0], vec![0.0, 0.0]));
    let large = f64::from(3e30f32);
    assert_eq!(in_singles(norm, &[large, 0.0], true), (vec![large], vec![1.0, 0.0]));
    assert_eq!(in_singles(norm, &[large, 0.0], false).0, [f64::INFINITY]);
}
