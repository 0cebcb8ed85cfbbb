//! Every example gives the processor's numbers on the device, pass by pass.

use std::path::PathBuf;

use admmc::exec::cuda::{self, Compiler, Cuda, Places, Uncached};
use admmc::exec::{Cpu, Executor, Nobody, Outcome, run};
use admmc::host::Still;
use admmc::schedule::ir::{LoopUnit, Schedule, Stmt};
use admmc::tape::Dtype;

use super::libraries;
use crate::examples;

/// Passes of each loop that are compared. They are few, since products add up in another order, and what that
/// changes grows with every pass: of `robust_network`, whose steps search along lines, to 1e-10 in one
/// iteration and 1e-4 in four.
const EPOCHS: usize = 1;
const BATCHES: usize = 3;
const ITERATIONS: usize = 3;
const STEPS: usize = 3;

/// Roundings by which numbers may differ after these.
const ROUNDINGS: f64 = 1e5;

/// Only so many passes of every loop.
fn shorten(body: &mut [Stmt]) {
    for stmt in body {
        match stmt {
            Stmt::Loop(it) => {
                let most = match it.unit {
                    LoopUnit::Epoch => EPOCHS,
                    LoopUnit::Batch => BATCHES,
                    LoopUnit::Iteration => ITERATIONS,
                    LoopUnit::Step => STEPS,
                };
                it.count = it.count.min(most);
                shorten(&mut it.body);
            }
            Stmt::If { body, .. } | Stmt::When { body, .. } => shorten(body),
            _ => {}
        }
    }
}

fn outcome(schedule: &Schedule, device: &mut dyn Executor) -> Outcome {
    run(schedule, device, &Still::default(), &mut Nobody, 0).expect("the device works")
}

fn device(folder: PathBuf) -> Cuda {
    let places = Places::new(vec![folder]);
    let device = cuda::open(&places, 0).expect("the folder has all that a device takes");
    let compiler = Compiler::new(&device, Box::new(Uncached)).expect("NVRTC compiles for the device");
    Cuda::new(device, compiler, places)
}

/// One in `of` of the examples, from the `part`-th on.
fn check(part: usize, of: usize) {
    let Some(folder) = libraries("examples") else { return };
    for name in examples::names().iter().skip(part).step_by(of) {
        let mut schedule = examples::compiled(name).schedule;
        shorten(&mut schedule.body);
        let (here, there) = (outcome(&schedule, &mut Cpu::new(1)), outcome(&schedule, &mut device(folder.clone())));
        assert_eq!(here.status.word(), there.status.word(), "{name}");
        assert_eq!(here.iterations, there.iterations, "{name}");
        let eps = if schedule.dtype() == Dtype::F32 { f64::from(f32::EPSILON) } else { f64::EPSILON };
        assert_eq!(here.answers.len(), there.answers.len(), "{name}");
        for (here, there) in here.answers.iter().zip(&there.answers) {
            let (x, y) = (here.tensor.to_f64(), there.tensor.to_f64());
            let size = x.iter().fold(1.0, |size: f64, x| size.max(x.abs()));
            let apart = x.iter().zip(&y).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max);
            assert!(apart <= ROUNDINGS * eps * size, "{name}: {} is {apart:e} off, of {size:e}", here.name);
        }
    }
}

#[test]
fn every_third() {
    check(0, 3);
}

#[test]
fn every_third_from_the_second() {
    check(1, 3);
}

#[test]
fn every_third_from_the_third() {
    check(2, 3);
}
