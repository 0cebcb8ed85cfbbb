//! Devices against the reference: random programs over the ops, in both dtypes, at awkward sizes, with
//! outputs on inputs' buffers and with members of families.
//!
//! A random program carries a bound of each value's error, `|value − truth|` at its worst element: the
//! usual first-order propagation with the values at hand, plus `ULPS` roundings of the result. Ops that
//! jump (comparisons, floor, sign) take only values that are exact.

use std::sync::Arc;

use crate::exec::cuda::{self, Compiler, Cuda, Places, Uncached};
use crate::exec::reference::{Rounding, evaluate};
use crate::exec::{Buffer, Cpu, Executor, Slot};
use crate::linalg::transform::Transform;
use crate::linalg::{Csr, Symbolic};
use crate::tape::ops::{ConvPart, Distribution, Range, Reducer, Window};
use crate::tape::{Binary, Builder, Dtype, Elements, Op, Program, Shape, Tensor, Type, Unary, Value, verify};

/// Units in the last place that a function may err by: `math` promises 5, the reference in doubles errs
/// itself.
const ULPS: f64 = 8.0;

/// A seeded generator (splitmix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    fn chance(&mut self, one_in: usize) -> bool {
        self.below(one_in) == 0
    }

    /// Eighths in [−2, 2]: sums of few are exact in singles.
    fn eighths(&mut self, n: usize) -> Vec<f64> {
        (0..n).map(|_| (self.below(33) as f64 - 16.0) / 8.0).collect()
    }
}

fn tensor(ty: &Type, x: Vec<f64>) -> Tensor {
    Tensor::f64(ty.shape.clone(), x).cast(ty.dtype)
}

/// A program under construction, with the inputs it is to run on.
struct Draft {
    b: Builder,
    inputs: Vec<Tensor>,
    /// Bound of the error of each value that may be used; values by position.
    pool: Vec<(Value, f64)>,
    /// Every value's elements.
    values: Vec<Vec<f64>>,
    dtype: Dtype,
    /// Elements that a value may have, so that the reference stays quick.
    room: usize,
}

impl Draft {
    fn input(&mut self, ty: Type, x: Vec<f64>) -> Value {
        let value = self.b.input(format!("in{}", self.inputs.len()), ty.clone());
        self.inputs.push(tensor(&ty, x));
        self.take(value, 0.0);
        value
    }

    /// Evaluates what was added; keeps the value if it is tame.
    fn take(&mut self, value: Value, error: f64) {
        for index in self.values.len()..self.b.program().insts.len() {
            let inst = &self.b.program().insts[index];
            let x = match inst.op {
                Op::Input(position) => self.inputs[position as usize].to_f64().into_vec(),
                _ => {
                    let program = self.b.program();
                    let operand =
                        |arg: &Value| crate::tape::ops::Operand { ty: program.ty(*arg), x: &self.values[arg.index()] };
                    let operands: Vec<_> = inst.args.iter().map(operand).collect();
                    inst.op.rule().eval(&operands, &inst.ty)
                }
            };
            self.values.push(x);
        }
        if self.b.shape(value).numel() <= self.room
            && self.most(value) <= 100.0
            && error <= 0.01
            && !self.pool.iter().any(|&(other, _)| other == value)
        {
            self.pool.push((value, error));
        }
    }

    fn most(&self, value: Value) -> f64 {
        self.values[value.index()]
            .iter()
            .fold(0.0, |most: f64, x| if x.is_nan() { f64::INFINITY } else { most.max(x.abs()) })
    }

    fn least(&self, value: Value) -> f64 {
        self.values[value.index()].iter().fold(f64::INFINITY, |least: f64, &x| least.min(x))
    }

    /// The rounding of a result.
    fn rounding(&self) -> f64 {
        ULPS * self.dtype.eps()
    }

    /// A value of the draft's dtype that `fits`.
    fn find(&self, dice: &mut Dice, fits: impl Fn(&Shape) -> bool) -> Option<(Value, f64)> {
        let fitting = |&&(value, _): &&(Value, f64)| self.b.dtype(value) == self.dtype && fits(self.b.shape(value));
        let all: Vec<_> = self.pool.iter().filter(fitting).copied().collect();
        (!all.is_empty()).then(|| dice.pick(&all))
    }

    fn add(&mut self, dice: &mut Dice) {
        match dice.below(14) {
            0..=2 => self.add_unary(dice),
            3..=5 => self.add_binary(dice),
            6 => self.add_select(dice),
            7 => self.add_broadcast(dice),
            8 => self.add_reduce(dice),
            9 => self.add_product(dice),
            10 => self.add_rows(dice),
            11 => self.add_index(dice),
            _ => self.add_movement(dice),
        };
    }

    fn add_unary(&mut self, dice: &mut Dice) -> Option<()> {
        let (x, e) = self.find(dice, |_| true)?;
        let (most, least) = (self.most(x), self.least(x));
        let f = dice.pick(&Unary::ALL);
        let slope = match f {
            Unary::Neg | Unary::Abs | Unary::Relu | Unary::Hold | Unary::Sin | Unary::Cos => 1.0,
            Unary::Tanh | Unary::Sigmoid | Unary::Softplus => 1.0,
            Unary::Erf => 1.2,
            Unary::Square => 2.0 * most + e,
            Unary::Exp | Unary::Expm1 if most < 4.0 => (most + e).exp(),
            Unary::Sqrt if least > 0.25 => 1.0,
            Unary::Recip if least > 0.25 => 1.0 / (least - e).powi(2),
            Unary::Log if least > 0.25 => 1.0 / (least - e),
            Unary::Log1p if least > -0.5 => 1.0 / (1.0 + least - e),
            Unary::Sign | Unary::Step | Unary::Floor | Unary::IsFinite if e == 0.0 => 0.0,
            _ => return None,
        };
        let y = self.b.unary(f, x);
        let exact = matches!(f, Unary::Neg | Unary::Abs | Unary::Relu | Unary::Hold) && e == 0.0 || slope == 0.0;
        self.take(y, 0.0);
        let error = if exact { 0.0 } else { slope * e + self.rounding() * (self.most(y) + e) };
        self.settle(y, error)
    }

    /// Replaces the bound of a value just taken.
    fn settle(&mut self, value: Value, error: f64) -> Option<()> {
        self.pool.retain(|&(other, known)| other != value || known > 0.0);
        self.take(value, error);
        Some(())
    }

    fn add_binary(&mut self, dice: &mut Dice) -> Option<()> {
        let (a, ea) = self.find(dice, |_| true)?;
        let shape = self.b.shape(a).clone();
        let (b, eb) = self.find(dice, |other| *other == shape || other.is_scalar())?;
        let (most_a, most_b) = (self.most(a), self.most(b));
        let f = dice.pick(&Binary::ALL);
        let propagated = match f {
            Binary::Add | Binary::Sub => ea + eb,
            Binary::Mul => most_a * eb + most_b * ea + ea * eb,
            Binary::Div if self.least(b) > 0.25 => {
                let below = self.least(b) - eb;
                ea / below + most_a * eb / (below * below)
            }
            Binary::Pow if self.least(a) > 0.25 && most_b < 3.0 => 64.0 * most_a.max(1.0).powi(3) * (ea + eb) * 4.0,
            Binary::Max | Binary::Min => ea.max(eb),
            Binary::Less | Binary::LessEqual | Binary::Equal if ea == 0.0 && eb == 0.0 => 0.0,
            _ => return None,
        };
        let y = self.b.binary(f, a, b);
        self.take(y, 0.0);
        let jumps = matches!(f, Binary::Less | Binary::LessEqual | Binary::Equal | Binary::Max | Binary::Min);
        let rounding = if jumps { 0.0 } else { self.rounding() * (self.most(y) + propagated) };
        self.settle(y, propagated + rounding)
    }

