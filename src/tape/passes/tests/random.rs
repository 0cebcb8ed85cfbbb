//! Laws on random programs.

use super::super::optimise;
use crate::exec::reference::{Rounding, interpret};
use crate::tape::ops::{Range, Reducer};
use crate::tape::philox::{Stream, key};
use crate::tape::{Binary, Builder, Dtype, Program, Shape, Type, Unary, Value, jvp, verify, vjp};

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
