//! What must hold of every proximal step, tried at thousands of seeded points through the reference and the
//! CPU, in doubles and in singles. With `x = prox_{tφ}(v)`:
//!
//! - of a convex φ, `(v − x)/t` is a subgradient at `x`: `tφ(z) ≥ tφ(x) + ⟨v − x, z − x⟩` for every `z`, near
//!   and far, which is Fenchel's equality with the conjugate by brute force (Moreau). Of others, no `z` has a
//!   lesser `tφ(z) + ½‖z − v‖²`;
//! - of a separable convex φ, the slope on either side of `x`, roundings away, points back to it;
//! - of a convex φ, the step is firmly nonexpansive: `‖x − x′‖² ≤ ⟨x − x′, v − v′⟩`;
//! - a separable step is that of each element, and its `t` may differ from element to element;
//! - `t = 0` gives the nearest point at which φ has a value, and `x` is one where `t > 0`;
//! - the CPU is the reference to roundings of the numbers at hand; where a step jumps, in what it costs;
//! - a NaN passes through.
//!
//! A set is 0 inside and infinite outside: its `z` are projections of other points, and its `x` lies inside.
//! Bauschke & Combettes, Convex Analysis and Monotone Operator Theory (2017), Propositions 12.26, 12.28.

use super::examples::{Example, examples};
use crate::catalogue::{Function, Proximal};
use crate::exec::reference::{Rounding, interpret};
use crate::exec::{Buffer, Call, Cpu, Executor};
use crate::tape::philox::{Stream, key};
use crate::tape::{Builder, Dtype, Program, Shape, Tensor, Type, Value, gradient, verify};

/// Roundings of the largest number at hand, times the root of how many there are, that a step may err by.
const ROUNDINGS: f64 = 64.0;

/// The same between devices, which take the same way: by trial, half of it is taken.
const DEVICE: f64 = 8.0;

/// Steps that are tried on every example.
const STEPS: [f64; 4] = [0.3, 1e-3, 7.0, 150.0];

/// A member on an example, compiled.
struct Case {
    function: Function,
    facts: Proximal,
    shape: Shape,
    symmetric: bool,
    args: Vec<Vec<f64>>,
    /// `φ(x)`, and for a convex separable φ the slopes; by dtype, which says what counts as rounding.
    values: [Program; 2],
    /// By dtype: f64, f32.
    steps: [Program; 2],
    cpu: Cpu,
    calls: [(Call, Vec<Buffer>); 2],
}

/// Inputs of all arguments, the subject's being `v`.
fn inputs(b: &mut Builder, function: Function, example: &Example, dtype: Dtype) -> (Value, Vec<Value>) {
    let subject = function.proximal().expect("the case has a step").subject;
    let v = b.input("v", Type { dtype, shape: example.shape.clone() });
    let mut args: Vec<Value> = Vec::new();
    for (k, arg) in example.args.iter().enumerate() {
        args.push(match function.structural().contains(&k) {
            true => b.constant(arg.to_f64()[0], dtype),
            false => b.input(format!("a{k}"), Type { dtype, shape: arg.shape.clone() }),
        });
    }
    args.insert(subject, v);
    (v, args)
}

fn value_program(function: Function, example: &Example, dtype: Dtype) -> Program {
    let mut b = Builder::new(function.name());
    let (v, args) = inputs(&mut b, function, example, dtype);
    let shapes: Vec<Shape> = args.iter().map(|&arg| b.shape(arg).clone()).collect();
    let shape = function.shape(&shapes).unwrap_or_else(|why| panic!("{} on {shapes:?}: {why:?}", function.name()));
    let value = function.lower(&mut b, &args, &shape);
    let value = b.sum(value);
    b.output("value", value);
    let facts = function.proximal().expect("the case has a step");
    if facts.convex && facts.separable && !facts.indicator {
        let slopes = gradient(&mut b, value, &[v])[0];
        b.output("slopes", slopes);
    }
    b.finish()
}

fn step_program(function: Function, example: &Example, dtype: Dtype, weighted: bool) -> Program {
    let mut b = Builder::new(function.name());
    let (v, args) = inputs(&mut b, function, example, dtype);
    let shape = if weighted { example.shape.clone() } else { Shape::scalar() };
    let t = b.input("t", Type { dtype, shape });
    let x = function.prox(&mut b, v, t, &args);
    b.output("x", x);
    let program = b.finish();
    verify(&program).unwrap_or_else(|error| panic!("{error}\n{program}"));
    program
}

