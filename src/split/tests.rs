//! Forms are read off programs: every spelling of a quadratic gives the same `P` and `p`, and what a
//! program computes is what its form computes.

use super::foreseen;
use super::forms::{self, Form, Known, Quadratic};
use crate::exec::{Executor, Reference};
use crate::tape::ops::{Range, Reducer};
use crate::tape::philox::Stream;
use crate::tape::{Binary, Builder, Dtype, Tensor, Type, Unary, Value};

const N: usize = 4;

fn matrix(seed: u32, n: usize) -> Vec<f64> {
    let stream = Stream::new([seed, 7], 1);
    (0..n).map(|j| stream.normal(0, j as u64, Dtype::F64)).collect()
}

/// The quadratic form of a scalar function of `z: [4]`.
fn quadratic(write: impl Fn(&mut Builder, Value) -> Value) -> Quadratic {
    let mut b = Builder::new("h");
    let z = b.input("z", Type::new(Dtype::F64, [N]));
    let h = write(&mut b, z);
    b.output("h", h);
    match forms::outputs(&b.finish(), &[Known::Variable]).remove(0) {
        Form::Quadratic(q) => q,
        other => panic!("not quadratic: {other:?}"),
    }
}

fn half(b: &mut Builder, value: Value) -> Value {
    b.scale(0.5, value)
}

#[test]
fn every_spelling_of_half_the_square() {
    let spellings: [fn(&mut Builder, Value) -> Value; 5] = [
        |b, z| {
            let s = b.sum_squares(z);
            half(b, s)
        },
        |b, z| {
            let (row, column) = (b.reshape(z, [1, N]), b.reshape(z, [N, 1]));
            let product = b.matmul(row, column, false, false);
            let product = b.reshape(product, []);
            half(b, product)
        },
        |b, z| {
            let norm = b.norm2(z);
            let square = b.unary(Unary::Square, norm);
            half(b, square)
        },
        |b, z| {
            let two = b.constant_like(2.0, z);
            let power = b.binary(Binary::Pow, z, two);
            let s = b.sum(power);
            half(b, s)
        },
        |b, z| {
            let s = b.sum_squares(z);
            let root = b.unary(Unary::Sqrt, s);
            let square = b.mul(root, root);
            half(b, square)
        },
    ];
    for (at, spelling) in spellings.into_iter().enumerate() {
        let hessian = quadratic(spelling).assemble(&[(0, N)]);
        assert_eq!(hessian.diagonal(), Some(vec![1.0; N]), "spelling {at}");
        assert_eq!(hessian.linear, vec![0.0; N], "spelling {at}");
    }
}

#[test]
fn a_least_squares_term_is_its_normal_equations() {
    let a = matrix(1, 3 * N);
    let hessian = quadratic(|b, z| {
        let rows: Vec<Value> = (0..3)
            .map(|i| {
                let entries: Vec<Value> = (0..N).map(|j| b.constant(a[i * N + j], Dtype::F64)).collect();
                let entries: Vec<Value> = entries.into_iter().map(|e| b.reshape(e, [1, 1])).collect();
                b.concat(entries, 1)
            })
            .collect();
        let a = b.concat(rows, 0);
        let product = b.matvec(a, z, false);
        let shifted = b.offset(product, -2.0);
        b.sum_squares(shifted)
    })
    .assemble(&[(0, N)]);
    let dense = hessian.curvature().to_dense();
    for i in 0..N {
        for j in 0..N {
            let expected: f64 = (0..3).map(|k| 2.0 * a[k * N + i] * a[k * N + j]).sum();
            assert!((dense.row(i)[j] - expected).abs() <= 16.0 * f64::EPSILON, "P[{i}, {j}]");
        }
        let expected: f64 = (0..3).map(|k| -4.0 * a[k * N + i]).sum();
        assert!((hessian.linear[i] - expected).abs() <= 32.0 * f64::EPSILON, "p[{i}]");
    }
    assert_eq!(hessian.constant, 12.0);
}

