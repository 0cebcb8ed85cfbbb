//! How often a device is told something in an iteration, counted from the plans: no device is needed.

use admmc::exec::cuda::Load;
use admmc::exec::{Buffer, Slot};
use admmc::schedule::ir::{Arg, CallStmt, LoopUnit, Schedule, Stmt};
use admmc::tape::{Op, Program};

use crate::examples;

/// Numbers of the trace that one launch keeps.
const KEPT: usize = 16;

/// What an iteration holds, and what it is on a device.
#[derive(Default)]
struct Counts {
    products: usize,
    /// Ops that are neither elementwise nor a sum of everything nor a view.
    primitives: usize,
    reductions: usize,
    launches: usize,
}

impl Counts {
    fn program(&mut self, program: &Program) {
        for inst in &program.insts {
            match &inst.op {
                Op::MatMul { .. } => self.products += 1,
                Op::Reduce { .. } => self.reductions += 1,
                Op::Input(_)
                | Op::Const(_)
                | Op::Unary(_)
                | Op::Binary(_)
                | Op::Select
                | Op::Broadcast { .. }
                | Op::Reshape
                | Op::Cast => {}
                _ => self.primitives += 1,
            }
        }
    }

    fn call(&mut self, schedule: &Schedule, call: &CallStmt) {
        let program = schedule.program(call.program);
        let slots = |args: &[Arg]| -> Vec<Slot> {
            args.iter().map(|arg| Slot { buffer: Buffer(arg.state.0), member: arg.member }).collect()
        };
        self.program(program);
        self.launches += Load::of(program, &slots(&call.inputs), &slots(&call.outputs)).launches();
    }

    /// A pass: all that may happen in it.
    fn body(&mut self, schedule: &Schedule, body: &[Stmt]) {
        for stmt in body {
            match stmt {
                Stmt::Call(call) | Stmt::Pick { call, .. } => self.call(schedule, call),
                Stmt::If { body, .. } | Stmt::When { body, .. } => self.body(schedule, body),
                Stmt::Loop(it) if it.unit == LoopUnit::Step => self.body(schedule, &it.body),
                Stmt::LineSearch(search) => self.call(schedule, &search.trial),
                // Stops and rows of the trace are counted among the two that every iteration has.
                _ => {}
            }
        }
    }
}

/// Every body of a loop of iterations or batches.
fn iterations<'a>(body: &'a [Stmt], found: &mut Vec<&'a [Stmt]>) {
    for stmt in body {
        if let Stmt::Loop(it) = stmt {
            match it.unit {
                LoopUnit::Iteration | LoopUnit::Batch => found.push(&it.body),
                _ => iterations(&it.body, found),
            }
        }
    }
}

/// A product has an epilogue, a primitive and a reduction are a launch each, and what is left is swept once:
/// where a program is small there are fewer.
#[test]
fn an_iteration_is_few_launches() {
    for name in examples::names() {
        let schedule = examples::compiled(&name).schedule;
        let mut bodies = Vec::new();
        iterations(&schedule.body, &mut bodies);
        for body in bodies {
            let mut counts = Counts::default();
            counts.body(&schedule, body);
            let most = 2 * counts.products + counts.primitives + counts.reductions + 2;
            let kept = body.iter().filter(|stmt| matches!(stmt, Stmt::Record(row) if row.values.len() > KEPT)).count();
            eprintln!("{name}: {} of {most}", counts.launches);
            assert_eq!(kept, 0, "{name}: a row is one launch");
            assert!(counts.launches <= most, "{name}: {} launches, at most {most}", counts.launches);
        }
    }
}