impl Case {
    fn new(function: Function, example: &Example) -> Case {
        let facts = function.proximal().expect("the case has a step");
        let steps = [Dtype::F64, Dtype::F32].map(|dtype| step_program(function, example, dtype, false));
        let mut cpu = Cpu::new(1);
        let calls = [0, 1].map(|k: usize| {
            let program = &steps[k];
            let types: Vec<Type> = program.inputs.iter().map(|input| program.ty(input.value).clone()).collect();
            let out = program.ty(program.outputs[0].value).clone();
            let buffers: Vec<Buffer> = types.iter().chain([&out]).map(|ty| cpu.buffer(ty)).collect();
            let slots: Vec<_> = buffers.iter().map(|&buffer| buffer.into()).collect();
            let (inputs, outputs) = slots.split_at(types.len());
            (cpu.bind(program, inputs, outputs), buffers)
        });
        Case {
            function,
            facts,
            shape: example.shape.clone(),
            symmetric: example.symmetric,
            args: given(function, example).iter().map(|arg| single(arg)).collect(),
            values: [Dtype::F64, Dtype::F32].map(|dtype| value_program(function, example, dtype)),
            steps,
            cpu,
            calls,
        }
    }

    fn what(&self) -> String {
        format!("{} on {} with {:?}", self.function.name(), self.shape, self.args)
    }

    fn all(&self, v: &[f64], t: Option<&[f64]>) -> Vec<Vec<f64>> {
        std::iter::once(v.to_vec()).chain(self.args.iter().cloned()).chain(t.map(<[f64]>::to_vec)).collect()
    }

    /// `φ(x)`, and the slopes where they are known.
    fn evaluate(&self, x: &[f64], dtype: Dtype) -> (f64, Option<Vec<f64>>) {
        let program = &self.values[place(dtype)];
        let values = interpret(program, &self.all(x, None), Rounding::Outputs);
        let of = |k: usize| program.outputs.get(k).map(|output| values[output.value.index()].clone());
        (of(0).map_or(f64::NAN, |value| value[0]), of(1))
    }

    /// By the reference: the truth.
    fn step(&self, v: &[f64], t: f64) -> Vec<f64> {
        let program = &self.steps[0];
        let mut values = interpret(program, &self.all(v, Some(&[t])), Rounding::Outputs);
        values.swap_remove(program.outputs[0].value.index())
    }

    /// By the CPU.
    fn on_cpu(&mut self, dtype: Dtype, v: &[f64], t: f64) -> Vec<f64> {
        let k = place(dtype);
        let program = &self.steps[k];
        let numbers = self.all(v, Some(&[t]));
        for ((input, numbers), &buffer) in program.inputs.iter().zip(numbers).zip(&self.calls[k].1) {
            let ty = program.ty(input.value);
            self.cpu.write(buffer, &Tensor::f64(ty.shape.clone(), numbers).cast(ty.dtype));
        }
        self.cpu.run(self.calls[k].0, 0);
        self.cpu.read(*self.calls[k].1.last().expect("the result has a buffer")).to_f64().into_vec()
    }

    /// `tφ(x)`: infinite where φ has no value.
    fn cost(&self, x: &[f64], t: f64, dtype: Dtype) -> f64 {
        let value = self.evaluate(x, dtype).0;
        match (self.facts.indicator, value.is_finite()) {
            (true, _) => 0.0,
            (false, true) => t * value,
            (false, false) => f64::INFINITY,
        }
    }

    /// Points that `φ` may have a value at, for comparison with `x`.
    fn others(&self, v: &[f64], x: &[f64], dice: &mut Dice) -> Vec<Vec<f64>> {
        let n = x.len();
        let scale = most(x).max(most(v)).max(1e-3);
        let zeros = vec![0.0; n];
        let mut all = vec![v.to_vec(), zeros.clone(), blend(x, v, 0.5), blend(x, v, -0.5), blend(x, &zeros, -1.0)];
        all.push(blend(x, &zeros, 0.5));
        all.push(vec![x.iter().sum::<f64>() / n.max(1) as f64; n]);
        for size in [10.0, 1.0, 0.1, 1e-3, 1e-6] {
            for _ in 0..3 {
                let direction = dice.normals(n);
                all.push(x.iter().zip(&direction).map(|(x, d)| x + size * scale * d).collect());
            }
        }
        for i in 0..n {
            for way in [-1.0, 1.0, -1e-4, 1e-4] {
                let mut z = x.to_vec();
                z[i] += way * scale;
                all.push(z);
            }
        }
        for i in 0..n {
            let mut z = x.to_vec();
            z[i] = 0.0;
            all.push(z.clone());
            z[i] = x[(i + 1) % n];
            all.push(z);
        }
        if self.symmetric {
            all.iter_mut().for_each(|z| *z = symmetric(z, self.shape.0[0]));
        }
        if self.facts.indicator {
            // Every set has a test of its own with more of them.
            all = all.iter().step_by(4).map(|z| self.step(z, 1.0)).collect();
        }
        all
    }