#[test]
fn a_form_computes_what_its_program_computes() {
    // Slices, transposes, broadcasts, sums along an axis, concatenation, products with both sides.
    let mut b = Builder::new("affine");
    let x = b.input("x", Type::new(Dtype::F64, [2, 3]));
    let c = b.input("c", Type::new(Dtype::F64, [3, 2]));
    let t = b.transpose(x);
    let left = b.matmul(c, x, false, false);
    let right = b.matmul(t, c, true, false);
    let piece = b.slice(left, vec![Range { start: 0, len: 2, step: 2 }, Range { start: 1, len: 2, step: 1 }]);
    let sums = b.reduce(Reducer::Sum, x, vec![1]);
    let spread = b.broadcast(sums, vec![0], [2, 2].into());
    let joined = b.concat(vec![right, piece, spread], 1);
    let value = b.offset(joined, 0.5);
    b.output("value", value);
    let program = b.finish();
    let numbers = matrix(2, 6);
    let form = forms::outputs(&program, &[Known::Variable, Known::Constant(numbers.clone().into())]).remove(0);
    let Form::Affine(affine) = form else { panic!("affine, and got {form:?}") };

    let point = matrix(3, 6);
    let mut expected = affine.offset.clone();
    affine.parts[&0].accumulate(1.0, &point, &mut expected, false);

    let mut reference = Reference::new();
    let inputs = [Tensor::f64([2, 3], point), Tensor::f64([3, 2], numbers)];
    let slots = inputs.map(|tensor| {
        let buffer = reference.buffer(&tensor.ty());
        reference.write(buffer, &tensor);
        buffer.into()
    });
    let out = reference.buffer(program.ty(program.outputs[0].value));
    let call = reference.bind(&program, &slots, &[out.into()]);
    reference.run(call, 0);
    for (form, program) in expected.iter().zip(reference.read(out).to_f64()) {
        assert!((form - program).abs() <= 16.0 * f64::EPSILON * (1.0 + program.abs()), "{form} and {program}");
    }
}

#[test]
fn what_is_not_quadratic_says_where() {
    let mut b = Builder::new("h");
    let z = b.input("z", Type::new(Dtype::F64, [N]));
    let curved = b.unary(Unary::Tanh, z);
    let h = b.sum_squares(curved);
    b.output("h", h);
    let form = forms::outputs(&b.finish(), &[Known::Variable]).remove(0);
    let Form::Other(stopped) = form else { panic!("tanh is no quadratic") };
    assert_eq!(stopped.op, "tanh");
}

/// What is foreseen to be quadratic is, and nothing is that is more.
#[test]
fn what_is_quadratic_is_foreseen() {
    /// Writes h(z).
    type Write = fn(&mut Builder, Value) -> Value;
    let programs: [(bool, Write); 8] = [
        (true, |b, z| b.sum_squares(z)),
        (true, |b, z| {
            let two = b.constant_like(2.0, z);
            let (shifted, negative) = (b.sub(z, two), b.neg(z));
            let product = b.mul(shifted, negative);
            let product = b.mul(product, two);
            let sum = b.add(product, z);
            b.reduce(Reducer::Sum, sum, vec![0])
        }),
        (true, |b, z| b.sum(z)),
        (false, |b, z| {
            let cube = b.unary(Unary::Square, z);
            let cube = b.mul(cube, z);
            b.sum(cube)
        }),
        (false, |b, z| {
            let fourth = b.unary(Unary::Square, z);
            let fourth = b.unary(Unary::Square, fourth);
            b.sum(fourth)
        }),
        (false, |b, z| {
            let curved = b.unary(Unary::Tanh, z);
            b.sum(curved)
        }),
        (false, |b, z| b.norm2(z)),
        (false, |b, z| {
            let one = b.constant_like(1.0, z);
            let quotient = b.div(one, z);
            b.sum(quotient)
        }),
    ];
    for (at, (expected, write)) in programs.into_iter().enumerate() {
        let mut b = Builder::new("h");
        let z = b.input("z", Type::new(Dtype::F64, [N]));
        let h = write(&mut b, z);
        b.output("h", h);
        let program = b.finish();
        assert_eq!(foreseen::is_quadratic(&program, &[Known::Variable]), expected, "{at}");
        let form = forms::outputs(&program, &[Known::Variable]).remove(0);
        let plain = matches!(form, Form::Constant(_) | Form::Affine(_) | Form::Quadratic(_));
        assert!(plain || !expected, "{at}: {form:?}");
        assert!(!foreseen::is_quadratic(&program, &[Known::Unknown]), "{at}");
    }
}
