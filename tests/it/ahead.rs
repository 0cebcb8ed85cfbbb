//! Running ahead of a device finds what looking after every step finds.

use admmc::exec::{Ahead, Buffer, Call, Cpu, Executor, Nobody, NonFinite, Outcome, Slot, Status, Work, run};
use admmc::host::Still;
use admmc::pipeline::Compiled;
use admmc::tape::{Program, Tensor, Type};

use crate::compile::{compiled, end};
use crate::examples;

/// The processor, which does at once what it is told, as a device that is run ahead of.
struct Eager {
    cpu: Cpu,
    outputs: Vec<Vec<Slot>>,
    kept: Vec<f64>,
    done: usize,
    halted: Option<usize>,
    /// Whether conditions are left to it.
    skips: bool,
    looks: usize,
}

impl Executor for Eager {
    fn name(&self) -> &'static str {
        "eager"
    }

    fn buffer(&mut self, ty: &Type) -> Buffer {
        self.cpu.buffer(ty)
    }

    fn write(&mut self, buffer: Buffer, tensor: &Tensor) {
        self.cpu.write(buffer, tensor);
    }

    fn read(&self, buffer: Buffer) -> Tensor {
        self.cpu.read(buffer)
    }

    fn item(&self, buffer: Buffer) -> f64 {
        self.cpu.item(buffer)
    }

    fn copy(&mut self, from: Buffer, to: Buffer) {
        self.cpu.copy(from, to);
    }

    fn bind(&mut self, program: &Program, inputs: &[Slot], outputs: &[Slot]) -> Call {
        self.outputs.push(outputs.to_vec());
        self.cpu.bind(program, inputs, outputs)
    }

    fn run(&mut self, call: Call, member: usize) {
        self.cpu.run(call, member);
    }

    fn ahead(&self) -> Option<&dyn Ahead> {
        Some(self)
    }

    fn ahead_mut(&mut self) -> Option<&mut dyn Ahead> {
        Some(self)
    }

    fn is_remote(&self) -> bool {
        self.skips
    }

    fn trace(&mut self, call: Call, member: usize) -> Option<NonFinite> {
        self.cpu.trace(call, member)
    }
}

impl Ahead for Eager {
    fn can_skip(&self, _: Call) -> bool {
        self.skips
    }

    fn writes(&self, call: Call, buffer: Buffer) -> bool {
        self.outputs[call.0 as usize].iter().any(|slot| slot.buffer == buffer)
    }

    fn enqueue(&mut self, work: &[Work], sent: &[u32]) {
        for work in work {
            let holds = |when: Option<Buffer>, cpu: &Cpu| when.is_none_or(|when| cpu.item(when) != 0.0);
            match *work {
                _ if self.halted.is_some() => break,
                Work::Run { call, members, when } if holds(when, &self.cpu) => self.cpu.run_each(call, members),
                Work::Pick { call, member, members, when } if holds(when, &self.cpu) => {
                    let member = self.cpu.item(member);
                    if (0.0..members as f64).contains(&member) {
                        self.cpu.run(call, member as usize);
                    }
                }
                Work::Run { .. } | Work::Pick { .. } => {}
                Work::Fill { buffer, from, len } => {
                    let shape = self.cpu.read(buffer).shape;
                    self.cpu.write(buffer, &Tensor::index(shape, sent[from..from + len].to_vec()));
                }
                Work::Keep { value } => self.kept.push(self.cpu.item(value)),
                Work::Halt { when } if self.cpu.item(when) != 0.0 => self.halted = Some(self.done),
                Work::Halt { .. } => {}
            }
            self.done += 1;
        }
    }

    fn settle(&mut self, kept: &mut Vec<f64>) -> Option<usize> {
        self.looks += 1;
        self.done = 0;
        kept.append(&mut self.kept);
        self.halted.take()
    }
}

/// What a run finds that is made ahead of a device, and how often the host looked.
fn ahead(compiled: &Compiled, skips: bool) -> (Outcome, usize) {
    let (cpu, outputs, kept) = (Cpu::new(1), Vec::new(), Vec::new());
    let mut eager = Eager { cpu, outputs, kept, done: 0, halted: None, skips, looks: 0 };
    let outcome = run(&compiled.schedule, &mut eager, &Still::default(), &mut Nobody, 0).expect("no checkpoint");
    (outcome, eager.looks)
}

/// Every way of running gives the same rows, results and end. Says how often the host looked where the
/// device skips, and after how many iterations it was done.
fn check(compiled: &Compiled) -> (Outcome, usize) {
    let plain = end(compiled);
    let (waits, _) = ahead(compiled, false);
    let (skips, looks) = ahead(compiled, true);
    for other in [waits, skips] {
        assert_eq!(other.status, plain.status);
        assert_eq!(other.iterations, plain.iterations);
        assert_eq!(other.trace, plain.trace);
        assert_eq!(other.answers, plain.answers);
        assert_eq!((&other.terms, &other.constraints), (&plain.terms, &plain.constraints));
    }
    (plain, looks)
}

#[test]
fn a_lasso_looks_a_few_times() {
    let (outcome, looks) = check(&examples::compiled("lasso"));
    assert_eq!(outcome.status, Status::Solved);
    assert!(looks < outcome.iterations / 3, "{looks} looks in {} iterations", outcome.iterations);
}

#[test]
fn examples_end_the_same() {
    for name in
        ["quadratic_program", "portfolio", "isotonic_regression", "consensus_lasso", "consensus_logistic", "huber"]
    {
        check(&examples::compiled(name));
    }
}

/// Batches are drawn ahead too, in a loop inside the epochs.
#[test]
fn a_game_looks_a_few_times() {
    let compiled = examples::compile("gan", &[("n_epochs", "2")], None);
    let (outcome, looks) = check(&compiled);
    assert!(outcome.iterations > 20 && !outcome.answers.is_empty());
    assert!(looks > 0 && looks < outcome.iterations / 2, "{looks} looks in {} batches", outcome.iterations);
}

#[test]
fn certificates_and_faults_end_the_same() {
    let contradiction = "var x: real[2]\nminimize sum_squares(x)\n\
        subject to low: x[1] + x[2] >= 3, high: x[1] + x[2] <= 1, x <= 10\n";
    let (outcome, _) = check(&compiled(contradiction));
    assert!(matches!(outcome.status, Status::PrimalInfeasible(_)), "{}", outcome.status);
    let concave = "let q = [0.3, -0.2, 0.1]\nvar x, z: real[3]\nminimize q'*x - sum_squares(x)\n\
        subject to x - z = 0, -1 <= z <= 1\nsolve admm { rho = 2.5, relax = 1 }\n";
    let (outcome, _) = check(&compiled(concave));
    assert!(matches!(outcome.status, Status::Diverged(_)), "{}", outcome.status);
    let wild = "var x: real[3]\nminimize sum(exp(x)) + sum_squares(x)\nsolve gd { rate = 100, iterations = 100 }\n";
    let (outcome, _) = check(&compiled(wild));
    assert!(matches!(outcome.status, Status::NonFinite(_)), "{}", outcome.status);
}
