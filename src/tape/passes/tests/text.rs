//! What the passes make of small programs, as text.

use expect_test::{Expect, expect};

use super::super::{optimise, stabilise};
use super::{complement, exp, log, program, sigmoid, written_sigmoid, written_softmax};
use crate::tape::{Binary, Builder, Dtype, Unary, Value};

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