    fn add_select(&mut self, dice: &mut Dice) -> Option<()> {
        let (a, ea) = self.find(dice, |_| true)?;
        let shape = self.b.shape(a).clone();
        let (b, eb) = self.find(dice, |other| *other == shape || other.is_scalar())?;
        let (c, _) = self.pool.iter().copied().find(|&(c, e)| e == 0.0 && *self.b.shape(c) == shape)?;
        let y = self.b.select(c, a, b);
        self.take(y, ea.max(eb));
        Some(())
    }

    fn add_broadcast(&mut self, dice: &mut Dice) -> Option<()> {
        let (whole, _) = self.find(dice, |shape| shape.rank() >= 1 && shape.numel() > 0)?;
        let shape = self.b.shape(whole).clone();
        let axes: Vec<usize> = (0..shape.rank()).filter(|_| dice.chance(2)).collect();
        let kept = Shape(axes.iter().map(|&axis| shape.0[axis]).collect());
        let (x, e) = self.find(dice, |other| *other == kept)?;
        let y = self.b.broadcast(x, axes, shape);
        self.take(y, e);
        Some(())
    }

    fn add_reduce(&mut self, dice: &mut Dice) -> Option<()> {
        let (x, e) = self.find(dice, |shape| shape.rank() >= 1)?;
        let rank = self.b.shape(x).rank();
        let all = dice.chance(2);
        let axes: Vec<usize> = (0..rank).filter(|_| all || dice.chance(2)).collect();
        if axes.is_empty() {
            return None;
        }
        let n = axes.iter().map(|&axis| self.b.shape(x).0[axis]).product::<usize>() as f64;
        let reducer =
            dice.pick(&[Reducer::Sum, Reducer::Sum, Reducer::Max, Reducer::Min, Reducer::LogSumExp, Reducer::Norm2]);
        let (most, rounding) = (self.most(x), self.rounding());
        // The tree's error grows with the logarithm of n; n itself is a bound.
        let error = match reducer {
            Reducer::Sum => n * e + n * rounding * most,
            Reducer::Max | Reducer::Min => e,
            Reducer::LogSumExp => e + rounding * (most + n.ln().abs() + n),
            Reducer::Norm2 => n.sqrt() * e + rounding * n * (most + 1.0),
        };
        let scaled = if reducer == Reducer::Sum { self.b.scale(1.0 / n.max(1.0), x) } else { x };
        let y = self.b.reduce(reducer, scaled, axes);
        self.take(y, if reducer == Reducer::Sum { error / n.max(1.0) + rounding * most } else { error });
        Some(())
    }

    fn add_product(&mut self, dice: &mut Dice) -> Option<()> {
        let (a, ea) = self.find(dice, |shape| shape.rank() == 2)?;
        let ta = dice.chance(2);
        let inner = self.b.shape(a).0[usize::from(!ta)];
        let tb = dice.chance(2);
        let (b, eb) = self.find(dice, |shape| shape.rank() == 2 && shape.0[usize::from(tb)] == inner)?;
        let (most_a, most_b) = (self.most(a), self.most(b));
        // Transposed for good now and then, which the planner is to see through.
        let (a, ta) = if dice.chance(3) { (self.b.transpose(a), !ta) } else { (a, ta) };
        let product = self.b.matmul(a, b, ta, tb);
        let mean = self.b.scale(1.0 / (inner as f64).max(1.0), product);
        let error = most_a * eb + most_b * ea + ea * eb + self.rounding() * (inner as f64 + 2.0) * most_a * most_b;
        self.take(mean, error);
        Some(())
    }

    fn add_rows(&mut self, dice: &mut Dice) -> Option<()> {
        let (x, e) = self.find(dice, |shape| shape.rank() >= 1 && shape.0[0] > 0)?;
        let shape = self.b.shape(x).clone();
        let picked = 1 + dice.below(6);
        let index = (0..picked).map(|_| dice.below(shape.0[0]) as f64).collect();
        let index = self.input(Type::new(Dtype::Index, [picked]), index);
        let mut rows = shape.clone();
        rows.0[0] = picked;
        let gathered = self.b.push(Op::Gather, vec![x, index], Type { dtype: self.dtype, shape: rows });
        self.take(gathered, e);
        let whole = Type { dtype: self.dtype, shape };
        let scattered = self.b.push(Op::ScatterAdd, vec![index, gathered], whole);
        let picked = picked as f64;
        self.take(scattered, picked * (e + self.rounding() * self.most(gathered)));
        Some(())
    }

    fn add_index(&mut self, dice: &mut Dice) -> Option<()> {
        let exact: Vec<Value> = self.pool.iter().filter(|(_, e)| *e == 0.0).map(|&(value, _)| value).collect();
        let x = dice.pick(&exact);
        let shape = self.b.shape(x).clone();
        if shape.rank() >= 1 && shape.0[shape.rank() - 1] > 0 && self.b.dtype(x).is_float() && dice.chance(2) {
            let kept = Shape(shape.0[..shape.rank() - 1].to_vec());
            let best = self.b.push(Op::ArgMax, vec![x], Type { dtype: Dtype::Index, shape: kept });
            self.take(best, 0.0);
        }
        if shape.rank() >= 1 {
            let iota = self.b.iota(shape.clone(), dice.below(shape.rank()));
            self.take(iota, 0.0);
            let twice = self.b.binary(Binary::Add, iota, iota);
            let cast = self.b.cast(twice, self.dtype);
            let small = self.b.scale(0.125, cast);
            self.take(small, 0.0);
        }
        let cast = self.b.cast(x, Dtype::Index);
        let back = self.b.cast(cast, self.dtype);
        self.take(back, 0.0);
        Some(())
    }

