//! The first passes of a schedule on two devices, number by number.

use admmc::exec::{Cpu, Executor};
use admmc::schedule::ir::{LoopUnit, Schedule, Stmt};
use admmc::tape::Dtype;

use crate::compile::end_on;

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

/// The first passes on a device end as on the processor.
pub(crate) fn compare(name: &str, mut schedule: Schedule, device: &mut dyn Executor) {
    shorten(&mut schedule.body);
    let (here, there) = (end_on(&schedule, &mut Cpu::new(1)), end_on(&schedule, device));
    assert_eq!(here.status.word(), there.status.word(), "{name}");
    assert_eq!(here.iterations, there.iterations, "{name}");
    let eps = if schedule.dtype() == Dtype::F32 { f64::from(f32::EPSILON) } else { f64::EPSILON };
    assert_eq!(here.answers.len(), there.answers.len(), "{name}");
    for (here, there) in here.answers.iter().zip(&there.answers) {
        let (x, y) = (here.tensor.to_f64(), there.tensor.to_f64());
        let size = x.iter().fold(1.0, |size: f64, x| size.max(x.abs()));
        for (at, (x, y)) in x.iter().zip(&y).enumerate() {
            // Of what is not a number on one of them no comparison holds.
            let same = (x - y).abs() <= ROUNDINGS * eps * size || x.to_bits() == y.to_bits();
            assert!(same, "{name}: {}[{at}] is {x} here and {y} there, of {size:e}", here.name);
        }
    }
}
