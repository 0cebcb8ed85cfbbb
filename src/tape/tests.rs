//! Derivatives of whole programs: networks out of one flat vector, Hessians, and what is not computed.

use expect_test::expect;

use super::ops::Range;
use super::passes::optimise;
use super::philox::{Stream, key};
use super::{Builder, Dtype, Op, Program, Type, Unary, Value, gradient, jvp, verify, vjp};
use crate::exec::reference::{Rounding, gradcheck, interpret};

const F: Dtype = Dtype::F64;

fn range(start: usize, len: usize, step: usize) -> Range {
    Range { start, len, step }
}

fn normals(seed: u64, n: usize) -> Vec<f64> {
    let stream = Stream::new(key(seed), 0);
    (0..n as u64).map(|j| stream.normal(0, j, F)).collect()
}

/// A dense layer whose weight `[out, in]` and bias lie at `start` of the flat vector.
fn dense(b: &mut Builder, theta: Value, start: usize, x: Value, outputs: usize) -> Value {
    let inputs = b.shape(x).0[1];
    let weight = b.segment(theta, start, inputs * outputs);
    let weight = b.reshape(weight, [outputs, inputs]);
    let bias = b.segment(theta, start + inputs * outputs, outputs);
    let product = b.matmul(x, weight, false, true);
    let shape = b.shape(product).clone();
    let bias = b.broadcast(bias, vec![1], shape);
    b.add(product, bias)
}

/// `½ Σ (net(x; θ))²` of a 2-3-1 tanh network on 4 points, applied to `x` and again to `2x`; θ has two
/// numbers more than the network uses.
fn network() -> (Builder, Value, [Value; 2]) {
    let mut b = Builder::new("network");
    let theta = b.input("theta", Type::new(F, [15]));
    let x = b.input("x", Type::new(F, [4, 2]));
    let apply = |b: &mut Builder, x: Value| {
        let hidden = dense(b, theta, 1, x, 3);
        let hidden = b.unary(Unary::Tanh, hidden);
        dense(b, theta, 10, hidden, 1)
    };
    let first = apply(&mut b, x);
    let twice = b.scale(2.0, x);
    let second = apply(&mut b, twice);
    let sum = b.add(first, second);
    let squares = b.sum_squares(sum);
    let loss = b.scale(0.5, squares);
    (b, loss, [theta, x])
}

#[test]
fn gradients_of_a_network_are_those_of_differences() {
    let (mut b, loss, [theta, x]) = network();
    let gradients = gradient(&mut b, loss, &[theta, x]);
    b.output("loss", loss);
    b.output("by theta", gradients[0]);
    b.output("by x", gradients[1]);
    let program = b.finish();
    verify(&program).expect("a gradient is well formed");
    let at = [normals(1, 15), normals(2, 8)];
    // The loss, and its gradient: second derivatives.
    for output in 0..3 {
        for comparison in gradcheck(&program, output, &at, 3) {
            assert!(comparison.agrees() && comparison.tolerance < 1e-4, "output {output}: {comparison:?}");
        }
    }
}

#[test]
fn slices_of_one_vector_give_one_concat() {
    let (mut b, loss, [theta, _]) = network();
    let by_theta = gradient(&mut b, loss, &[theta])[0];
    let is_concat = matches!(b.program().insts[by_theta.index()].op, Op::Concat { axis: 0 });
    assert!(is_concat, "{}", b.program());
    assert!(!b.program().insts.iter().any(|inst| matches!(inst.op, Op::Unslice(_))), "{}", b.program());
}

