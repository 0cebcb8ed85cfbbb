//! Time of one GAN step on the CPU, and on CUDA where `ADMMC_TEST_CUDA` names the folder of its libraries: Adam on the discriminator's loss, then on the generator's, against
//! what its matrix products alone take at the rate that `gemm` reaches on their sizes here.
//!
//! G is 16-64-64-64 with a tanh at its end, D is 64-64-64-1, leaky slope 0.2, batch 64, singles, one
//! thread. `gan_step.py` times the same step in other programs; README.md has the table.
#![allow(unsafe_code)] // a counting allocator

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use admmc::exec::cuda::{self, Compiler, Cuda, Places, Uncached};
use admmc::exec::{Cpu, Executor, Slot};
use admmc::tape::{Builder, Dtype, Op, Program, Shape, Tensor, Type, Unary, Value, gradient, verify};

const BATCH: usize = 64;
const GENERATOR: [usize; 4] = [16, 64, 64, 64];
const DISCRIMINATOR: [usize; 4] = [64, 64, 64, 1];

/// Counts allocations.
struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: passes everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's layout, unchanged.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer came from `alloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() {
    let program = step();
    verify(&program).expect("the step is well formed");
    let (products, floor) = products(&program);
    let flops: f64 = products.iter().map(|&[m, n, k]| 2.0 * (m * n * k) as f64).sum();
    println!(
        "matrix products: {} of {:.2} Mflop, alone {:.1} µs ({:.1} Gflop/s)",
        products.len(),
        flops / 1e6,
        floor * 1e6,
        flops / floor / 1e9
    );
    let mut devices: Vec<(String, Box<dyn Executor>)> = Vec::new();
    for threads in [1, 2] {
        devices.push((format!("{threads} thread(s)"), Box::new(Cpu::new(threads))));
    }
    devices.extend(gpu().map(|gpu| ("cuda".to_owned(), gpu)));
    for (name, mut device) in devices {
        let Timing { least, median, allocations } = time_step(&program, &mut *device);
        println!(
            "gan step, {name}: least {:.1} µs, median {:.1} µs; {:.2} times its products; {allocations} allocations",
            least * 1e6,
            median * 1e6,
            least / floor
        );
    }
}

/// The GPU, where there is one.
fn gpu() -> Option<Box<dyn Executor>> {
    let places = Places::new(vec![std::env::var_os("ADMMC_TEST_CUDA")?.into()]);
    let device = cuda::open(&places, 0).expect("a device");
    let compiler = Compiler::new(&device, Box::new(Uncached)).expect("a compiler");
    Some(Box::new(Cuda::new(device, compiler, places)))
}

/// Weights of a network in one vector: a matrix, then a bias, for each layer.
fn weights(sizes: &[usize]) -> usize {
    sizes.windows(2).map(|pair| pair[0] * pair[1] + pair[1]).sum()
}

fn network(b: &mut Builder, theta: Value, sizes: &[usize], x: Value) -> Value {
    let (mut x, mut at) = (x, 0);
    for (layer, pair) in sizes.windows(2).enumerate() {
        let w = b.segment(theta, at, pair[0] * pair[1]);
        let w = b.reshape(w, [pair[0], pair[1]]);
        let bias = b.segment(theta, at + pair[0] * pair[1], pair[1]);
        at += pair[0] * pair[1] + pair[1];
        let product = b.matmul(x, w, false, false);
        let bias = b.broadcast(bias, vec![1], Shape::matrix(BATCH, pair[1]));
        x = b.add(product, bias);
        if layer + 2 < sizes.len() {
            x = b.leaky_relu(x, 0.2);
        }
    }
    x
}

fn generate(b: &mut Builder, theta: Value, u: Value) -> Value {
    let logits = network(b, theta, &GENERATOR, u);
    b.unary(Unary::Tanh, logits)
}

/// `mean softplus(sign · D(x))`
fn loss(b: &mut Builder, theta: Value, x: Value, sign: f64) -> Value {
    let logit = network(b, theta, &DISCRIMINATOR, x);
    let logit = b.scale(sign, logit);
    let loss = b.unary(Unary::Softplus, logit);
    let sum = b.sum(loss);
    b.scale(1.0 / BATCH as f64, sum)
}

fn adam(b: &mut Builder, name: &str, theta: Value, gradient: Value, corrections: [Value; 2]) -> Value {
    let ty = b.ty(theta).clone();
    let (m, v) = (b.input(format!("m_{name}"), ty.clone()), b.input(format!("v_{name}"), ty));
    let moment = |b: &mut Builder, old: Value, decay: f64, new: Value| {
        let (old, new) = (b.scale(decay, old), b.scale(1.0 - decay, new));
        b.add(old, new)
    };
    let m = moment(b, m, 0.5, gradient);
    let square = b.unary(Unary::Square, gradient);
    let v = moment(b, v, 0.999, square);
    b.output(format!("m_{name}"), m);
    b.output(format!("v_{name}"), v);
    let (m, v) = (b.mul(m, corrections[0]), b.mul(v, corrections[1]));
    let root = b.unary(Unary::Sqrt, v);
    let root = b.offset(root, 1e-8);
    let direction = b.div(m, root);
    let change = b.scale(1e-3, direction);
    let theta = b.sub(theta, change);
    b.output(format!("theta_{name}"), theta);
    theta
}