    /// That `x` is the step at `v`.
    fn check_optimal(&self, v: &[f64], t: f64, x: &[f64], dice: &mut Dice) {
        let n = x.len() as f64;
        let at_x = self.cost(x, t, Dtype::F64);
        assert!(at_x.is_finite() && x.iter().all(|x| x.is_finite()), "{}: {x:?} at {v:?}, t = {t}", self.what());
        let v = &if self.symmetric { symmetric(v, self.shape.0[0]) } else { v.to_vec() };
        let rounding = ROUNDINGS * f64::EPSILON * (n.sqrt() + 1.0);
        for z in self.others(v, x, dice) {
            let at_z = self.cost(&z, t, Dtype::F64);
            if at_z == f64::INFINITY {
                continue;
            }
            let (gain, size) = if self.facts.convex {
                let terms = || (0..x.len()).map(|i| (v[i] - x[i]) * (z[i] - x[i]));
                (at_z - at_x - terms().sum::<f64>(), 0.0)
            } else {
                let terms = |y: &[f64]| (0..x.len()).map(|i| 0.5 * (y[i] - v[i]) * (y[i] - v[i])).sum::<f64>();
                (at_z + terms(&z) - at_x - terms(x), terms(&z) + terms(x))
            };
            // `x` is rounded, which turns `v − x` by as much; and φ is that of a point roundings away,
            // which its slope, `(v − x)/t`, counts.
            let (off, way) = (length(&difference(v, x)), length(&difference(&z, x)));
            let turned = (length(v) + length(x)) * way + off * (length(x) + length(&z));
            let tolerance = rounding * (at_z.abs() + at_x.abs() + size + turned);
            assert!(
                gain >= -tolerance,
                "{}, t = {t}, at {v:?}: {z:?} is better than {x:?} by {gain}, {tolerance}",
                self.what()
            );
        }
        self.check_slopes(v, t, x);
        if self.facts.indicator {
            let outside = self.evaluate(x, Dtype::F64).0;
            assert!(outside <= rounding * most(v).max(most(x)), "{}: {x:?} is {outside} outside", self.what());
        }
    }

    /// That the slope just below `x` is negative and just above positive, element by element.
    fn check_slopes(&self, v: &[f64], t: f64, x: &[f64]) {
        if self.values[0].outputs.len() < 2 {
            return;
        }
        for side in [-1.0, 1.0] {
            // Beside 0, where v is 0 too, anywhere.
            let way = |i: usize| (ROUNDINGS * f64::EPSILON * (x[i].abs() + (v[i] - x[i]).abs())).max(1e-100);
            let near: Vec<f64> = (0..x.len()).map(|i| x[i] + side * way(i)).collect();
            let slopes = self.evaluate(&near, Dtype::F64).1.expect("the slopes are an output");
            for i in 0..x.len() {
                let slope = near[i] - v[i] + t * slopes[i];
                let points_back = side * slope >= 0.0 || {
                    // Left of where φ has a value there is no slope.
                    let mut moved = x.to_vec();
                    moved[i] = near[i];
                    side < 0.0 && !self.evaluate(&moved, Dtype::F64).0.is_finite()
                };
                let what = self.what();
                assert!(points_back, "{what}, t = {t}, at {v:?}: the slope at {i} is {slope} beside {x:?}");
            }
        }
    }

    /// That two steps are firmly nonexpansive.
    fn check_nonexpansive(&self, one: (&[f64], &[f64]), other: (&[f64], &[f64])) {
        let (v, x) = (difference(one.0, other.0), difference(one.1, other.1));
        let v = if self.symmetric { symmetric(&v, self.shape.0[0]) } else { v };
        let (square, product) = (dot(&x, &x), dot(&x, &v));
        let scale = most(one.0).max(most(other.0)).max(most(one.1)).max(most(other.1));
        let tolerance =
            ROUNDINGS * f64::EPSILON * x.len() as f64 * scale * (most(&x) + most(&v) + scale * f64::EPSILON);
        assert!(square <= product + tolerance, "{}: ‖x‖² = {square}, ⟨x, v⟩ = {product}", self.what());
    }