    fn add_movement(&mut self, dice: &mut Dice) -> Option<()> {
        let (x, e) = self.find(dice, |_| true)?;
        let shape = self.b.shape(x).clone();
        let range = |dice: &mut Dice, n: usize| {
            let step = 1 + dice.below(3);
            let start = dice.below(n.max(1)).min(n);
            Range {
                start,
                len: if dice.chance(3) {
                    (n - start).div_ceil(step)
                } else {
                    dice.below((n - start).div_ceil(step) + 1)
                },
                step,
            }
        };
        let y = match dice.below(6) {
            0 => self.b.reshape(x, [shape.numel()]),
            1 => {
                let mut perm: Vec<usize> = (0..shape.rank()).collect();
                (1..perm.len()).rev().for_each(|i| perm.swap(i, dice.below(i + 1)));
                let to = Shape(perm.iter().map(|&axis| shape.0[axis]).collect());
                self.b.push(Op::Transpose { perm }, vec![x], Type { dtype: self.dtype, shape: to })
            }
            2 => {
                let ranges = shape.0.iter().map(|&n| range(dice, n)).collect();
                self.b.slice(x, ranges)
            }
            3 => {
                // A part that lies together: a view.
                let n = shape.numel();
                let flat = self.b.reshape(x, [n]);
                let start = dice.below(n.max(1)).min(n);
                self.b.segment(flat, start, dice.below(n - start + 1))
            }
            4 => {
                let mut whole = shape.clone();
                let ranges = whole.0.iter_mut().map(|n| {
                    let (len, step, start) = (*n, 1 + dice.below(2), dice.below(3));
                    *n = start + len * step + dice.below(2);
                    Range { start, len, step }
                });
                let ranges: Vec<Range> = ranges.collect();
                self.b.push(Op::Unslice(ranges), vec![x], Type { dtype: self.dtype, shape: whole })
            }
            _ => {
                let axis = dice.below(shape.rank().max(1));
                if shape.is_scalar() {
                    return None;
                }
                let mut parts = vec![x];
                for _ in 0..dice.below(3) {
                    let fits = |other: &Shape| {
                        let mut other = other.clone();
                        other.rank() == shape.rank() && {
                            other.0[axis] = shape.0[axis];
                            other == shape
                        }
                    };
                    parts.push(self.find(dice, fits)?.0);
                }
                let known = |part: &Value| self.pool.iter().find(|(value, _)| value == part).expect("from the pool").1;
                let worst = parts.iter().map(known).fold(0.0, f64::max);
                let mut whole = shape.clone();
                whole.0[axis] = parts.iter().map(|&part| self.b.shape(part).0[axis]).sum();
                let y = self.b.push(Op::Concat { axis }, parts, Type { dtype: self.dtype, shape: whole });
                self.take(y, worst);
                return Some(());
            }
        };
        self.take(y, e);
        Some(())
    }
}

/// An output's true elements, and the bound of their error.
type Truth = (Vec<f64>, f64);

/// A random program, its inputs, and what is true of each output.
fn draft(seed: u64, dtype: Dtype, extents: [usize; 3], ops: usize) -> (Program, Vec<Tensor>, Vec<Truth>) {
    let mut dice = Dice(seed);
    let [m, n, k] = extents;
    let room = 4 * (m * n).max(64);
    let mut draft = Draft { b: Builder::new("random"), inputs: vec![], pool: vec![], values: vec![], dtype, room };
    let shapes = [vec![], vec![m], vec![n], vec![m, n], vec![n, k], vec![m, n], vec![m, 2, n], vec![m * n], vec![1]];
    for _ in 0..4 {
        let shape = Shape(dice.pick(&shapes));
        let x = dice.eighths(shape.numel());
        draft.input(Type { dtype, shape }, x);
    }
    let one = draft.b.constant(1.5, dtype);
    draft.take(one, 0.0);
    for _ in 0..ops {
        draft.add(&mut dice);
    }
    let mut truth = Vec::new();
    let (pool, mut b) = (draft.pool.clone(), draft.b);
    for k in 0..1 + dice.below(5) {
        // Late values mostly; inputs, constants and the same value twice also.
        let (value, error) =
            if dice.chance(4) { dice.pick(&pool) } else { pool[pool.len() - 1 - dice.below(pool.len().min(6))] };
        b.output(format!("out{k}"), value);
        truth.push((draft.values[value.index()].clone(), error));
    }
    (b.finish(), draft.inputs, truth)
}

/// Buffers of an executor for a program: outputs on inputs' buffers, and members of families, by seed.
fn bind(
    executor: &mut dyn Executor,
    program: &Program,
    inputs: &[Tensor],
    seed: u64,
) -> (crate::exec::Call, Vec<Slot>) {
    let mut dice = Dice(seed ^ 0xA5A5);
    let slot = |executor: &mut dyn Executor, ty: &Type, dice: &mut Dice| {
        let member = dice.chance(3);
        let mut whole = ty.clone();
        if member {
            whole.shape.0.insert(0, 3);
        }
        Slot { buffer: executor.buffer(&whole), member }
    };
    let mut slots = Vec::new();
    for tensor in inputs {
        let slot = slot(executor, &tensor.ty(), &mut dice);
        let mut whole = executor.read(slot.buffer);
        if slot.member {
            whole = Tensor::f64(whole.shape.clone(), dice.eighths(whole.numel())).cast(whole.dtype());
            whole.set_member(1, tensor);
        } else {
            whole = tensor.clone();
        }
        executor.write(slot.buffer, &whole);
        slots.push(slot);
    }
    let mut taken: Vec<Buffer> = Vec::new();
    let mut outputs = Vec::new();
    for output in &program.outputs {
        let ty = program.ty(output.value);
        let on_input: Vec<Slot> = slots
            .iter()
            .zip(inputs)
            .filter(|(slot, tensor)| tensor.ty() == *ty && !taken.contains(&slot.buffer))
            .map(|(slot, _)| *slot)
            .collect();
        let to =
            if !on_input.is_empty() && dice.chance(2) { dice.pick(&on_input) } else { slot(executor, ty, &mut dice) };
        taken.push(to.buffer);
        outputs.push(to);
    }
    (executor.bind(program, &slots, &outputs), slots.into_iter().chain(outputs).collect())
}

/// Every bit of a tensor.
fn bits(tensor: &Tensor) -> Vec<u64> {
    match &tensor.elements {
        Elements::F32(x) => x.iter().map(|x| x.to_bits().into()).collect(),
        Elements::F64(x) => x.iter().map(|x| x.to_bits()).collect(),
        Elements::Index(x) => x.iter().map(|&x| x.into()).collect(),
    }
}

/// The devices that there are: a name, and a fresh one of each. CUDA is tried where
/// `ADMMC_TEST_CUDA` names the folder of its libraries.
fn devices() -> Vec<(String, Box<dyn Executor>)> {
    let mut devices: Vec<(String, Box<dyn Executor>)> = Vec::new();
    for threads in [1, 2, 4] {
        devices.push((format!("{threads} threads"), Box::new(Cpu::new(threads))));
    }
    devices.extend(cuda().map(|cuda| ("cuda".to_owned(), cuda)));
    devices
}

fn cuda() -> Option<Box<dyn Executor>> {
    let places = Places::new(vec![std::env::var_os("ADMMC_TEST_CUDA")?.into()]);
    let device = cuda::open(&places, 0).expect("the folder has all that a device takes");
    let compiler = Compiler::new(&device, Box::new(Uncached)).expect("NVRTC compiles for the device");
    Some(Box::new(Cuda::new(device, compiler, places)))
}

fn check(seed: u64, dtype: Dtype, extents: [usize; 3], ops: usize) {
    let (program, inputs, truth) = draft(seed, dtype, extents, ops);
    verify(&program).unwrap_or_else(|sentence| panic!("seed {seed}: {sentence}\n{program}"));
    let mut first: Option<Vec<Vec<u64>>> = None;
    for (name, mut device) in devices() {
        let (call, slots) = bind(&mut *device, &program, &inputs, seed);
        device.ready().expect("the device works");
        let before: Vec<Tensor> = slots.iter().map(|slot| device.read(slot.buffer)).collect();
        device.run(call, 1);
        let after: Vec<Tensor> = slots.iter().map(|slot| device.read(slot.buffer)).collect();
        assert_eq!(device.fault(), None, "seed {seed}, {name}\n{program}");
        let outputs = &slots[inputs.len()..];
        for (k, slot) in outputs.iter().enumerate() {
            let whole = &after[inputs.len() + k];
            let got = if slot.member { whole.member(1) } else { whole.clone() };
            let (truth, error) = &truth[k];
            for (i, (x, y)) in got.to_f64().iter().zip(truth).enumerate() {
                let bound = error + dtype.eps() * y.abs();
                assert!(
                    (x - y).abs() <= bound || x == y || x.is_nan() && y.is_nan(),
                    "seed {seed}, {name}: output {k}[{i}] is {x}, truth {y}, bound {bound:e}\n{program}"
                );
            }
            if slot.member {
                for other in [0, 2] {
                    let kept = bits(&before[inputs.len() + k].member(other)) == bits(&whole.member(other));
                    assert!(kept, "seed {seed}: output {k} spilled into member {other}\n{program}");
                }
            }
        }
        for (k, slot) in slots[..inputs.len()].iter().enumerate() {
            let written = outputs.iter().any(|output| output.buffer == slot.buffer);
            assert!(written || bits(&before[k]) == bits(&after[k]), "seed {seed}: input {k} changed\n{program}");
        }
        let all: Vec<Vec<u64>> = after.iter().map(bits).collect();
        let same = first.get_or_insert_with(|| all.clone()) == &all;
        // A product's order of summation is the library's.
        assert!(same || device.is_remote(), "seed {seed}: bits depend on the number of threads\n{program}");
    }
}

