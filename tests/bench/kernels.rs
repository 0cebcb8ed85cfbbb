//! Rates of the CPU's steps on sizes that do not fit a cache, against what bounds each: the memory's
//! bandwidth for sweeps and reductions, multiplications for factorisations.

use std::time::Instant;

use admmc::exec::{Cpu, Executor, Slot};
use admmc::tape::ops::{Distribution, Reducer};
use admmc::tape::{Builder, Dtype, Op, Shape, Tensor, Type, Unary, Value};

fn main() {
    let n = 8 << 20;
    for threads in [1, 2] {
        println!("{threads} thread(s)");
        let vector = |n: usize| Type::new(Dtype::F32, [n]);
        let matrix = |m: usize, n: usize| Type::new(Dtype::F32, [m, n]);
        let bytes = (4 * n) as f64;
        let copy = time(threads, &[vector(n)], |b, x| b.neg(x[0]));
        report("negate 8 M singles", copy, 2.0 * bytes, "GB/s");
        let shrink = time(threads, &[vector(n), vector(n)], |b, x| {
            // z = shrink(x + λ, 0.1) and ‖z − x‖², as in a λ-step: one sweep.
            let v = b.add(x[0], x[1]);
            let [lower, upper] = [-0.1, 0.1].map(|t| b.constant_like(t, v));
            let inside = b.clamp(v, lower, upper);
            let z = b.sub(v, inside);
            b.output("z", z);
            let r = b.sub(z, x[0]);
            b.sum_squares(r)
        });
        report("shrink and residual of 8 M singles", shrink, 3.0 * bytes, "GB/s");
        let sum = time(threads, &[vector(n)], |b, x| b.sum(x[0]));
        report("sum of 8 M singles", sum, bytes, "GB/s");
        let rows = time(threads, &[matrix(8192, n / 8192)], |b, x| b.reduce(Reducer::Sum, x[0], vec![1]));
        report("sums of 8192 rows", rows, bytes, "GB/s");
        let columns = time(threads, &[matrix(8192, n / 8192)], |b, x| b.reduce(Reducer::Sum, x[0], vec![0]));
        report("sums of 1024 columns", columns, bytes, "GB/s");
        let transpose = time(threads, &[matrix(8192, n / 8192)], |b, x| b.transpose(x[0]));
        report("transpose", transpose, 2.0 * bytes, "GB/s");
        for f in [Unary::Exp, Unary::Log, Unary::Tanh, Unary::Sigmoid, Unary::Softplus, Unary::Sin] {
            let seconds = time(threads, &[vector(n / 8)], |b, x| b.unary(f, x[0]));
            report(&format!("{f:?}, singles"), seconds, n as f64 / 8.0, "G/s");
        }
        let draws = time(threads, &[], |b, _| random(b, n / 8));
        report("normals, singles", draws, n as f64 / 8.0, "G/s");
        let matvec = time(threads, &[Type::new(Dtype::F64, [2048, 2048]), Type::new(Dtype::F64, [2048])], |b, x| {
            b.matvec(x[0], x[1], false)
        });
        report("matrix times vector, 2048 doubles", matvec, 8.0 * 2048.0 * 2048.0, "GB/s");
        let square = Type::new(Dtype::F64, [1000, 1000]);
        let product = time(threads, &[square.clone(), square.clone()], |b, x| b.matmul(x[0], x[1], false, false));
        report("matrix product, 1000 doubles", product, 2e9, "Gflop/s");
        let definite = |b: &mut Builder, x: Value| {
            let rows = b.iota(Shape::matrix(1000, 1000), 0);
            let columns = b.iota(Shape::matrix(1000, 1000), 1);
            let on = b.binary(admmc::tape::Binary::Equal, rows, columns);
            let on = b.cast(on, Dtype::F64);
            let on = b.scale(1000.0, on);
            b.add(x, on)
        };
        let build = time(threads, std::slice::from_ref(&square), |b, x| definite(b, x[0]));
        let factor = time(threads, std::slice::from_ref(&square), |b, x| {
            let a = definite(b, x[0]);
            b.push(Op::Cholesky, vec![a], square.clone())
        });
        report("Cholesky, 1000 doubles", factor - build, 1e9 / 3.0, "Gflop/s");
        let solve = time(threads, &[square.clone(), Type::new(Dtype::F64, [1000])], |b, x| {
            b.push(Op::CholeskySolve, vec![x[0], x[1]], Type::new(Dtype::F64, [1000]))
        });
        report("Cholesky solve, 1000 doubles", solve, 8.0 * 1e6, "GB/s");
    }
}

fn random(b: &mut Builder, n: usize) -> Value {
    let key = b.iota([2], 0);
    let step = b.constant(3.0, Dtype::Index);
    b.push(Op::Random { distribution: Distribution::Normal, stream: 0 }, vec![key, step], Type::new(Dtype::F32, [n]))
}

fn report(what: &str, seconds: f64, amount: f64, unit: &str) {
    println!("  {what}: {:.3} ms, {:.2} {unit}", seconds * 1e3, amount / seconds / 1e9);
}

/// Least time of twenty runs.
fn time(threads: usize, inputs: &[Type], build: impl FnOnce(&mut Builder, &[Value]) -> Value) -> f64 {
    let mut b = Builder::new("kernel");
    let values: Vec<Value> = inputs.iter().enumerate().map(|(k, ty)| b.input(k.to_string(), ty.clone())).collect();
    let y = build(&mut b, &values);
    b.output("y", y);
    let program = b.finish();
    let mut cpu = Cpu::new(threads);
    let slots: Vec<Slot> = inputs
        .iter()
        .map(|ty| {
            let buffer = cpu.buffer(ty);
            let x = (0..ty.shape.numel()).map(|i| ((i * 7919) % 1000) as f64 / 1000.0 + 1e-3).collect();
            cpu.write(buffer, &Tensor::f64(ty.shape.clone(), x).cast(ty.dtype));
            buffer.into()
        })
        .collect();
    let outputs: Vec<Slot> = program.outputs.iter().map(|output| cpu.buffer(program.ty(output.value)).into()).collect();
    let call = cpu.bind(&program, &slots, &outputs);
    let once = |cpu: &mut Cpu| {
        let start = Instant::now();
        cpu.run(call, 0);
        start.elapsed().as_secs_f64()
    };
    (0..20).map(|_| once(&mut cpu)).fold(f64::INFINITY, f64::min)
}