    /// That the CPU gives the same, in both dtypes.
    fn check_cpu(&mut self, v: &[f64], t: f64, x: &[f64]) {
        for dtype in [Dtype::F64, Dtype::F32] {
            let got = self.on_cpu(dtype, v, t);
            let roundings = DEVICE * dtype.eps() * (x.len() as f64).sqrt();
            let size = most(v).max(most(x));
            if self.facts.convex {
                let off = got.iter().zip(x).fold(0.0f64, |most, (a, b)| most.max((a - b).abs()));
                let off = if got.iter().any(|x| x.is_nan()) { f64::NAN } else { off };
                assert!(off <= roundings * size, "{}, {dtype}, t = {t}, at {v:?}: {got:?}, not {x:?}", self.what());
            } else {
                let cost = |x: &[f64]| {
                    let square: f64 = x.iter().zip(v).map(|(x, v)| 0.5 * (x - v) * (x - v)).sum();
                    self.cost(x, t, dtype) + square
                };
                let (got_cost, best) = (cost(&got), cost(x));
                let tolerance = roundings * (best + size * size);
                assert!(
                    got_cost <= best + tolerance,
                    "{}, {dtype}, t = {t}, at {v:?}: {got:?} costs {got_cost}, not {best} of {x:?}",
                    self.what()
                );
            }
        }
    }
}

/// The arguments that a program takes as inputs.
fn given(function: Function, example: &Example) -> Vec<&Tensor> {
    let all = example.args.iter().enumerate();
    all.filter(|(k, _)| !function.structural().contains(k)).map(|(_, arg)| arg).collect()
}

/// An example's arguments as singles hold them, so that all dtypes are given the same numbers.
fn single(tensor: &Tensor) -> Vec<f64> {
    tensor.to_f64().into_iter().map(|x| f64::from(x as f32)).collect()
}

/// Which of a pair is of that dtype.
fn place(dtype: Dtype) -> usize {
    usize::from(dtype == Dtype::F32)
}

fn most(x: &[f64]) -> f64 {
    x.iter().fold(0.0, |most: f64, x| most.max(x.abs()))
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn length(x: &[f64]) -> f64 {
    dot(x, x).sqrt()
}

fn difference(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

/// `a + s(b − a)`
fn blend(a: &[f64], b: &[f64], s: f64) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a + s * (b - a)).collect()
}

fn symmetric(x: &[f64], n: usize) -> Vec<f64> {
    (0..n * n).map(|at| 0.5 * (x[at] + x[at % n * n + at / n])).collect()
}

/// A seeded source of normals.
struct Dice {
    stream: Stream,
    next: u64,
}

impl Dice {
    fn new(seed: u64) -> Dice {
        Dice { stream: Stream::new(key(seed), 1), next: 0 }
    }

    fn normals(&mut self, n: usize) -> Vec<f64> {
        let start = self.next;
        self.next += n as u64;
        (start..self.next).map(|j| self.stream.normal(0, j, Dtype::F64)).collect()
    }
}

/// Points of `n` elements: around 1, near 0 and far out, with ties, with zeros, all alike.
fn points(n: usize, dice: &mut Dice) -> Vec<Vec<f64>> {
    let mut all: Vec<Vec<f64>> = vec![vec![0.0; n], vec![1.5; n], vec![-2.0; n]];
    for scale in [1.0, 0.05, 20.0] {
        for _ in 0..2 {
            all.push(dice.normals(n).iter().map(|x| scale * x).collect());
        }
    }
    for _ in 0..2 {
        all.push(dice.normals(n).iter().map(|x| (2.0 * x).round() / 2.0).collect());
    }
    let mut outlier = dice.normals(n);
    outlier[0] = 3e4;
    all.push(outlier);
    let mut sparse = vec![0.0; n];
    sparse[n - 1] = -1.0;
    all.push(sparse);
    all.iter_mut().flatten().for_each(|x| *x = f64::from(*x as f32));
    all
}

/// All laws on one example.
fn check(function: Function, example: &Example, seed: u64) {
    let mut case = Case::new(function, example);
    let mut dice = Dice::new(seed);
    for t in STEPS.map(|t| f64::from(t as f32)) {
        let points = points(example.shape.numel(), &mut dice);
        let steps: Vec<Vec<f64>> = points.iter().map(|v| case.step(v, t)).collect();
        for (k, (v, x)) in points.iter().zip(&steps).enumerate() {
            case.check_optimal(v, t, x, &mut dice);
            case.check_cpu(v, t, x);
            if case.facts.convex && k > 0 {
                case.check_nonexpansive((v, x), (&points[k - 1], &steps[k - 1]));
            }
        }
        if case.facts.separable {
            check_elements(&case, example, &points[7], t);
        }
    }
    check_no_weight(&case, &mut dice);
    check_nan(&mut case);
}