#[test]
fn random_programs_agree_with_the_reference() {
    let mut seed = 0;
    for extents in [
        [1, 1, 1],
        [3, 5, 2],
        [7, 33, 4],
        [64, 65, 31],
        [32, 32, 32],
        [5, 1024, 1],
        [1, 1025, 3],
        [257, 9, 8],
        [0, 3, 2],
    ] {
        for dtype in [Dtype::F32, Dtype::F64] {
            for _ in 0..8 {
                check(seed, dtype, extents, 20);
                seed += 1;
            }
        }
    }
}

#[test]
fn large_programs_agree_at_any_number_of_threads() {
    for seed in 0..4 {
        let dtype = if seed % 2 == 0 { Dtype::F32 } else { Dtype::F64 };
        check(1000 + seed, dtype, [301, 257, 190], 14);
    }
}

/// Runs a program of `Index` and float inputs on the processor, on CUDA where it is tried, and on the reference.
fn both(program: &Program, inputs: &[Tensor]) -> (Vec<Vec<Tensor>>, Vec<Tensor>) {
    verify(program).expect("the test's program is well formed");
    let mut all = vec![run_on(&mut Cpu::new(1), program, inputs)];
    all.extend(cuda().map(|mut cuda| run_on(&mut *cuda, program, inputs)));
    (all, evaluate(program, inputs, Rounding::Outputs))
}

fn run_on(device: &mut dyn Executor, program: &Program, inputs: &[Tensor]) -> Vec<Tensor> {
    let slots: Vec<Buffer> = inputs.iter().map(|tensor| device.buffer(&tensor.ty())).collect();
    slots.iter().zip(inputs).for_each(|(&slot, tensor)| device.write(slot, tensor));
    let outputs: Vec<Buffer> = program.outputs.iter().map(|output| device.buffer(program.ty(output.value))).collect();
    let slot = |buffers: &[Buffer]| -> Vec<Slot> { buffers.iter().map(|&buffer| buffer.into()).collect() };
    let call = device.bind(program, &slot(&slots), &slot(&outputs));
    device.ready().expect("the device works");
    device.run(call, 0);
    let got = outputs.iter().map(|&buffer| device.read(buffer)).collect();
    assert_eq!(device.fault(), None, "{program}");
    got
}

fn assert_near(program: &Program, inputs: &[Tensor], tolerance: f64) {
    let (all, truth) = both(program, inputs);
    for (k, (got, truth)) in all.iter().flat_map(|got| got.iter().zip(&truth).enumerate()) {
        for (x, y) in got.to_f64().into_iter().zip(truth.to_f64()) {
            let near = (x - y).abs() <= tolerance * (1.0 + y.abs()) || x.is_nan() && y.is_nan();
            assert!(near, "output {k}: {x}, truth {y}\n{program}");
        }
    }
}

#[test]
fn scans_agree() {
    let dice = &mut Dice(4);
    for dtype in [Dtype::F32, Dtype::F64] {
        for (rows, n) in [(1, 1), (3, 0), (2, 5), (1, 700), (40, 33)] {
            let ty = Type::new(dtype, [rows, n]);
            let mut b = Builder::new("scan");
            let x = b.input("x", ty.clone());
            let (sorted, at, sums) = (b.sort(x), b.argsort(x), b.cumsum(x));
            let back = b.push(Op::CumSum { reverse: true }, vec![x], ty.clone());
            for (name, value) in [("sorted", sorted), ("at", at), ("sums", sums), ("back", back)] {
                b.output(name, value);
            }
            // Many ties; a NaN and an infinity in the longer rows. Eighths are summed exactly.
            let mut numbers = dice.eighths(rows * n);
            if n > 100 {
                (numbers[n - 60], numbers[n - 50]) = (f64::INFINITY, f64::NAN);
            }
            let (all, truth) = both(&b.finish(), &[tensor(&ty, numbers)]);
            for (got, truth) in all.iter().flat_map(|got| got.iter().zip(&truth)) {
                let (got, truth) = (got.to_f64(), truth.to_f64());
                assert!(got.iter().zip(&truth).all(|(x, y)| x == y || x.is_nan() && y.is_nan()), "{got:?} {truth:?}");
            }
        }
    }
}

#[test]
fn regressions_agree() {
    let dice = &mut Dice(5);
    for dtype in [Dtype::F32, Dtype::F64] {
        for (rows, n) in [(1, 1), (2, 0), (3, 2), (5, 7), (1, 600), (40, 33)] {
            for scale in [1.0, 16.0] {
                let ty = Type::new(dtype, [rows, n]);
                let mut b = Builder::new("regressions");
                let (v, w) = (b.input("v", ty.clone()), b.input("w", ty.clone()));
                let t = b.input("t", Type::new(dtype, []));
                let (fit, string) = (b.isotonic(v, w), b.taut_string(v, t));
                // Twice, so that a workspace that outlives its step would be seen.
                let again = b.isotonic(string, w);
                for (name, value) in [("fit", fit), ("string", string), ("again", again)] {
                    b.output(name, value);
                }
                let numbers: Vec<f64> = dice.eighths(rows * n).iter().map(|x| scale * x).collect();
                let weights = dice.eighths(rows * n).iter().map(|x| x.abs()).collect();
                let t = tensor(&Type::new(dtype, []), vec![1.75]);
                // A mean of n numbers up to 2·scale errs by n/2 roundings of them, in doubles; the result by
                // one of its own dtype.
                let tolerance = 2.0 * dtype.eps() + (n as f64 + 4.0) * 2.0 * scale * f64::EPSILON;
                assert_near(&b.finish(), &[tensor(&ty, numbers), tensor(&ty, weights), t], tolerance);
            }
        }
    }
}