fn step() -> Program {
    let mut b = Builder::new("gan_step");
    let single = |shape: Shape| Type { dtype: Dtype::F32, shape };
    let theta_g = b.input("theta_g", single(Shape::vector(weights(&GENERATOR))));
    let theta_d = b.input("theta_d", single(Shape::vector(weights(&DISCRIMINATOR))));
    let x = b.input("x", single(Shape::matrix(BATCH, DISCRIMINATOR[0])));
    let latent = single(Shape::matrix(BATCH, GENERATOR[0]));
    let (u_d, u_g) = (b.input("u_d", latent.clone()), b.input("u_g", latent));
    let corrections = ["c_m", "c_v"].map(|name| b.input(name, single(Shape::scalar())));

    let fake = generate(&mut b, theta_g, u_d);
    let (real_loss, fake_loss) = (loss(&mut b, theta_d, x, -1.0), loss(&mut b, theta_d, fake, 1.0));
    let loss_d = b.add(real_loss, fake_loss);
    let gradient_d = gradient(&mut b, loss_d, &[theta_d])[0];
    let theta_d = adam(&mut b, "d", theta_d, gradient_d, corrections);

    // The generator moves against a discriminator that stands still.
    let theta_d = b.unary(Unary::Hold, theta_d);
    let fake = generate(&mut b, theta_g, u_g);
    let loss_g = loss(&mut b, theta_d, fake, -1.0);
    let gradient_g = gradient(&mut b, loss_g, &[theta_g])[0];
    adam(&mut b, "g", theta_g, gradient_g, corrections);
    b.output("loss_d", loss_d);
    b.output("loss_g", loss_g);
    b.finish()
}

/// Extents of the products of a program, and the least time of them all, one after the other.
fn products(program: &Program) -> (Vec<[usize; 3]>, f64) {
    let mut extents = Vec::new();
    let mut floor = 0.0;
    for inst in &program.insts {
        let Op::MatMul { ta, tb } = inst.op else { continue };
        let (a, b) = (program.ty(inst.args[0]), program.ty(inst.args[1]));
        let [m, n] = inst.ty.shape.0[..] else { unreachable!("a product is a matrix") };
        extents.push([m, n, a.shape.0[usize::from(!ta)]]);
        let mut alone = Builder::new("product");
        let (a, b) = (alone.input("a", a.clone()), alone.input("b", b.clone()));
        let product = alone.matmul(a, b, ta, tb);
        alone.output("y", product);
        floor += time_step(&alone.finish(), &mut Cpu::new(1)).least;
    }
    (extents, floor)
}

/// Seconds a run takes, and how often it allocates.
struct Timing {
    least: f64,
    median: f64,
    allocations: usize,
}

/// The timing of a program, its outputs written over the inputs of the same name.
fn time_step(program: &Program, device: &mut dyn Executor) -> Timing {
    let mut seed = 1u64;
    let mut number = || {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (seed >> 40) as f32 / (1 << 24) as f32 * 0.2 - 0.1
    };
    let inputs: Vec<Slot> = program
        .inputs
        .iter()
        .map(|input| {
            let ty = program.ty(input.value);
            let buffer = device.buffer(ty);
            let scalar = ty.shape.is_scalar();
            let x = (0..ty.shape.numel()).map(|_| if scalar { 1.0 } else { number() }).collect();
            // Second moments start at zero, as they do in training.
            if !input.name.starts_with("v_") {
                device.write(buffer, &Tensor::f32(ty.shape.clone(), x));
            }
            buffer.into()
        })
        .collect();
    let outputs: Vec<Slot> = program
        .outputs
        .iter()
        .map(|output| {
            program.input(&output.name).map_or_else(|| device.buffer(program.ty(output.value)).into(), |at| inputs[at])
        })
        .collect();
    // Reading it waits for what was enqueued.
    let last = device.buffer(&Type { dtype: Dtype::F64, shape: Shape::scalar() });
    let call = device.bind(program, &inputs, &outputs);
    device.ready().expect("the device works");
    let mut run = |n: usize| {
        let start = Instant::now();
        (0..n).for_each(|_| device.run(black_box(call), 0));
        device.item(last);
        start.elapsed().as_secs_f64() / n as f64
    };
    let once = run(20);
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    run(1);
    let allocations = ALLOCATIONS.load(Ordering::Relaxed) - before;
    let per_sample = ((2e-3 / once) as usize).max(1);
    let mut samples: Vec<f64> = (0..200).map(|_| run(per_sample)).collect();
    samples.sort_by(f64::total_cmp);
    Timing { least: samples[0], median: samples[samples.len() / 2], allocations }
}