/// That a step with a `t` for each element is the step of each element.
fn check_elements(case: &Case, example: &Example, v: &[f64], t: f64) {
    let n = v.len();
    assert!(case.facts.weighted, "{} is separable, so that its t may differ", case.what());
    let weights: Vec<f64> = (0..n).map(|i| t * (1.0 + i as f64)).collect();
    let program = step_program(case.function, example, Dtype::F64, true);
    let values = interpret(&program, &case.all(v, Some(&weights)), Rounding::Outputs);
    let together = &values[program.outputs[0].value.index()];
    for i in 0..n {
        let pick = |arg: &Tensor| match arg.shape == example.shape {
            true => Tensor::scalar(arg.to_f64()[i]),
            false => arg.clone(),
        };
        let scalars: Vec<Shape> = vec![Shape::scalar(); 1 + example.args.len()];
        if case.function.shape(&scalars).is_err() {
            // Elements of it are told apart by where they stand.
            continue;
        }
        let alone = Example { shape: Shape::scalar(), args: example.args.iter().map(pick).collect(), symmetric: false };
        let alone = Case::new(case.function, &alone);
        assert_eq!(alone.step(&v[i..=i], weights[i]), together[i..=i], "{}, element {i}", case.what());
    }
}

/// That a step of 0 gives the point itself where φ has a value there, and else a point.
fn check_no_weight(case: &Case, dice: &mut Dice) {
    for v in points(case.shape.numel(), dice) {
        let v = if case.symmetric { symmetric(&v, case.shape.0[0]) } else { v };
        let x = case.step(&v, 0.0);
        assert!(x.iter().all(|x| x.is_finite()), "{}: {x:?} at {v:?}, t = 0", case.what());
        if !case.facts.indicator && case.evaluate(&v, Dtype::F64).0.is_finite() {
            let off = x.iter().zip(&v).fold(0.0f64, |most, (a, b)| most.max((a - b).abs()));
            let tolerance = ROUNDINGS * f64::EPSILON * most(&v) * (v.len() as f64).sqrt();
            assert!(off <= tolerance, "{}: {x:?}, not {v:?}, at t = 0", case.what());
        }
    }
}

/// That a NaN is seen, by both executors.
fn check_nan(case: &mut Case) {
    for at in 0..case.shape.numel() {
        let mut v = vec![0.5; case.shape.numel()];
        v[at] = f64::NAN;
        let all = [case.step(&v, 1.0), case.on_cpu(Dtype::F64, &v, 1.0), case.on_cpu(Dtype::F32, &v, 1.0)];
        for x in all {
            let seen = if case.facts.separable { x[at].is_nan() } else { x.iter().any(|x| x.is_nan()) };
            assert!(seen, "{}: {x:?} of a NaN at {at}", case.what());
        }
    }
}

/// The laws on every member of these folders that has a step.
fn check_all(folders: &[&str]) {
    let of_folder =
        |function: &Function| folders.iter().any(|folder| function.path().split('/').next() == Some(folder));
    for &function in Function::ALL.iter().filter(|function| of_folder(function)) {
        for (k, example) in examples(function).iter().enumerate() {
            check(function, example, k as u64);
        }
    }
}

const FOLDERS: [&[&str]; 4] =
    [&["elementwise", "reductions"], &["norms", "spectral"], &["losses", "entropies", "penalties"], &["sets"]];

#[test]
fn every_step_has_examples_and_a_test() {
    for &function in Function::ALL {
        let has_step = function.proximal().is_some();
        assert_eq!(has_step, !examples(function).is_empty(), "{} has examples if it has a step", function.name());
        let folder = function.path().split('/').next().expect("a path has a folder");
        assert!(!has_step || FOLDERS.concat().contains(&folder), "{folder} is not tested");
    }
}

#[test]
fn steps_of_elementwise_functions_and_reductions() {
    check_all(FOLDERS[0]);
}

#[test]
fn steps_of_norms_and_spectral_functions() {
    check_all(FOLDERS[1]);
}

#[test]
fn steps_of_losses_entropies_and_penalties() {
    check_all(FOLDERS[2]);
}

#[test]
fn projections() {
    check_all(FOLDERS[3]);
}
