//! Rates of the devices' steps on sizes that do not fit a cache, against what bounds each: the memory's
//! bandwidth for sweeps and reductions, multiplications for factorisations. CUDA is timed where
//! `ADMMC_TEST_CUDA` names the folder of its libraries.

use std::time::Instant;

use admmc::exec::cuda::{self, Compiler, Cuda, Places, Uncached};
use admmc::exec::{Cpu, Executor, Slot};
use admmc::tape::ops::{Distribution, Reducer};
use admmc::tape::{Builder, Dtype, Op, Shape, Tensor, Type, Unary, Value};

/// A device that is made anew for each step.
#[derive(Clone, Copy)]
enum Device {
    Threads(usize),
    Cuda,
}

impl Device {
    fn open(self) -> Box<dyn Executor> {
        match self {
            Device::Threads(threads) => Box::new(Cpu::new(threads)),
            Device::Cuda => {
                let folder = std::env::var_os("ADMMC_TEST_CUDA").expect("it was there");
                let places = Places::new(vec![folder.into()]);
                let device = cuda::open(&places, 0).expect("a device");
                let compiler = Compiler::new(&device, Box::new(Uncached)).expect("a compiler");
                Box::new(Cuda::new(device, compiler, places))
            }
        }
    }

    /// Runs that are enqueued before the clock is stopped.
    fn runs(self) -> usize {
        match self {
            Device::Threads(_) => 1,
            Device::Cuda => 10,
        }
    }
}

fn main() {
    let n = 8 << 20;
    let mut devices = vec![Device::Threads(1), Device::Threads(2)];
    devices.extend(std::env::var_os("ADMMC_TEST_CUDA").map(|_| Device::Cuda));
    for device in devices {
        match device {
            Device::Threads(threads) => println!("{threads} thread(s)"),
            Device::Cuda => println!("cuda"),
        }
        let vector = |n: usize| Type::new(Dtype::F32, [n]);
        let matrix = |m: usize, n: usize| Type::new(Dtype::F32, [m, n]);
        let bytes = (4 * n) as f64;
        let copy = time(device, &[vector(n)], |b, x| b.neg(x[0]));
        report("negate 8 M singles", copy, 2.0 * bytes, "GB/s");
        let shrink = time(device, &[vector(n), vector(n)], |b, x| {
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
        let sum = time(device, &[vector(n)], |b, x| b.sum(x[0]));
        report("sum of 8 M singles", sum, bytes, "GB/s");
        let rows = time(device, &[matrix(8192, n / 8192)], |b, x| b.reduce(Reducer::Sum, x[0], vec![1]));
        report("sums of 8192 rows", rows, bytes, "GB/s");
        let columns = time(device, &[matrix(8192, n / 8192)], |b, x| b.reduce(Reducer::Sum, x[0], vec![0]));
        report("sums of 1024 columns", columns, bytes, "GB/s");
        let transpose = time(device, &[matrix(8192, n / 8192)], |b, x| b.transpose(x[0]));
        report("transpose", transpose, 2.0 * bytes, "GB/s");
        for f in [Unary::Exp, Unary::Log, Unary::Tanh, Unary::Sigmoid, Unary::Softplus, Unary::Sin] {
            let seconds = time(device, &[vector(n / 8)], |b, x| b.unary(f, x[0]));
            report(&format!("{f:?}, singles"), seconds, n as f64 / 8.0, "G/s");
        }
        let draws = time(device, &[], |b, _| random(b, n / 8));
        report("normals, singles", draws, n as f64 / 8.0, "G/s");
        let matvec = time(device, &[Type::new(Dtype::F64, [2048, 2048]), Type::new(Dtype::F64, [2048])], |b, x| {
            b.matvec(x[0], x[1], false)
        });
        report("matrix times vector, 2048 doubles", matvec, 8.0 * 2048.0 * 2048.0, "GB/s");
        let square = Type::new(Dtype::F64, [1000, 1000]);
        let product = time(device, &[square.clone(), square.clone()], |b, x| b.matmul(x[0], x[1], false, false));
        report("matrix product, 1000 doubles", product, 2e9, "Gflop/s");
        let definite = |b: &mut Builder, x: Value| {
            let rows = b.iota(Shape::matrix(1000, 1000), 0);
            let columns = b.iota(Shape::matrix(1000, 1000), 1);
            let on = b.binary(admmc::tape::Binary::Equal, rows, columns);
            let on = b.cast(on, Dtype::F64);
            let on = b.scale(1000.0, on);
            b.add(x, on)
        };
        let build = time(device, std::slice::from_ref(&square), |b, x| definite(b, x[0]));
        let factor = time(device, std::slice::from_ref(&square), |b, x| {
            let a = definite(b, x[0]);
            b.push(Op::Cholesky, vec![a], square.clone())
        });
        report("Cholesky, 1000 doubles", factor - build, 1e9 / 3.0, "Gflop/s");
        let solve = time(device, &[square.clone(), Type::new(Dtype::F64, [1000])], |b, x| {
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

/// Least time of twenty samples.
fn time(device: Device, inputs: &[Type], build: impl FnOnce(&mut Builder, &[Value]) -> Value) -> f64 {
    let mut b = Builder::new("kernel");
    let values: Vec<Value> = inputs.iter().enumerate().map(|(k, ty)| b.input(k.to_string(), ty.clone())).collect();
    let y = build(&mut b, &values);
    b.output("y", y);
    let program = b.finish();
    let mut executor = device.open();
    let slots: Vec<Slot> = inputs
        .iter()
        .map(|ty| {
            let buffer = executor.buffer(ty);
            let x = (0..ty.shape.numel()).map(|i| ((i * 7919) % 1000) as f64 / 1000.0 + 1e-3).collect();
            executor.write(buffer, &Tensor::f64(ty.shape.clone(), x).cast(ty.dtype));
            buffer.into()
        })
        .collect();
    let outputs: Vec<Slot> =
        program.outputs.iter().map(|output| executor.buffer(program.ty(output.value)).into()).collect();
    // Reading it waits for what was enqueued.
    let last = executor.buffer(&Type::new(Dtype::F64, []));
    let call = executor.bind(&program, &slots, &outputs);
    executor.ready().expect("the device works");
    let mut sample = || {
        let start = Instant::now();
        (0..device.runs()).for_each(|_| executor.run(call, 0));
        executor.item(last);
        start.elapsed().as_secs_f64() / device.runs() as f64
    };
    sample();
    let least = (0..20).map(|_| sample()).fold(f64::INFINITY, f64::min);
    assert_eq!(executor.fault(), None, "the device works");
    least
}