/// In lanes, at sizes around a tile and with numbers and vectors as constants; and of whole tensors. The
/// bits do not depend on the number of threads, nor on a lane's neighbours.
#[test]
fn loops_agree() {
    for dtype in [Dtype::F32, Dtype::F64] {
        for n in [0, 1, 3, 511, 512, 513, 2000] {
            let ty = Type::new(dtype, [n]);
            let mut b = Builder::new("loops");
            let (v, w) = (b.input("v", ty.clone()), b.input("w", ty.clone()));
            let t = b.input("t", Type::new(dtype, []));
            // v is the root of x − v + t·w·eˣ.
            let lanes = b.newton(v, t, &[w], crate::tape::Interval::ALL, |b, x, fixed| {
                let e = b.unary(Unary::Exp, x);
                let slope = b.mul(fixed[0], e);
                (slope, slope)
            });
            // The level at which the sum of what lies above is 1.
            let zero = b.constant(0.0, dtype);
            let level = b.iterate_whole("level", &[zero], &[w], 60, |b, state, fixed| {
                let above = b.sub(fixed[0], state[0]);
                let above = b.unary(Unary::Relu, above);
                let count = b.unary(Unary::Step, above);
                let (sum, count) = (b.sum(above), b.sum(count));
                let excess = b.offset(sum, -1.0);
                let one = b.constant(1.0, dtype);
                let count = b.binary(Binary::Max, count, one);
                let change = b.div(excess, count);
                let next = b.add(state[0], change);
                let still = b.is_still(change);
                (vec![next], still)
            });
            for (name, value) in [("lanes", lanes), ("level", level)] {
                b.output(name, value);
            }
            let program = b.finish();
            let mut dice = Dice(n as u64);
            let numbers: Vec<f64> = dice.eighths(n).iter().map(|x| 4.0 * x).collect();
            let weights = dice.eighths(n).iter().map(|x| x.abs()).collect();
            let inputs = [tensor(&ty, numbers), tensor(&ty, weights), tensor(&Type::new(dtype, []), vec![0.75])];
            // Of 2000 weights some sum; the level is at most 2, its sum at most 2·2000.
            assert_near(&program, &inputs, 64.0 * dtype.eps() * if n > 600 { 10.0 } else { 1.0 });
            let mut bits_of = Vec::new();
            for threads in [1, 3] {
                let mut cpu = Cpu::new(threads);
                let (call, slots) = bind(&mut cpu, &program, &inputs, 7);
                cpu.run(call, 1);
                bits_of.push(slots.iter().map(|slot| bits(&cpu.read(slot.buffer))).collect::<Vec<_>>());
            }
            assert_eq!(bits_of[0], bits_of[1]);
        }
    }
}

#[test]
fn factorisations_agree() {
    for dtype in [Dtype::F32, Dtype::F64] {
        for n in [1, 2, 17, 40] {
            let mut dice = Dice(n as u64);
            let m = dice.eighths(n * n);
            let gram = |i: usize, j: usize| (0..n).map(|k| m[k * n + i] * m[k * n + j]).sum::<f64>() / n as f64;
            let a: Vec<f64> = (0..n * n).map(|at| gram(at / n, at % n) + f64::from(at / n == at % n)).collect();
            let ty = Type::new(dtype, [n, n]);
            let mut b = Builder::new("dense");
            let a_in = b.input("a", ty.clone());
            let rhs = b.input("rhs", Type::new(dtype, [n, 3]));
            let l = b.push(Op::Cholesky, vec![a_in], ty.clone());
            let x = b.push(Op::CholeskySolve, vec![l, rhs], Type::new(dtype, [n, 3]));
            let values = b.push(Op::SymmetricEigenvalues, vec![a_in], Type::new(dtype, [n]));
            let root = b.push(Op::PsdSqrt, vec![a_in], ty.clone());
            let indefinite = b.offset(a_in, -3.0);
            let none = b.push(Op::Cholesky, vec![indefinite], ty.clone());
            for (name, value) in [("l", l), ("x", x), ("values", values), ("root", root), ("none", none)] {
                b.output(name, value);
            }
            // The matrix has eigenvalues in [1, 5n]; every one of these is well conditioned.
            let inputs = [tensor(&ty, a), tensor(&Type::new(dtype, [n, 3]), dice.eighths(3 * n))];
            assert_near(&b.finish(), &inputs, 100.0 * n as f64 * dtype.eps());
        }
    }
}

/// What a library does on a device where it is large, by what its results are made for.
#[test]
fn large_factors_and_spectra_agree() {
    let Some(mut cuda) = cuda() else { return };
    let n = 520;
    for (dtype, many) in [(Dtype::F64, 530), (Dtype::F32, 521)] {
        let mut dice = Dice(n as u64);
        let m = Type::new(dtype, [n, many]);
        let mut b = Builder::new("large");
        let m_in = b.input("m", m.clone());
        let [one, three] = [1, 3].map(|columns| Type::new(dtype, [n, columns]));
        let [one_in, three_in] = [b.input("one", one.clone()), b.input("three", three.clone())];
        let ty = Type::new(dtype, [n, n]);
        let gram = b.matmul(m_in, m_in, false, true);
        let shift_in = b.input("shift", ty.clone());
        let a = b.add(gram, shift_in);
        let l = b.push(Op::Cholesky, vec![a], ty.clone());
        let x = b.push(Op::CholeskySolve, vec![l, one_in], one.clone());
        let xs = b.push(Op::CholeskySolve, vec![l, three_in], three.clone());
        let negative = b.neg(a);
        let none = b.push(Op::Cholesky, vec![negative], ty.clone());
        let none = b.sum(none);
        let values = b.push(Op::SymmetricEigenvalues, vec![a], Type::new(dtype, [n]));
        let (_, vectors) = b.symmetric_eigen(a);
        let upright = b.matmul(vectors, vectors, true, false);
        let turned = b.matmul(a, vectors, false, false);
        let diagonal = b.matmul(vectors, turned, true, false);
        let root = b.push(Op::PsdSqrt, vec![a], ty.clone());
        let outputs =
            [("l", l), ("x", x), ("xs", xs), ("none", none), ("values", values), ("upright", upright), ("root", root)];
        outputs.into_iter().chain([("diagonal", diagonal)]).for_each(|(name, value)| b.output(name, value));
        for (name, transposed) in [("wide", false), ("tall", true)] {
            let matrix = if transposed { b.transpose(m_in) } else { m_in };
            let (u, s, v) = b.svd(matrix);
            let shape = b.shape(u).clone();
            let scales = b.broadcast(s, vec![1], shape);
            let scaled = b.mul(u, scales);
            let again = b.matmul(scaled, v, false, true);
            b.output(format!("{name}.s"), s);
            b.output(format!("{name}.again"), again);
            // What is not finite is not handed on.
            let nan = b.unary(Unary::Log, scaled);
            let (_, s, _) = b.svd(nan);
            b.output(format!("{name}.nan"), s);
        }
        let program = b.finish();
        let mut inputs = vec![tensor(&m, dice.eighths(n * many))];
        inputs.extend([&one, &three].map(|ty| tensor(ty, dice.eighths(ty.shape.numel()))));
        inputs.push(tensor(&ty, (0..n * n).map(|at| if at % (n + 1) == 0 { 1e3 } else { 0.0 }).collect()));
        let here = run_on(&mut Cpu::new(1), &program, &inputs);
        let there = run_on(&mut *cuda, &program, &inputs);
        for ((output, here), there) in program.outputs.iter().zip(&here).zip(&there) {
            let (x, y) = (here.to_f64(), there.to_f64());
            let size = x.iter().fold(1.0, |size: f64, x| size.max(x.abs()));
            for (x, y) in x.iter().zip(&y) {
                let near = (x - y).abs() <= 100.0 * n as f64 * dtype.eps() * size || x.is_nan() && y.is_nan();
                assert!(near, "{}: {x} and {y}, of {size}", output.name);
            }
        }
    }
}

