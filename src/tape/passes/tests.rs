//! The passes on programs small enough to read, the written losses in singles, and random programs.

use expect_test::{Expect, expect};

use super::{optimise, stabilise};
use crate::exec::reference::{Rounding, interpret};
use crate::tape::ops::{Range, Reducer};
use crate::tape::philox::{Stream, key};
use crate::tape::{Binary, Builder, Dtype, Program, Shape, Type, Unary, Value, gradient, jvp, verify, vjp};

/// A program of one vector `u`.
fn program(dtype: Dtype, n: usize, build: impl FnOnce(&mut Builder, Value) -> Value) -> Program {
    let mut b = Builder::new("p");
    let u = b.input("u", Type::new(dtype, [n]));
    let y = build(&mut b, u);
    b.output("y", y);
    let program = b.finish();
    verify(&program).expect("the program is well formed");
    program
}

/// `log`, `sigmoid`, … in few letters.
fn log(b: &mut Builder, x: Value) -> Value {
    b.unary(Unary::Log, x)
}

fn exp(b: &mut Builder, x: Value) -> Value {
    b.unary(Unary::Exp, x)
}

fn sigmoid(b: &mut Builder, x: Value) -> Value {
    b.unary(Unary::Sigmoid, x)
}

/// `1 − x`
fn complement(b: &mut Builder, x: Value) -> Value {
    let one = b.constant(1.0, b.dtype(x));
    b.sub(one, x)
}

/// `1/(1 + exp(−u))`
fn written_sigmoid(b: &mut Builder, u: Value) -> Value {
    let minus = b.neg(u);
    let exp = exp(b, minus);
    let sum = b.offset(exp, 1.0);
    let one = b.constant(1.0, b.dtype(u));
    b.div(one, sum)
}

/// `exp(u)/Σ exp(u)`, with `exp(u)` written twice.
fn written_softmax(b: &mut Builder, u: Value) -> Value {
    let (above, below) = (exp(b, u), exp(b, u));
    let sum = b.sum(below);
    b.div(above, sum)
}

fn stable_text(expected: Expect, build: impl FnOnce(&mut Builder, Value) -> Value) {
    let (stable, rewrites) = stabilise(&program(Dtype::F32, 3, build));
    let rules: String = rewrites.iter().map(|rewrite| format!("{}\n", rewrite.rule)).collect();
    expected.assert_eq(&format!("{rules}{}", optimise(&stable)));
}

