//! Worked values and steps. The laws hold a step to its function's value; this holds the value to the paper.

use crate::catalogue::Function;
use crate::exec::reference::{Rounding, interpret};
use crate::tape::{Builder, Dtype, Shape, Tensor, Type, Value};

fn vector(x: &[f64]) -> Tensor {
    Tensor::f64([x.len()], x.to_vec())
}

fn matrix(rows: usize, x: &[f64]) -> Tensor {
    Tensor::f64([rows, x.len() / rows.max(1)], x.to_vec())
}

fn number(x: f64) -> Tensor {
    Tensor::scalar(x)
}

fn inputs(b: &mut Builder, args: &[Tensor]) -> Vec<Value> {
    args.iter().enumerate().map(|(k, arg)| b.input(format!("a{k}"), Type::new(Dtype::F64, arg.shape.clone()))).collect()
}

/// The function of the arguments.
pub fn value(function: Function, args: &[Tensor]) -> Vec<f64> {
    let mut b = Builder::new(function.name());
    let values = inputs(&mut b, args);
    let shapes: Vec<Shape> = args.iter().map(|arg| arg.shape.clone()).collect();
    let shape = function.shape(&shapes).unwrap_or_else(|why| panic!("{} takes {shapes:?}: {why:?}", function.name()));
    let y = function.lower(&mut b, &values, &shape);
    let numbers: Vec<Vec<f64>> = args.iter().map(|arg| arg.to_f64().into_vec()).collect();
    interpret(b.program(), &numbers, Rounding::Outputs).swap_remove(y.index())
}

/// The step at what stands in the subject's place.
fn step(function: Function, t: f64, args: &[Tensor]) -> Vec<f64> {
    let mut b = Builder::new(function.name());
    let values = inputs(&mut b, args);
    let t = b.constant(t, Dtype::F64);
    let subject = function.proximal().expect("the function has a step").subject;
    let x = function.prox(&mut b, values[subject], t, &values);
    let numbers: Vec<Vec<f64>> = args.iter().map(|arg| arg.to_f64().into_vec()).collect();
    interpret(b.program(), &numbers, Rounding::Outputs).swap_remove(x.index())
}

fn near(found: &[f64], expected: &[f64]) -> bool {
    let close = |(a, b): (&f64, &f64)| a == b || (a - b).abs() <= 1e-14 * (1.0 + b.abs());
    found.len() == expected.len() && found.iter().zip(expected).all(close)
}

