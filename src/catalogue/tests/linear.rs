//! Linear members: their values on paper, and that a problem sees them as affine.

use super::values::value;
use crate::catalogue::Function;
use crate::exec::reference::{Rounding, interpret};
use crate::split::forms::{self, Form, Known};
use crate::tape::philox::{Stream, key};
use crate::tape::{Builder, Dtype, Shape, Tensor, Type, Value};

fn tensor(shape: impl Into<Shape>, x: &[f64]) -> Tensor {
    Tensor::f64(shape.into(), x.to_vec())
}

#[test]
fn values_on_paper() {
    use Function::*;
    let square = || tensor([2, 3], &[1.0, 2.0, 4.0, 7.0, 11.0, 16.0]);
    let row = |x: &[f64]| tensor([x.len()], x);
    let cases: Vec<(Function, Vec<Tensor>, Vec<f64>)> = vec![
        (Diff, vec![row(&[1.0, 4.0, 2.0])], vec![3.0, -2.0]),
        (Diff, vec![square()], vec![6.0, 9.0, 12.0]),
        (CumSum, vec![row(&[1.0, 4.0, 2.0])], vec![1.0, 5.0, 7.0]),
        (CumSum, vec![square()], vec![1.0, 2.0, 4.0, 8.0, 13.0, 20.0]),
        (Grad2d, vec![square()], vec![6.0, 1.0, 9.0, 2.0, 12.0, 0.0, 0.0, 4.0, 0.0, 5.0, 0.0, 0.0]),
        (Grad2dPeriodic, vec![square()], vec![6.0, 1.0, 9.0, 2.0, 12.0, -3.0, -6.0, 4.0, -9.0, 5.0, -12.0, -9.0]),
        (RowSums, vec![square()], vec![7.0, 34.0]),
        (ColSums, vec![square()], vec![8.0, 13.0, 20.0]),
        (Vectorise, vec![square()], vec![1.0, 7.0, 2.0, 11.0, 4.0, 16.0]),
        (Diag, vec![row(&[1.0, 2.0])], vec![1.0, 0.0, 0.0, 2.0]),
        (Diag, vec![tensor([2, 2], &[1.0, 9.0, 9.0, 2.0])], vec![1.0, 2.0]),
        (Conv, vec![row(&[1.0, 2.0, 3.0]), row(&[10.0, 1.0])], vec![10.0, 21.0, 32.0, 3.0]),
        (Conv, vec![row(&[1.0]), row(&[10.0, 1.0])], vec![10.0, 1.0]),
        (
            Conv,
            vec![tensor([2, 2], &[1.0, 2.0, 3.0, 4.0]), tensor([2, 1], &[1.0, 10.0])],
            vec![1.0, 2.0, 13.0, 24.0, 30.0, 40.0],
        ),
        // The middle of three is where it stands; of two, the one behind.
        (ConvPeriodic, vec![row(&[1.0, 2.0, 3.0]), row(&[100.0, 10.0, 1.0])], vec![213.0, 321.0, 132.0]),
        (ConvPeriodic, vec![row(&[1.0, 2.0, 3.0]), row(&[10.0, 1.0])], vec![21.0, 32.0, 13.0]),
        // A kernel longer than the signal goes round.
        (ConvPeriodic, vec![row(&[1.0, 2.0]), row(&[1.0, 0.0, 10.0, 0.0, 100.0])], vec![111.0, 222.0]),
        (
            ConvPeriodic,
            vec![tensor([2, 2], &[1.0, 2.0, 3.0, 4.0]), tensor([1, 3], &[0.0, 0.0, 1.0])],
            vec![2.0, 1.0, 4.0, 3.0],
        ),
        (
            Kron,
            vec![tensor([1, 2], &[1.0, 10.0]), tensor([2, 2], &[1.0, 2.0, 3.0, 4.0])],
            vec![1.0, 2.0, 10.0, 20.0, 3.0, 4.0, 30.0, 40.0],
        ),
    ];
    for (function, args, expected) in cases {
        assert_eq!(value(function, &args), expected, "{} of {args:?}", function.name());
    }
}

/// A linear member of a variable, its other arguments known, is `K v` with a `K` that gives its values.
#[test]
fn a_problem_sees_them_as_affine() {
    use Function::*;
    let vector = Shape::vector;
    let cases: Vec<(Function, Vec<Shape>)> = vec![
        (Diff, vec![vector(5)]),
        (Diff, vec![Shape::matrix(4, 3)]),
        (CumSum, vec![vector(5)]),
        (CumSum, vec![Shape::matrix(4, 3)]),
        (Grad2d, vec![Shape::matrix(4, 3)]),
        (Grad2dPeriodic, vec![Shape::matrix(4, 3)]),
        (RowSums, vec![Shape::matrix(4, 3)]),
        (ColSums, vec![Shape::matrix(4, 3)]),
        (Vectorise, vec![Shape::matrix(4, 3)]),
        (Diag, vec![vector(3)]),
        (Diag, vec![Shape::matrix(3, 3)]),
        (Trace, vec![Shape::matrix(3, 3)]),
        (Conv, vec![vector(5), vector(3)]),
        (Conv, vec![Shape::matrix(4, 3), Shape::matrix(2, 2)]),
        (ConvPeriodic, vec![vector(5), vector(3)]),
        (ConvPeriodic, vec![Shape::matrix(4, 3), Shape::matrix(3, 3)]),
        (Kron, vec![Shape::matrix(2, 3), Shape::matrix(2, 2)]),
    ];
    let linear = |function: &&Function| function.path().starts_with("linear/");
    for function in Function::ALL.iter().filter(linear) {
        assert!(cases.iter().any(|(other, _)| other == function), "{} has a case", function.name());
    }
    for (function, shapes) in cases {
        for variable in 0..shapes.len() {
            let mut b = Builder::new(function.name());
            let args: Vec<Value> = shapes
                .iter()
                .enumerate()
                .map(|(k, shape)| b.input(format!("a{k}"), Type::new(Dtype::F64, shape.clone())))
                .collect();
            let shape = function.shape(&shapes).expect("the case fits");
            let y = function.lower(&mut b, &args, &shape);
            b.output("y", y);
            let program = b.finish();
            let numbers: Vec<Vec<f64>> = shapes
                .iter()
                .enumerate()
                .map(|(k, shape)| {
                    let stream = Stream::new(key(7), k as u32);
                    (0..shape.numel()).map(|j| stream.normal(0, j as u64, Dtype::F64)).collect()
                })
                .collect();
            let known = |k: usize| match k == variable {
                true => Known::Variable,
                false => Known::Constant(numbers[k].clone().into()),
            };
            let known: Vec<Known> = (0..shapes.len()).map(known).collect();
            let found = forms::outputs(&program, &known).swap_remove(0);
            let Form::Affine(affine) = found else { panic!("{} is {found:?}\n{program}", function.name()) };
            let operator = affine.stacked(&[(variable, shapes[variable].numel())]);
            let truth = &interpret(&program, &numbers, Rounding::Outputs)[y.index()];
            for (a, b) in operator.apply(&numbers[variable]).iter().zip(truth) {
                assert!((a - b).abs() <= 1e-13, "{}: {a}, not {b}", function.name());
            }
            assert!(affine.offset.iter().all(|&x| x == 0.0), "{} of 0 is 0", function.name());
        }
    }
}