#[test]
fn sparse_factors_agree() {
    for dtype in [Dtype::F32, Dtype::F64] {
        // A band, and a full matrix, which is taken as one dense block; the last rows quasi-definite.
        for (n, reach, negative) in [(1usize, 1, 0), (30, 2, 0), (30, 2, 7), (90, 90, 0), (90, 90, 20)] {
            let mut dice = Dice(n as u64);
            let (mut entries, mut values) = (Vec::new(), Vec::new());
            for i in 0..n {
                for j in i.saturating_sub(reach)..=i {
                    // Diagonally dominant, so that the signs of the pivots are those of the diagonal.
                    let sign = if i >= n - negative { -1.0 } else { 1.0 };
                    entries.push((i, j, 1.0));
                    values.push(if i == j { sign * 2.0 * reach as f64 } else { dice.eighths(1)[0] / 8.0 });
                }
            }
            let symbolic = Arc::new(Symbolic::new(&Csr::from_triplets(n, n, entries), negative));
            let (len, nnz) = (symbolic.factor_len(), symbolic.nnz());
            let mut b = Builder::new("sparse");
            let (a, rhs) = (Type::new(dtype, [nnz]), Type::new(dtype, [n]));
            let a_in = b.input("a", a.clone());
            let rhs_in = b.input("rhs", rhs.clone());
            let factor = b.push(Op::SparseFactor(symbolic.clone()), vec![a_in], Type::new(dtype, [len]));
            let x = b.push(Op::SparseSolve(symbolic.clone()), vec![factor, rhs_in], rhs.clone());
            let columns = b.iota([n, 2], 1);
            let columns = b.cast(columns, dtype);
            let many = b.push(Op::SparseSolve(symbolic.clone()), vec![factor, columns], Type::new(dtype, [n, 2]));
            let flipped = b.neg(a_in);
            let none = b.push(Op::SparseFactor(symbolic.clone()), vec![flipped], Type::new(dtype, [len]));
            let none = b.sum(none);
            for (name, value) in [("x", x), ("many", many), ("none", none)] {
                b.output(name, value);
            }
            let inputs = [tensor(&a, values), tensor(&rhs, dice.eighths(n))];
            assert_near(&b.finish(), &inputs, 100.0 * n as f64 * dtype.eps());
        }
    }
}

/// What is promised of a device bit for bit: sums, scans, sorts, random numbers, elementwise functions but sines, the
/// error function and powers, and products of sparse matrices.
#[test]
fn a_device_has_the_processors_bits() {
    let Some(mut cuda) = cuda() else { return };
    const OTHER: [Unary; 3] = [Unary::Sin, Unary::Cos, Unary::Erf];
    for dtype in [Dtype::F32, Dtype::F64] {
        let mut dice = Dice(9);
        let mut b = Builder::new("bits");
        let (matrix, cube, long) =
            (Type::new(dtype, [60, 700]), Type::new(dtype, [30, 40, 50]), Type::new(dtype, [200_003]));
        let [x, c, l] = [("x", &matrix), ("c", &cube), ("l", &long)].map(|(name, ty)| b.input(name, ty.clone()));
        let mut outputs = Vec::new();
        for reducer in [Reducer::Sum, Reducer::LogSumExp, Reducer::Norm2] {
            for (value, axes) in
                [(x, vec![0]), (x, vec![1]), (x, vec![0, 1]), (c, vec![0, 2]), (c, vec![1]), (l, vec![0])]
            {
                outputs.push((format!("{reducer:?} over {axes:?}"), b.reduce(reducer, value, axes)));
            }
        }
        for f in Unary::ALL.into_iter().filter(|f| !OTHER.contains(f)) {
            outputs.push((format!("{f:?}"), b.unary(f, x)));
        }
        let backwards = b.push(Op::CumSum { reverse: true }, vec![x], matrix.clone());
        let scans = [b.cumsum(x), backwards, b.sort(x), b.argsort(x), b.cumsum(l), b.sort(l)];
        outputs.extend(scans.into_iter().enumerate().map(|(k, value)| (format!("scan {k}"), value)));
        let key = b.iota([2], 0);
        let step = b.constant(3.0, Dtype::Index);
        for distribution in [Distribution::Normal, Distribution::Uniform] {
            let random = b.push(Op::Random { distribution, stream: 1 }, vec![key, step], long.clone());
            outputs.push((format!("{distribution:?}"), random));
        }
        // A band of up to 30 entries a row, and both ways of multiplying by it.
        let (rows, columns) = (300usize, 200usize);
        let entries: Vec<Vec<u32>> =
            (0..rows).map(|i| (0..i % 31).map(|k| ((i + 7 * k) % columns) as u32).collect()).collect();
        let nnz = entries.iter().map(Vec::len).sum();
        let index = |n| Type::new(Dtype::Index, [n]);
        let (starts, at) = (b.input("starts", index(rows + 1)), b.input("columns", index(nnz)));
        let sparse = [nnz, columns, rows].map(|n| Type::new(dtype, [n]));
        let [values, right, left] = ["values", "right", "left"]
            .iter()
            .zip(&sparse)
            .map(|(name, ty)| b.input(*name, ty.clone()))
            .collect::<Vec<_>>()[..]
        else {
            unreachable!("three were given")
        };
        for (transpose, x, ty) in [(false, right, &sparse[2]), (true, left, &sparse[1])] {
            let product = b.push(Op::SparseMatVec { transpose }, vec![starts, at, values, x], ty.clone());
            outputs.push((format!("sparse, transposed {transpose}"), product));
        }
        outputs.iter().for_each(|(name, value)| b.output(name.clone(), *value));
        // Numbers with all of their digits, of both signs, ten of them far away.
        let mut numbers = |ty: &Type| {
            let number = |k| if k % 997 == 0 { 1e3 } else { 4.0 } * (dice.next() as f64 / 2f64.powi(64) - 0.5);
            tensor(ty, (0..ty.shape.numel()).map(number).collect())
        };
        let mut inputs = [&matrix, &cube, &long].map(&mut numbers).to_vec();
        let ends = entries.iter().scan(0, |end, row| {
            *end += row.len() as u32;
            Some(*end)
        });
        inputs.push(Tensor::index([rows + 1], std::iter::once(0).chain(ends).collect()));
        inputs.push(Tensor::index([nnz], entries.concat()));
        inputs.extend(sparse.iter().map(&mut numbers));
        let program = b.finish();
        let (here, there) = (run_on(&mut Cpu::new(1), &program, &inputs), run_on(&mut *cuda, &program, &inputs));
        for ((here, there), (name, _)) in here.iter().zip(&there).zip(&outputs) {
            let (x, y) = (bits(here), bits(there));
            // One NaN is as good as another.
            let (x_f, y_f) = (here.to_f64(), there.to_f64());
            let apart = (0..x.len()).find(|&k| x[k] != y[k] && !(x_f[k].is_nan() && y_f[k].is_nan()));
            assert_eq!(apart.map(|k| (x_f[k], y_f[k])), None, "{dtype}: {name}");
        }
    }
}