#[test]
fn a_small_gradient_in_full() {
    let mut b = Builder::new("layer");
    let theta = b.input("theta", Type::new(F, [8]));
    let x = b.input("x", Type::new(F, [5, 2]));
    let y = dense(&mut b, theta, 0, x, 2);
    let y = b.unary(Unary::Sigmoid, y);
    let loss = b.sum(y);
    let by_theta = gradient(&mut b, loss, &[theta])[0];
    b.output("loss", loss);
    b.output("gradient", by_theta);
    expect![[r#"
        program layer(%0 theta: f64[8], %1 x: f64[5, 2]) {
          %2: f64[4] = slice %0 [0:4]
          %3: f64[2, 2] = reshape %2
          %4: f64[2] = slice %0 [4:6]
          %5: f64[5, 2] = matmul %1, %3'
          %6: f64[5, 2] = broadcast %4 along [1]
          %7: f64[5, 2] = add %5, %6
          %8: f64[5, 2] = sigmoid %7
          %9: f64 = sum %8 over [0, 1]
          %10: f64[5, 2] = neg %7
          %11: f64[5, 2] = sigmoid %10
          %12: f64[5, 2] = mul %8, %11
          %13: f64[2] = sum %12 over [0]
          %14: f64[2, 2] = matmul %12', %1
          %15: f64[4] = reshape %14
          %16: f64 = const 0.0
          %17: f64[2] = broadcast %16 along []
          %18: f64[8] = concat %15, %13, %17 along 0
          return loss = %9, gradient = %18
        }
    "#]]
    .assert_eq(&optimise(b.program()).to_string());
}

#[test]
fn a_hessian_is_symmetric_and_its_products_agree() {
    let (mut b, loss, [theta, _]) = network();
    let direction = b.input("direction", Type::new(F, [15]));
    let by_theta = gradient(&mut b, loss, &[theta])[0];
    let forward_over_reverse = jvp(&mut b, by_theta, &[theta], &[direction]);
    let reverse_over_reverse = vjp(&mut b, by_theta, direction, &[theta])[0];
    let slope = jvp(&mut b, loss, &[theta], &[direction]);
    let reverse_over_forward = gradient(&mut b, slope, &[theta])[0];
    let values = interpret(b.program(), &[normals(1, 15), normals(2, 8), normals(3, 15)], Rounding::Outputs);
    let [a, b, c] = [forward_over_reverse, reverse_over_reverse, reverse_over_forward].map(|v| &values[v.index()]);
    let scale = a.iter().fold(0.0f64, |most, x| most.max(x.abs()));
    for i in 0..15 {
        assert!((a[i] - b[i]).abs().max((a[i] - c[i]).abs()) < 1e-13 * scale, "{} {} {}", a[i], b[i], c[i]);
    }
    assert!(scale > 1e-3 && a[0] == 0.0 && a[14] == 0.0, "the numbers that the network does not use: {a:?}");
}

#[test]
fn nothing_is_computed_for_what_no_wrt_reaches() {
    let mut b = Builder::new("p");
    let [x, y, z] = ["x", "y", "z"].map(|name| b.input(name, Type::new(F, [3])));
    let held = b.unary(Unary::Hold, y);
    let product = b.mul(x, held);
    let sine = b.unary(Unary::Sin, y);
    let sum = b.add(product, sine);
    let loss = b.sum(sum);
    let before = b.program().insts.len();
    let gradients = gradient(&mut b, loss, &[x, z]);
    // The seed, its repetition, the product; and zeros for z.
    expect![[r#"
        f64 = const 1.0
        f64[3] = broadcast %8 along []
        f64[3] = mul %3, %9
        f64 = const 0.0
        f64[3] = broadcast %11 along []
    "#]]
    .assert_eq(&b.program().insts[before..].iter().map(|inst| format!("{inst}\n")).collect::<String>());
    let tangent = jvp(&mut b, loss, &[z], &[x]);
    let by_y = gradient(&mut b, loss, &[y])[0];
    let values = interpret(b.program(), &[vec![2.0; 3], vec![0.0; 3], vec![7.0; 3]], Rounding::Outputs);
    assert_eq!(values[gradients[1].index()], [0.0; 3]);
    assert_eq!(values[tangent.index()], [0.0]);
    assert_eq!(values[by_y.index()], [1.0; 3], "the held factor adds nothing");
}

#[test]
fn wrt_may_be_a_value_on_the_way() {
    let mut b = Builder::new("p");
    let x = b.input("x", Type::new(F, []));
    let square = b.unary(Unary::Square, x);
    let y = b.mul(square, x);
    let gradients = gradient(&mut b, y, &[x, square, y]);
    let values = interpret(b.program(), &[vec![3.0]], Rounding::Outputs);
    let gradients: Vec<f64> = gradients.iter().map(|g| values[g.index()][0]).collect();
    assert_eq!(gradients, [27.0, 3.0, 1.0]);
}

#[test]
fn overlapping_and_strided_slices() {
    let program = |build: fn(&mut Builder, Value) -> Vec<Value>| -> Program {
        let mut b = Builder::new("p");
        let x = b.input("x", Type::new(F, [3, 4]));
        let parts = build(&mut b, x);
        let weighted: Vec<Value> = parts.iter().map(|&part| b.sum_squares(part)).collect();
        let loss = weighted.into_iter().reduce(|sum, part| b.mul(sum, part)).expect("there are parts");
        b.output("loss", loss);
        b.finish()
    };
    let programs = [
        program(|b, x| {
            vec![
                b.slice(x, vec![range(0, 2, 1), range(0, 4, 1)]),
                b.slice(x, vec![range(1, 2, 1), range(0, 4, 1)]),
                b.slice(x, vec![range(0, 1, 1), range(0, 4, 1)]),
            ]
        }),
        program(|b, x| {
            vec![
                b.slice(x, vec![range(0, 2, 2), range(0, 4, 1)]),
                b.slice(x, vec![range(0, 3, 1), range(1, 2, 1)]),
                b.slice(x, vec![range(0, 3, 1), range(3, 1, 1)]),
                b.slice(x, vec![range(1, 1, 1), range(2, 2, 1)]),
                x,
            ]
        }),
    ];
    for program in programs {
        for comparison in gradcheck(&program, 0, &[normals(4, 12)], 1) {
            assert!(comparison.agrees() && comparison.tolerance < 1e-2, "{comparison:?}\n{program}");
        }
    }
}

#[test]
fn activations_are_smooth_where_they_should_be_and_finite_everywhere() {
    type Activation = fn(&mut Builder, Value) -> Value;
    let activations: [(&str, Activation, [f64; 3]); 12] = [
        ("leaky_relu", |b, x| b.leaky_relu(x, 0.2), [-0.4, 0.0, 3.0]),
        ("elu", |b, x| b.elu(x, 1.0), [(-2f64).exp_m1(), 0.0, 3.0]),
        ("selu", |b, x| b.selu(x), [-1.520_166_468_595_695, 0.0, 3.152_102_962_066_441_5]),
        ("gelu", |b, x| b.gelu(x), [-0.045_500_263_896_358_4, 0.0, 2.995_950_305_905_11]),
        ("gelu_tanh", |b, x| b.gelu_tanh(x), [-0.045_402_305_912_224_3, 0.0, 2.996_362_607_918_227]),
        ("silu", |b, x| b.silu(x), [-0.238_405_844_044_235_1, 0.0, 2.857_722_380_467_299_8]),
        ("mish", |b, x| b.mish(x), [-0.252_501_482_695_708_9, 0.0, 2.986_535_004_967_957_5]),
        ("softsign", |b, x| b.softsign(x), [-2.0 / 3.0, 0.0, 0.75]),
        ("hard_tanh", |b, x| b.hard_tanh(x), [-1.0, 0.0, 1.0]),
        ("hard_sigmoid", |b, x| b.hard_sigmoid(x), [1.0 / 6.0, 0.5, 1.0]),
        ("hard_swish", |b, x| b.hard_swish(x), [-1.0 / 3.0, 0.0, 3.0]),
        (
            "softmax",
            |b, x| b.softmax(x, 0),
            [0.006_377_460_922_442_3, 0.047_123_416_524_664_1, 0.946_499_122_552_893_5],
        ),
    ];
    for (name, activation, expected) in activations {
        let mut b = Builder::new(name);
        let x = b.input("x", Type::new(F, [3]));
        let y = activation(&mut b, x);
        b.output("y", y);
        let sum = b.sum(y);
        let slope = gradient(&mut b, sum, &[x])[0];
        let program = b.finish();
        let run = |x: [f64; 3]| {
            let mut values = interpret(&program, &[x.to_vec()], Rounding::Outputs);
            [y, slope].map(|v| std::mem::take(&mut values[v.index()]))
        };
        let [y, _] = run([-2.0, 0.0, 3.0]);
        for (y, expected) in y.iter().zip(expected) {
            assert!((y - expected).abs() < 1e-8, "{name}: {y}, not {expected}");
        }
        for comparison in gradcheck(&program, 0, &[vec![-2.0, 0.3, 1.7]], 1) {
            assert!(comparison.agrees() && comparison.tolerance < 1e-8, "{name}: {comparison:?}");
        }
        assert!(run([-1e4, 1e4, 0.0]).iter().flatten().all(|x| x.is_finite()), "{name} in the tails");
        assert!(run([f64::NAN, 0.0, 0.0])[0][0].is_nan(), "{name} of NaN");
    }
}