#[test]
fn values_on_paper() {
    use Function::*;
    let (ln2, inf) = (2f64.ln(), f64::INFINITY);
    let x = || vector(&[3.0, -1.0, 0.5, 0.0]);
    let cases: Vec<(Function, Vec<Tensor>, f64)> = vec![
        (Norm1, vec![x()], 4.5),
        (NormInf, vec![x()], 3.0),
        (Max, vec![x()], 3.0),
        (SumLargest, vec![x(), number(2.0)], 3.5),
        (SumLargest, vec![x(), number(1.5)], 3.25),
        (SumLargest, vec![x(), number(9.0)], 2.5),
        (SumLargest, vec![x(), number(0.0)], 0.0),
        (Norm12, vec![matrix(2, &[3.0, 4.0, 0.0, -2.0])], 7.0),
        (Norm12, vec![vector(&[3.0, 4.0])], 5.0),
        (GroupNorm, vec![vector(&[9.0, 3.0, 4.0, 0.0, -2.0]), vector(&[2.0, 4.0, 4.0, 6.0])], 7.0),
        (GroupNorm, vec![vector(&[3.0, 4.0]), vector(&[1.0])], 5.0),
        (Owl, vec![vector(&[1.0, -3.0, 2.0]), vector(&[0.5, 2.0, 1.0])], 2.0 * 3.0 + 2.0 + 0.5),
        (NormNuc, vec![matrix(2, &[0.0, -2.0, 3.0, 0.0])], 5.0),
        (NormSpec, vec![matrix(2, &[0.0, -2.0, 3.0, 0.0])], 3.0),
        (Rank, vec![matrix(3, &[1.0, 2.0, 2.0, 4.0, 3.0, 6.0])], 1.0),
        (Rank, vec![matrix(2, &[0.0; 4])], 0.0),
        (LambdaMax, vec![matrix(2, &[1.0, 4.0, 0.0, 1.0])], 3.0),
        (SumLargestEigs, vec![matrix(2, &[1.0, 2.0, 2.0, 1.0]), number(2.0)], 2.0),
        (NegLogDet, vec![matrix(2, &[2.0, 1.0, 1.0, 2.0])], -(3f64.ln())),
        (Trace, vec![matrix(2, &[1.0, 9.0, 9.0, 2.0])], 3.0),
        (Hinge, vec![vector(&[1.0, -1.0]), vector(&[0.25, 0.5])], 0.75 + 1.5),
        (SquareHinge, vec![vector(&[1.0, -1.0]), vector(&[0.5, -7.0])], 0.25),
        (Logistic, vec![vector(&[1.0, -1.0]), vector(&[0.0, 0.0])], 2.0 * ln2),
        (Huber, vec![vector(&[0.5, -3.0]), number(1.0)], 0.125 + 2.5),
        (Quantile, vec![vector(&[2.0, -1.0]), number(0.75)], 1.5 + 0.25),
        (Poisson, vec![vector(&[1.0, 2.0, 0.0]), vector(&[5.0, 1.0, 0.0])], 3.0 - ln2),
        (NegEntropy, vec![vector(&[1.0, 2.0, 0.0])], 2.0 * ln2),
        (Entropy, vec![vector(&[0.5, 0.5])], ln2),
        (KlDiv, vec![vector(&[2.0, 0.0, 1.0]), vector(&[1.0, 3.0, 1.0])], 2.0 * ln2 - 1.0 + 3.0),
        (KlDiv, vec![vector(&[1.0]), vector(&[0.0])], inf),
        (KlDiv, vec![vector(&[0.0]), vector(&[0.0])], 0.0),
        (NegLog, vec![vector(&[1.0, 0.5])], ln2),
        (LogSumExp, vec![vector(&[1e4, 1e4])], 1e4 + ln2),
        (Cardinality, vec![x()], 3.0),
        (ElasticNet, vec![vector(&[1.0, -2.0]), number(0.5), number(4.0)], 1.5 + 10.0),
        (SparseRows, vec![matrix(2, &[3.0, 4.0, 0.0, -2.0]), number(2.0), number(0.5)], 18.0 + 3.5),
        (SparseGroup, vec![vector(&[3.0, 4.0, -2.0]), vector(&[1.0, 3.0]), number(2.0), number(0.5)], 18.0 + 3.5),
        (Mcp, vec![vector(&[1.0, -9.0]), number(2.0), number(3.0)], 2.0 - 1.0 / 6.0 + 6.0),
        (Scad, vec![vector(&[0.5, 2.0, -9.0]), number(1.0), number(3.0)], 0.5 + (12.0 - 4.0 - 1.0) / 4.0 + 2.0),
        (LogSumPenalty, vec![vector(&[1.0, 0.0]), number(1.0)], ln2),
        (NormHalf, vec![vector(&[4.0, -9.0, 0.0])], 5.0),
        (Tv1d, vec![vector(&[1.0, 3.0, 2.0])], 3.0),
        (Tv1d, vec![vector(&[7.0])], 0.0),
        (Tv2d, vec![matrix(2, &[0.0, 4.0, 3.0, 3.0])], 5.0 + 1.0),
        (Tv2dAniso, vec![matrix(2, &[0.0, 4.0, 3.0, 3.0])], 7.0 + 1.0),
    ];
    for (function, args, expected) in cases {
        let found = value(function, &args);
        assert!(near(&found, &[expected]), "{} of {args:?} is {found:?}, not {expected}", function.name());
    }
}

#[test]
fn outside_of_their_domains_functions_are_no_numbers() {
    use Function::*;
    let cases = [
        (NegLog, vec![vector(&[1.0, -1.0])]),
        (NegEntropy, vec![vector(&[-1.0])]),
        (KlDiv, vec![vector(&[-1.0]), vector(&[1.0])]),
        (Poisson, vec![vector(&[-1.0]), vector(&[0.0])]),
        (NegLogDet, vec![matrix(2, &[1.0, 2.0, 2.0, 1.0])]),
        (GroupNorm, vec![vector(&[1.0, 2.0]), vector(&[0.0, 1.0])]),
        (Cardinality, vec![vector(&[f64::NAN, 1.0])]),
        (Rank, vec![matrix(1, &[f64::NAN, 1.0])]),
    ];
    for (function, args) in cases {
        assert!(value(function, &args)[0].is_nan(), "{} of {args:?}", function.name());
    }
}