#[test]
fn a_large_square_is_mirrored() {
    for dtype in [Dtype::F32, Dtype::F64] {
        for (rows, columns) in [(40, 300), (300, 270), (7, 600)] {
            let ty = Type::new(dtype, [rows, columns]);
            let mut b = Builder::new("square");
            let x = b.input("x", ty.clone());
            let (inner, outer) = (b.matmul(x, x, true, false), b.matmul(x, x, false, true));
            b.output("inner", inner);
            b.output("outer", outer);
            let program = b.finish();
            let inputs = [tensor(&ty, Dice(rows as u64).eighths(rows * columns))];
            assert_near(&program, &inputs, 8.0 * (rows + columns) as f64 * dtype.eps());
        }
        // A slice that starts where its whole does: the product has another shape, and is no square.
        let ty = Type::new(dtype, [300, 270]);
        let part = |len| Range { start: 0, len, step: 1 };
        for len in [[40, 270], [300, 40]] {
            let mut b = Builder::new("slice");
            let x = b.input("x", ty.clone());
            let slice = b.slice(x, len.map(part).to_vec());
            let of_columns = len[0] == 300;
            let (left, right) =
                (b.matmul(slice, x, of_columns, !of_columns), b.matmul(x, slice, of_columns, !of_columns));
            b.output("left", left);
            b.output("right", right);
            let inputs = [tensor(&ty, Dice(len[0] as u64).eighths(300 * 270))];
            assert_near(&b.finish(), &inputs, 8.0 * 570.0 * dtype.eps());
        }
    }
}

#[test]
fn grids_agree() {
    for dtype in [Dtype::F32, Dtype::F64] {
        for extents in [&[1][..], &[24], &[7, 12], &[16, 1, 5], &[4, 9, 6], &[3, 0]] {
            let ty = Type::new(dtype, Shape(extents.to_vec()));
            let n = ty.shape.numel();
            let mut b = Builder::new("grid");
            let x = b.input("x", ty.clone());
            for (name, transform, inverse) in [
                ("dct", Transform::Cosine, false),
                ("idct", Transform::Cosine, true),
                ("hartley", Transform::Hartley, false),
            ] {
                let y = b.push(Op::Grid { transform, inverse }, vec![x], ty.clone());
                b.output(name, y);
            }
            let inputs = [tensor(&ty, Dice(n as u64).eighths(n))];
            assert_near(&b.finish(), &inputs, 64.0 * (n + 1) as f64 * dtype.eps());
        }
    }
}

/// Values agree; vectors may differ in sign and in what they span, so that what is made of them is compared.
#[test]
fn eigenvectors_and_singular_vectors_agree() {
    for dtype in [Dtype::F32, Dtype::F64] {
        for (m, n) in [(1, 1), (2, 3), (17, 9), (9, 17), (30, 30), (3, 0)] {
            for rank in [m.min(n), 1] {
                let mut dice = Dice((m * 100 + n) as u64);
                let (left, right) = (dice.eighths(m * rank), dice.eighths(rank * n));
                let entry = |i: usize, j: usize| (0..rank).map(|k| left[i * rank + k] * right[k * n + j]).sum::<f64>();
                let a: Vec<f64> = (0..m * n).map(|at| entry(at / n, at % n)).collect();
                let ty = Type::new(dtype, [m, n]);
                let mut b = Builder::new("spectrum");
                let a_in = b.input("a", ty.clone());
                let (u, s, v) = b.svd(a_in);
                // A spectral function: singular values above 1 less 1.
                let one = b.constant_like(1.0, s);
                let above = b.sub(s, one);
                let above = b.unary(Unary::Relu, above);
                let shape = b.shape(u).clone();
                let repeated = b.broadcast(above, vec![1], shape);
                let scaled = b.mul(u, repeated);
                let shrunk = b.matmul(scaled, v, false, true);
                let gram = b.matmul(u, u, true, false);
                let symmetric = b.matmul(a_in, a_in, true, false);
                let (values, vectors) = b.symmetric_eigen(symmetric);
                let shape = b.shape(vectors).clone();
                let positive = b.unary(Unary::Relu, values);
                let repeated = b.broadcast(positive, vec![1], shape);
                let scaled = b.mul(vectors, repeated);
                let again = b.matmul(scaled, vectors, false, true);
                for (name, value) in
                    [("s", s), ("shrunk", shrunk), ("gram", gram), ("values", values), ("again", again)]
                {
                    b.output(name, value);
                }
                // Singular values are below 2·√(mn)·rank, their squares are the values.
                let most = 4.0 * (m * n * rank * rank) as f64 + 1.0;
                assert_near(&b.finish(), &[tensor(&ty, a)], 20.0 * most * dtype.eps());
            }
        }
    }
}

#[test]
fn sparse_products_and_random_numbers_agree() {
    for dtype in [Dtype::F32, Dtype::F64] {
        let mut b = Builder::new("sparse");
        let index = |n| Type::new(Dtype::Index, [n]);
        let (starts, columns) = (b.input("starts", index(4)), b.input("columns", index(5)));
        let values = b.input("values", Type::new(dtype, [5]));
        let (x, y) = (b.input("x", Type::new(dtype, [4])), b.input("y", Type::new(dtype, [3])));
        let forward =
            b.push(Op::SparseMatVec { transpose: false }, vec![starts, columns, values, x], Type::new(dtype, [3]));
        let back =
            b.push(Op::SparseMatVec { transpose: true }, vec![starts, columns, values, y], Type::new(dtype, [4]));
        b.output("forward", forward);
        b.output("back", back);
        let (wide, tall) = (b.input("X", Type::new(dtype, [4, 3])), b.input("Y", Type::new(dtype, [3, 2])));
        let matrix = [starts, columns, values];
        for (name, x, transpose, rows) in [("several", wide, false, 3), ("several back", tall, true, 4)] {
            let value = b.sparse(matrix, x, transpose, rows);
            b.output(name, value);
        }
        let key = b.input("key", index(2));
        let step = b.input("step", Type::new(Dtype::Index, Shape::scalar()));
        for (name, distribution) in [("normal", Distribution::Normal), ("uniform", Distribution::Uniform)] {
            let random = b.push(Op::Random { distribution, stream: 3 }, vec![key, step], Type::new(dtype, [7, 201]));
            b.output(name, random);
        }
        let float = |n, x: &[f64]| tensor(&Type::new(dtype, [n]), x.to_vec());
        let inputs = [
            Tensor::index([4], vec![0, 2, 2, 5]),
            Tensor::index([5], vec![1, 3, 0, 1, 2]),
            float(5, &[1.0, -2.0, 0.5, 3.0, 4.0]),
            float(4, &[1.0, 2.0, 3.0, 4.0]),
            float(3, &[1.0, -1.0, 2.0]),
            tensor(&Type::new(dtype, [4, 3]), (0..12).map(f64::from).collect()),
            tensor(&Type::new(dtype, [3, 2]), (0..6).map(f64::from).collect()),
            Tensor::index([2], vec![11, 13]),
            Tensor::index(Shape::scalar(), vec![5]),
        ];
        assert_near(&b.finish(), &inputs, 64.0 * dtype.eps());
    }
}