#[test]
fn written_losses_become_softplus() {
    stable_text(
        expect![[r#"
        log(sigmoid(u)) → −softplus(−u)
        program p(%0 u: f32[3]) {
          %1: f32[3] = neg %0
          %2: f32[3] = softplus %1
          %3: f32[3] = neg %2
          return y = %3
        }
    "#]],
        |b, u| {
            let d = sigmoid(b, u);
            log(b, d)
        },
    );
    stable_text(
        expect![[r#"
        1/(1 + exp(−u)) → sigmoid(u)
        1 − sigmoid(u) → sigmoid(−u)
        log(sigmoid(u)) → −softplus(−u)
        program p(%0 u: f32[3]) {
          %1: f32[3] = softplus %0
          return y = %1
        }
    "#]],
        |b, u| {
            let d = written_sigmoid(b, u);
            let loss = complement(b, d);
            let loss = log(b, loss);
            b.neg(loss)
        },
    );
    stable_text(
        expect![[r#"
        log(sigmoid(u)) → −softplus(−u)
        program p(%0 u: f32[3]) {
          %1: f32[2] = slice %0 [0:2]
          %2: f32[2] = neg %1
          %3: f32[2] = softplus %2
          %4: f32[2] = neg %3
          return y = %4
        }
    "#]],
        |b, u| {
            // The output of a network is a column, and the real half of a batch is cut out of it.
            let column = b.reshape(u, [3, 1]);
            let d = sigmoid(b, column);
            let d = b.reshape(d, [3]);
            let real = b.segment(d, 0, 2);
            log(b, real)
        },
    );
    stable_text(
        expect![[r#"
        log(1 + exp(u)) → softplus(u)
        program p(%0 u: f32[3]) {
          %1: f32[3] = softplus %0
          return y = %1
        }
    "#]],
        |b, u| {
            let exp = exp(b, u);
            let sum = b.offset(exp, 1.0);
            log(b, sum)
        },
    );
    stable_text(
        expect![[r#"
        log(1 + exp(u)) → softplus(u)
        max(u, 0) + log(1 + exp(−abs(u))) → softplus(u)
        program p(%0 u: f32[3]) {
          %1: f32[3] = softplus %0
          return y = %1
        }
    "#]],
        |b, u| {
            let magnitude = b.unary(Unary::Abs, u);
            let minus = b.neg(magnitude);
            let exp = exp(b, minus);
            let tail = b.unary(Unary::Log1p, exp);
            let zero = b.constant_like(0.0, u);
            let positive = b.binary(Binary::Max, u, zero);
            b.add(positive, tail)
        },
    );
}

#[test]
fn sums_of_exponentials_and_of_squares() {
    stable_text(
        expect![[r#"
            exp(u)/sum(exp(u)) → exp(u − logsumexp(u))
            log(exp(u)) → u
            program p(%0 u: f32[3]) {
              %1: f32 = logsumexp %0 over [0]
              %2: f32[3] = broadcast %1 along []
              %3: f32[3] = sub %0, %2
              return y = %3
            }
        "#]],
        |b, u| {
            let softmax = written_softmax(b, u);
            log(b, softmax)
        },
    );
    stable_text(
        expect![[r#"
            sqrt(sum_squares(u)) → norm2(u)
            norm2(u)² → sum_squares(u)
            program p(%0 u: f32[3]) {
              %1: f32 = norm2 %0 over [0]
              %2: f32[3] = square %0
              %3: f32 = sum %2 over [0]
              %4: f32 = add %1, %3
              return y = %4
            }
        "#]],
        |b, u| {
            let sum = b.sum_squares(u);
            let norm = b.unary(Unary::Sqrt, sum);
            let square = b.unary(Unary::Square, norm);
            b.add(norm, square)
        },
    );
}

#[test]
fn cancellations() {
    stable_text(
        expect![[r#"
        exp(u) − 1 → expm1(u)
        log(1 + u) → log1p(u)
        1 − tanh(u)² → 4·sigmoid(2u)·sigmoid(−2u)
        program p(%0 u: f32[3]) {
          %1: f32[3] = expm1 %0
          %2: f32[3] = log1p %0
          %3: f32 = const 2.0
          %4: f32[3] = broadcast %3 along []
          %5: f32[3] = mul %4, %0
          %6: f32[3] = neg %5
          %7: f32[3] = sigmoid %5
          %8: f32[3] = sigmoid %6
          %9: f32[3] = mul %7, %8
          %10: f32 = const 4.0
          %11: f32[3] = broadcast %10 along []
          %12: f32[3] = mul %11, %9
          %13: f32[3] = add %1, %2
          %14: f32[3] = add %13, %12
          return y = %14
        }
    "#]],
        |b, u| {
            let exp = exp(b, u);
            let difference = b.offset(exp, -1.0);
            let log_of_sum = b.offset(u, 1.0);
            let log_of_sum = log(b, log_of_sum);
            let tanh = b.unary(Unary::Tanh, u);
            let two = b.constant(2.0, Dtype::F32);
            let square = b.binary(Binary::Pow, tanh, two);
            let slope = complement(b, square);
            let sum = b.add(difference, log_of_sum);
            b.add(sum, slope)
        },
    );
}

#[test]
fn a_guard_is_kept() {
    stable_text(
        expect![[r#"
        1 − sigmoid(u) → sigmoid(−u)
        program p(%0 u: f32[3]) {
          %1: f32[3] = neg %0
          %2: f32[3] = sigmoid %1
          %3: f32 = const 1e-8
          %4: f32[3] = broadcast %3 along []
          %5: f32[3] = add %2, %4
          %6: f32[3] = log %5
          return y = %6
        }
    "#]],
        |b, u| {
            let d = sigmoid(b, u);
            let rest = complement(b, d);
            let guarded = b.offset(rest, 1e-8);
            log(b, guarded)
        },
    );
}

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

#[test]
fn identities() {
    let optimised = |expected: Expect, build: fn(&mut Builder, Value) -> Value| {
        expected.assert_eq(&optimise(&program(Dtype::F64, 6, build)).to_string());
    };
    optimised(
        expect![[r#"
        program p(%0 u: f64[6]) {
          return y = %0
        }
    "#]],
        |b, u| {
            let y = b.scale(1.0, u);
            let y = b.offset(y, -0.0);
            let y = b.neg(y);
            b.scale(-1.0, y)
        },
    );
    // −0 + 0 is 0, so the first sum stays; a square is never −0, so the second goes.
    optimised(
        expect![[r#"
        program p(%0 u: f64[6]) {
          %1: f64 = const 0.0
          %2: f64[6] = broadcast %1 along []
          %3: f64[6] = add %0, %2
          %4: f64[6] = square %3
          return y = %4
        }
    "#]],
        |b, u| {
            let y = b.offset(u, 0.0);
            let y = b.mul(y, y);
            b.offset(y, 0.0)
        },
    );
    // (u + 1e-8) + 1 stays as it is written; 0.5·3 is one number.
    optimised(
        expect![[r#"
        program p(%0 u: f64[6]) {
          %1: f64 = const 1e-8
          %2: f64[6] = broadcast %1 along []
          %3: f64[6] = add %0, %2
          %4: f64 = const 1.0
          %5: f64[6] = broadcast %4 along []
          %6: f64[6] = add %3, %5
          %7: f64 = const 1.5
          %8: f64[6] = broadcast %7 along []
          %9: f64[6] = mul %8, %6
          return y = %9
        }
    "#]],
        |b, u| {
            let y = b.offset(u, 1e-8);
            let y = b.offset(y, 1.0);
            let half = b.constant(0.5, Dtype::F64);
            let half = b.scale(3.0, half);
            b.mul(half, y)
        },
    );
    optimised(
        expect![[r#"
        program p(%0 u: f64[6]) {
          %1: f64[2, 3] = reshape %0
          %2: f64[3, 3] = matmul %1', %1
          %3: f64[2, 3] = matmul %1, %2
          %4: f64[6] = reshape %3
          return y = %4
        }
    "#]],
        |b, u| {
            let m = b.reshape(u, [2, 3]);
            let left = b.transpose(m);
            let gram = b.matmul(left, m, false, false);
            let gram = b.transpose(gram);
            let back = b.transpose(left);
            let y = b.matmul(back, gram, false, false);
            b.reshape(y, [6])
        },
    );
    optimised(
        expect![[r#"
        program p(%0 u: f64[6]) {
          %1: f64[2] = slice %0 [4:6]
          %2: f64[8] = concat %1, %0 along 0
          return y = %2
        }
    "#]],
        |b, u| {
            let (first, second) = (b.segment(u, 0, 2), b.segment(u, 2, 4));
            let doubled = b.scale(2.0, first);
            let joined = b.concat(vec![doubled, first, second], 0);
            let tail = b.segment(joined, 2, 6);
            let end = b.segment(tail, 4, 2);
            b.concat(vec![end, tail], 0)
        },
    );
}

#[test]
fn optimised_programs_compute_the_same() {
    for seed in 0..400 {
        let program = random_program(seed);
        verify(&program).unwrap_or_else(|error| panic!("{error}\n{program}"));
        let optimised = optimise(&program);
        let stream = Stream::new(key(seed), 1);
        let inputs: Vec<Vec<f64>> = (0..program.inputs.len())
            .map(|i| (0..6).map(|j| stream.normal(i as u32, j, Dtype::F64)).collect())
            .collect();
        let [before, after] = [&program, &optimised].map(|program| {
            let values = interpret(program, &inputs, Rounding::Outputs);
            let outputs: Vec<Vec<f64>> =
                program.outputs.iter().map(|output| values[output.value.index()].clone()).collect();
            outputs
        });
        let same = |(a, b): (&f64, &f64)| a == b || a.is_nan() && b.is_nan();
        let agree = before.iter().zip(&after).all(|(a, b)| a.len() == b.len() && a.iter().zip(b).all(same));
        assert!(agree, "seed {seed}:\n{program}{optimised}{before:?}\n{after:?}");
        assert_eq!(optimise(&optimised).to_string(), optimised.to_string(), "nothing is left to do for seed {seed}");
    }
}

#[test]
fn forward_mode_is_reverse_mode_transposed() {
    let mut compared = 0;
    for seed in 0..200 {
        let program = random_program(seed);
        let mut b = Builder::new("both");
        let ty = Type::new(Dtype::F64, [2, 3]);
        let [x, y, direction] = ["a", "b", "direction"].map(|name| b.input(name, ty.clone()));
        let results = b.inline(&program, &[x, y]);
        let cotangents: Vec<Value> = results.iter().map(|&z| b.constant_like(0.5, z)).collect();
        for (&z, &cotangent) in results.iter().zip(&cotangents) {
            let forward = jvp(&mut b, z, &[x, y], &[direction, direction]);
            let forward = b.dot(cotangent, forward);
            let reverse = vjp(&mut b, z, cotangent, &[x, y]);
            let reverse = reverse.into_iter().map(|part| b.dot(part, direction)).collect::<Vec<_>>();
            let reverse = b.add(reverse[0], reverse[1]);
            verify(b.program()).unwrap_or_else(|error| panic!("{error}\n{}", b.program()));
            let stream = Stream::new(key(seed), 1);
            let inputs = [0, 1, 2].map(|i| (0..6).map(|j| stream.normal(i, j, Dtype::F64)).collect::<Vec<f64>>());
            let values = interpret(b.program(), &inputs, Rounding::Outputs);
            let [forward, reverse] = [forward, reverse].map(|v| values[v.index()][0]);
            // Where a slope is not finite, the zeros that meet it differ between the modes.
            let close = (forward - reverse).abs() <= 1e-9 * (forward.abs() + reverse.abs()) + 1e-12;
            let finite = forward.is_finite() && reverse.is_finite();
            assert!(close || !finite, "seed {seed}: {forward} {reverse}\n{program}");
            compared += usize::from(finite && forward != 0.0);
        }
    }
    assert!(compared > 100, "only {compared} derivatives were finite and not zero");
}

/// A program of thirty instructions on small tensors, many of them of the kinds that passes look at.
fn random_program(seed: u64) -> Program {
    let stream = Stream::new(key(seed), 0);
    let mut drawn = 0;
    let mut pick = |n: usize| {
        drawn += 1;
        stream.word(0, drawn) as usize % n
    };
    let mut b = Builder::new("random");
    let mut values: Vec<Value> = ["a", "b"].map(|name| b.input(name, Type::new(Dtype::F64, [2, 3]))).to_vec();
    values.push(b.constant(1.0, Dtype::F64));
    for _ in 0..30 {
        let x = values[pick(values.len())];
        let shape = b.shape(x).clone();
        let same: Vec<Value> =
            values.iter().copied().filter(|&y| *b.shape(y) == shape || b.shape(y).is_scalar()).collect();
        let y = same[pick(same.len())];
        let value = match pick(16) {
            0 | 1 => b.unary(Unary::ALL[pick(Unary::ALL.len())], x),
            2 => b.neg(x),
            3 => b.scale([1.0, -1.0, 0.5][pick(3)], x),
            4 => b.offset(x, [0.0, -0.0, 1.0][pick(3)]),
            5..=7 => b.binary(Binary::ALL[pick(Binary::ALL.len())], x, y),
            8 => b.select(y, x, y),
            9 if shape.numel() == 6 => b.reshape(x, [[6, 1], [2, 3], [3, 2]][pick(3)]),
            10 if shape.rank() == 2 => b.transpose(x),
            11 if shape.rank() == 2 => {
                let whole = |len| Range { start: 0, len, step: 1 };
                let cut = |len: usize, drop: usize| {
                    if drop < len { Range { start: drop, len: len - drop, step: 1 } } else { whole(len) }
                };
                let ranges = vec![cut(shape.0[0], pick(2)), cut(shape.0[1], pick(2))];
                b.slice(x, ranges)
            }
            12 if shape.rank() == 2 => b.concat(vec![x, y].into_iter().filter(|&y| *b.shape(y) == shape).collect(), 1),
            13 if !shape.is_scalar() => {
                let reducers = [Reducer::Sum, Reducer::Max, Reducer::Min, Reducer::LogSumExp, Reducer::Norm2];
                b.reduce(reducers[pick(5)], x, vec![pick(shape.rank())])
            }
            14 if shape.rank() == 1 => b.broadcast(x, vec![1], Shape::matrix(2, shape.0[0])),
            15 if shape.rank() == 2 => {
                let (ta, tb) = (pick(2) == 1, pick(2) == 1);
                if ta != tb { b.matmul(x, x, ta, tb) } else { b.unary(Unary::Square, x) }
            }
            _ => b.sum(x),
        };
        if b.shape(value).numel() <= 64 {
            values.push(value);
        }
    }
    for (i, value) in values.into_iter().rev().take(4).enumerate() {
        b.output(format!("y{i}"), value);
    }
    b.finish()
}