#[test]
fn steps_on_paper() {
    use Function::*;
    let v = || vector(&[3.0, -1.0, 0.5, 0.0]);
    let cases: Vec<(Function, f64, Vec<Tensor>, Vec<f64>)> = vec![
        (Norm1, 1.0, vec![v()], vec![2.0, 0.0, 0.0, 0.0]),
        (Norm2, 2.5, vec![vector(&[3.0, 4.0])], vec![1.5, 2.0]),
        (Norm2, 5.0, vec![vector(&[3.0, 4.0])], vec![0.0, 0.0]),
        (NormInf, 1.5, vec![v()], vec![1.5, -1.0, 0.5, 0.0]),
        (Max, 2.75, vec![v()], vec![0.375, -1.0, 0.375, 0.0]),
        (SumLargest, 0.5, vec![v(), number(2.0)], vec![2.5, -1.0, 0.0, 0.0]),
        (NormNuc, 1.0, vec![matrix(2, &[0.0, -2.0, 3.0, 0.0])], vec![0.0, -1.0, 2.0, 0.0]),
        (LambdaMax, 1.0, vec![matrix(2, &[1.0, 4.0, 0.0, 1.0])], vec![0.5, 1.5, 1.5, 0.5]),
        (NegLogDet, 2.0, vec![matrix(2, &[1.0, 0.0, 0.0, -1.0])], vec![2.0, 0.0, 0.0, 1.0]),
        (Hinge, 1.0, vec![vector(&[1.0, 1.0, -1.0]), vector(&[-3.0, 0.5, -2.0])], vec![-2.0, 1.0, -2.0]),
        (Huber, 1.0, vec![vector(&[1.0, 5.0]), number(1.0)], vec![0.5, 4.0]),
        (NegLog, 2.0, vec![vector(&[1.0, -1.0])], vec![2.0, 1.0]),
        (Mcp, 1.0, vec![vector(&[0.5, 2.0, 9.0]), number(1.0), number(3.0)], vec![0.0, 1.5, 9.0]),
        (Cardinality, 2.0, vec![vector(&[2.0, -2.5])], vec![0.0, -2.5]),
        // At the bound both cost the same; the first is 0.
        (NormHalf, 1.0, vec![vector(&[1.5, -1.4])], vec![0.0, 0.0]),
        (Tv1d, 1.0, vec![vector(&[0.0, 6.0, 0.0])], vec![1.0, 4.0, 1.0]),
        (Owl, 1.0, vec![vector(&[3.0, 2.9]), vector(&[2.0, 1.0])], vec![1.45, 1.45]),
        (GroupNorm, 2.5, vec![vector(&[9.0, 3.0, 4.0]), vector(&[2.0])], vec![9.0, 1.5, 2.0]),
    ];
    for (function, t, args, expected) in cases {
        let found = step(function, t, &args);
        assert!(near(&found, &expected), "{} of {args:?} at {t}: {found:?}, not {expected:?}", function.name());
    }
}

/// A function that is said to have no domain has a value everywhere; one that has, not.
#[test]
fn domains_are_announced() {
    use crate::catalogue::tests::examples::examples;
    use crate::tape::philox::{Stream, key};
    for &function in Function::ALL {
        let Some(facts) = function.proximal().filter(|facts| !facts.indicator) else { continue };
        let mut outside = false;
        for (at, example) in examples(function).into_iter().enumerate() {
            let stream = Stream::new(key(at as u64), 0);
            for turn in 0..64 {
                let n = example.shape.numel();
                let x = (0..n as u64).map(|i| 4.0 * stream.uniform(turn, i, Dtype::F64) - 2.0).collect();
                let mut args = example.args.clone();
                args.insert(facts.subject, Tensor::f64(example.shape.clone(), x));
                outside |= !value(function, &args)[0].is_finite();
            }
        }
        assert_eq!(outside, facts.domain, "{}", function.name());
    }
}

/// Functions bend and rise as they say, at many points where they have values.
#[test]
fn curves_are_as_announced() {
    use crate::catalogue::Curve;
    use crate::tape::philox::{Stream, key};
    let stream = Stream::new(key(3), 0);
    for &function in Function::ALL {
        let Some(curve) = function.curve() else { continue };
        let mut places = 0;
        for turn in 0..500 {
            let at = |j: u64| 8.0 * stream.uniform(turn, j, Dtype::F64) - 4.0;
            let (a, b, other) = (at(0), at(1), at(2));
            let y = |x: f64| match function {
                Function::Maximum | Function::Minimum => value(function, &[number(x), number(other)])[0],
                _ => value(function, &[number(x)])[0],
            };
            let [left, middle, right] = [a.min(b), 0.5 * (a + b), a.max(b)].map(y);
            if !left.is_finite() {
                continue;
            }
            places += 1;
            let chord = 0.5 * (left + right);
            let slack = 1e-12 * (1.0 + left.abs() + right.abs());
            let (convex, rises) = match curve {
                Curve::ConvexRising => (true, true),
                Curve::ConvexFalling => (true, false),
                Curve::ConvexEven => (true, a + b > 0.0),
                Curve::ConcaveRising => (false, true),
            };
            assert!(if convex { middle <= chord + slack } else { middle >= chord - slack }, "{}", function.name());
            assert!(if rises { left <= right + slack } else { left >= right - slack }, "{}", function.name());
        }
        assert!(places > 50, "{}", function.name());
    }
}