/// All three parts of a convolution of `[images, channels, height, width]`, by kernels of that size.
fn convolve(window: Window, [n, c, h, v]: [usize; 4], [o, i, j]: [usize; 3], dtype: Dtype) {
    let mut dice = Dice((n + c * h * v) as u64);
    let (p, q) = (window.positions(0, h, i), window.positions(1, v, j));
    let inputs = c / window.groups;
    let [x, w, y] = [[n, c, h, v], [o, inputs, i, j], [n, o, p, q]].map(|shape| Type::new(dtype, shape));
    let mut b = Builder::new("conv");
    let [vx, vw, vy] = [("x", &x), ("w", &w), ("y", &y)].map(|(name, ty)| b.input(name, ty.clone()));
    for (part, args, ty) in
        [(ConvPart::Output, [vx, vw], &y), (ConvPart::Input, [vy, vw], &x), (ConvPart::Kernel, [vx, vy], &w)]
    {
        let value = b.push(Op::Conv { part, window }, args.to_vec(), ty.clone());
        b.output(format!("{part:?}"), value);
    }
    let program = b.finish();
    verify(&program).expect("the test's program is well formed");
    let tensors = [&x, &w, &y].map(|ty| tensor(ty, dice.eighths(ty.shape.numel())));
    let truth = evaluate(&program, &tensors, Rounding::Outputs);
    // Products of eighths up to 2 are whole 64ths up to 4, so sums of less than 2¹⁶ are exact in singles.
    assert!(inputs.max(o) * i * j < 1 << 16 && n * p * q < 1 << 16);
    for (name, mut device) in devices() {
        let slots: Vec<Slot> = tensors.iter().map(|tensor| device.buffer(&tensor.ty()).into()).collect();
        slots.iter().zip(&tensors).for_each(|(slot, tensor)| device.write(slot.buffer, tensor));
        let outputs: Vec<Slot> =
            program.outputs.iter().map(|output| device.buffer(program.ty(output.value)).into()).collect();
        let call = device.bind(&program, &slots, &outputs);
        device.ready().expect("the device works");
        // Twice, on what the first run left in memory.
        device.run(call, 0);
        device.run(call, 0);
        let got: Vec<Tensor> = outputs.iter().map(|slot| device.read(slot.buffer)).collect();
        assert_eq!(device.fault(), None, "{name}\n{program}");
        for ((got, truth), output) in got.iter().zip(&truth).zip(&program.outputs) {
            assert!(got.to_f64() == truth.to_f64(), "{}, {name}\n{program}", output.name);
        }
    }
}

#[test]
fn convolutions_agree() {
    let plain = Window { stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 };
    for dtype in [Dtype::F32, Dtype::F64] {
        // Several images a panel, with a rest; one image a panel; strips of an image, with a rest.
        convolve(Window { padding: [1, 1], ..plain }, [70, 3, 8, 8], [5, 3, 3], dtype);
        convolve(plain, [2, 2, 20, 23], [3, 2, 5], dtype);
        convolve(Window { stride: [2, 1], padding: [2, 3], ..plain }, [2, 1, 70, 61], [2, 5, 4], dtype);
        // Margins that no position leaves, taps that never touch the image.
        convolve(Window { padding: [3, 3], dilation: [3, 2], ..plain }, [3, 2, 2, 3], [2, 3, 3], dtype);
        convolve(Window { stride: [3, 2], groups: 3, ..plain }, [9, 6, 8, 9], [9, 2, 3], dtype);
        convolve(plain, [0, 2, 3, 3], [2, 2, 2], dtype);
        convolve(plain, [1, 1, 1, 1], [1, 1, 1], dtype);
        // Enough work to be shared, and for the sum over images to be taken in parts.
        convolve(Window { padding: [1, 1], ..plain }, [300, 8, 8, 8], [16, 3, 3], dtype);
    }
}

#[test]
fn buffers_exchange_in_one_sweep() {
    let ty = Type::new(Dtype::F32, [3000]);
    let mut b = Builder::new("swap");
    let (x, y) = (b.input("x", ty.clone()), b.input("y", ty.clone()));
    b.output("x", y);
    b.output("y", x);
    let program = b.finish();
    let mut cpu = Cpu::new(2);
    let (x, y) = (cpu.buffer(&ty), cpu.buffer(&ty));
    let ramp: Vec<f32> = (0..3000).map(|i| i as f32).collect();
    cpu.write(x, &Tensor::f32([3000], ramp.clone()));
    let call = cpu.bind(&program, &[x.into(), y.into()], &[x.into(), y.into()]);
    for (first, second) in [(vec![0.0; 3000], ramp.clone()), (ramp.clone(), vec![0.0; 3000])] {
        cpu.run(call, 0);
        assert_eq!(cpu.read(x), Tensor::f32([3000], first));
        assert_eq!(cpu.read(y), Tensor::f32([3000], second));
    }
}

#[test]
fn results_replace_the_operands_they_are_made_of() {
    let ty = Type::new(Dtype::F64, [3, 3]);
    let x: Vec<f64> = (0..9).map(f64::from).collect();
    type Make = fn(&mut Builder, Value) -> Value;
    let cases: [(&str, Make); 5] = [
        ("transpose", |b, x| b.transpose(x)),
        ("product", |b, x| b.matmul(x, x, false, true)),
        ("rotation", |b, x| {
            let rows = [1, 2, 0]
                .map(|start| b.slice(x, vec![Range { start, len: 1, step: 1 }, Range { start: 0, len: 3, step: 1 }]));
            b.concat(rows.to_vec(), 0)
        }),
        ("centred", |b, x| {
            let sum = b.sum(x);
            b.sub(x, sum)
        }),
        ("by rows", |b, x| {
            let sums = b.reduce(Reducer::Sum, x, vec![1]);
            let sums = b.broadcast(sums, vec![0], Shape::matrix(3, 3));
            let twice = b.add(sums, sums);
            b.div(twice, x)
        }),
    ];
    for (name, make) in cases {
        let mut b = Builder::new(name);
        let value = b.input("x", ty.clone());
        let y = make(&mut b, value);
        b.output("x", y);
        let program = b.finish();
        let mut cpu = Cpu::new(1);
        let buffer = cpu.buffer(&ty);
        cpu.write(buffer, &Tensor::f64([3, 3], x.clone()));
        let call = cpu.bind(&program, &[buffer.into()], &[buffer.into()]);
        cpu.run(call, 0);
        let truth = evaluate(&program, &[Tensor::f64([3, 3], x.clone())], Rounding::Outputs);
        assert_eq!(cpu.read(buffer), truth[0], "{name}");
    }
}

#[test]
fn traces_the_first_number_that_is_not_finite() {
    let mut b = Builder::new("trace");
    let x = b.input("x", Type::new(Dtype::F32, [3]));
    let y = b.unary(Unary::Exp, x);
    let z = b.mul(y, y);
    let w = b.unary(Unary::Log, z);
    b.output("w", w);
    let program = b.finish();
    let mut cpu = Cpu::new(1);
    let (x, w) = (cpu.buffer(&Type::new(Dtype::F32, [3])), cpu.buffer(&Type::new(Dtype::F32, [3])));
    let call = cpu.bind(&program, &[x.into()], &[w.into()]);
    cpu.write(x, &Tensor::f32([3], vec![1.0, 2.0, 3.0]));
    assert_eq!(cpu.trace(call, 0), None);
    // e⁵⁰ is a single, its square is not.
    cpu.write(x, &Tensor::f32([3], vec![1.0, 50.0, 100.0]));
    let found = cpu.trace(call, 0).expect("the square overflows");
    assert!(found.inst.contains("exp"), "e¹⁰⁰ overflows first: {}", found.inst);
    cpu.write(x, &Tensor::f32([3], vec![1.0, 50.0, 2.0]));
    let found = cpu.trace(call, 0).expect("the square overflows");
    assert!(found.inst.contains("mul") && found.value == f64::INFINITY, "{found:?}");
    assert!(found.operands.iter().all(|x| (x / 50f64.exp() - 1.0).abs() < 1e-5), "{found:?}");
}
