//! The examples: what is derived from them, and short runs of each.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use admmc::data::Disk;
use admmc::diag::Severity;
use admmc::exec::{Cpu, Nobody, Outcome, Status, run};
use admmc::host::Still;
use admmc::pipeline::{self, Compiled};
use admmc::report::explain::{Subject, explain};
use admmc::schedule::ir::Start;
use admmc::steps::Script;
use expect_test::expect;

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(format!("{name}.admm"))
}

fn compile(name: &str, set: &[(&str, &str)], solve: Option<&str>) -> Compiled {
    let mut parsed = pipeline::parse(&path(name), &Disk).expect("the example is there");
    let compiled = crate::compile::compile(&mut parsed, &Disk, set, solve);
    let found: Vec<String> = parsed
        .diags
        .iter()
        .filter(|diag| diag.severity > Severity::Note)
        .map(|diag| format!("{}: {}", diag.code, diag.message))
        .collect();
    assert_eq!(found, Vec::<String>::new(), "{name} has neither errors nor warnings");
    compiled.expect("a file without errors compiles")
}

fn execute(compiled: &Compiled, threads: usize, seed: u64) -> Outcome {
    let mut cpu = Cpu::new(threads);
    run(&compiled.schedule, &mut cpu, &Still::default(), &mut Nobody, seed).expect("no checkpoint is there")
}

fn explained(name: &str) -> String {
    let compiled = compile(name, &[], None);
    let subject =
        Subject { model: &compiled.model, split: &compiled.split, plan: &compiled.plan, schedule: &compiled.schedule };
    explain(subject, Script::Unicode)
}

#[test]
fn toy_explained() {
    expect![[r#"
        ADMM
          block x: θ1 (321)
          block z: θ2 (321)

          x-step   θ₁ ← (θ₁ − η(∇h(θ₁) − λ) + ηρθ₂)/(1 + ηρ)   (10 times)
                   gradient descent: h = fit, 10 steps of η = 0.002; not quadratic: `fit` holds tanh
          z-step   θ₂ = (ρθ₁ − λ)/(1 + ρ)
                   closed form: h = size is quadratic, P = 1·I[321], MᵀM = 1·I[321]
          λ-step   λ ← λ + ρ(θ₂ − θ₁)

          ρ starts at 1 (as written) and stays
          κ = ρη = 0.002

        one iteration: 1 449 413 flops, 132 176 bytes read and written by its programs
    "#]]
    .assert_eq(&explained("toy"));
}

#[test]
fn gan_explained() {
    expect![[r#"
        discriminator: ADMM
          block x: θ1 (8385)
          block z: θ2 (8385)

          x-step   θ₁ ← (θ₁ − η(∇h(θ₁) − λ) + ηρθ₂)/(1 + ηρ)
                   gradient descent: h = on_real, one step of η = 0.1; not quadratic: `on_real` reads what changes from call to call
          z-step   θ₂ ← (θ₂ − η(∇h(θ₂) + λ) + ηρθ₁)/(1 + ηρ)
                   gradient descent: h = on_fake, one step of η = 0.1; not quadratic: `on_fake` reads what changes from call to call
          λ-step   λ ← λ + ρ(θ₂ − θ₁)

          ρ starts at 10 (1/rate = 1/0.1, κ = 1) and is balanced every iteration: smoothed ‖r‖ against κ‖B(z⁺ − z)‖, both in the variables' units
          κ = ρη = 1: the coupled pair moves at the effective rate η/(2 + κ) = 0.0333333, at which the unsplit method is the
          fair comparison

        generator: Adam
          on the unsplit objective over φ (9408), one step of η = 0.001

        one batch: 11 500 408 flops, 481 108 bytes read and written by its programs
    "#]].assert_eq(&explained("gan"));
}

/// The objective that L-BFGS reaches from given values of the variables.
fn lbfgs_from(outcome: &Outcome) -> f64 {
    let mut compiled = compile("toy", &[], Some("lbfgs"));
    for state in &mut compiled.schedule.states {
        if let Some(tensor) = outcome.answer(&state.name) {
            state.init = Start::Given(Arc::new(tensor.clone()));
        }
    }
    let exact = execute(&compiled, 1, 0);
    assert_eq!(exact.status, Status::Stationary, "{exact:?}");
    exact.objective()
}

/// For every ρ the unsplit objective ends within 1 % of the local minimum that L-BFGS reaches from
/// there, and the copies agree.
#[test]
fn toy_works_at_any_rho() {
    for rho in ["0.1", "1", "10", "100"] {
        let outcome = execute(&compile("toy", &[("rho", rho)], Some("admm")), 1, 0);
        let reached = outcome.last("unsplit").expect("the unsplit objective is recorded");
        let minimum = lbfgs_from(&outcome);
        assert!(reached <= 1.01 * minimum, "rho = {rho}: {reached}, and L-BFGS reaches {minimum}");
        let apart = outcome.last("primal").expect("the residual is recorded");
        assert!(apart < 1e-3, "rho = {rho}: the copies are {apart} apart");
    }
}

/// A run in one go, and the same with a stop at every safe point but the first few, resumed.
fn broken_and_unbroken(name: &str, set: &[(&str, &str)]) {
    let compiled = compile(name, set, None);
    let whole = execute(&compiled, 1, 3);
    let mut hasty = Still::default();
    hasty.patience = Some(2);
    let first = run(&compiled.schedule, &mut Cpu::new(1), &hasty, &mut Nobody, 3).expect("nothing to misfit");
    assert_eq!(first.status, Status::Interrupted);
    assert!(first.iterations < whole.iterations, "it stopped before the end");
    let kept = hasty.checkpoint.borrow().clone();
    assert!(kept.is_some(), "a stop leaves a checkpoint");
    let mut calm = Still::default();
    calm.checkpoint = kept.into();
    let rest = run(&compiled.schedule, &mut Cpu::new(2), &calm, &mut Nobody, 3).expect("the checkpoint is its own");
    assert_eq!(rest.answers, whole.answers, "{name}: the same bits");
    assert_eq!(rest.trace, whole.trace, "{name}: the same trace");
    assert_eq!(rest.status, whole.status);
}

#[test]
fn a_resumed_run_gives_the_same_bits() {
    broken_and_unbroken("toy", &[]);
    broken_and_unbroken("gan", &[("n_epochs", "4")]);
    broken_and_unbroken("gan_many", &[("n_epochs", "8")]);
}

#[test]
fn one_seed_one_result_at_any_number_of_threads() {
    let compiled = compile("gan", &[("n_epochs", "2")], None);
    let runs: Vec<Outcome> = [1, 1, 2, 3].into_iter().map(|threads| execute(&compiled, threads, 5)).collect();
    for other in &runs[1..] {
        assert_eq!(other.answers, runs[0].answers);
        assert_eq!(other.trace, runs[0].trace);
    }
    assert_ne!(execute(&compiled, 1, 6).answers, runs[0].answers, "another seed is another run");
}

/// A short form of each: it runs to its end, the numbers stay finite, the generator gets better.
#[test]
fn the_gans_learn() {
    for (name, solve, set) in [
        ("gan", Some("play"), ("n_epochs", "40")),
        ("gan", Some("plain"), ("n_epochs", "40")),
        ("gan_hybrid", None, ("rounds", "10")),
        ("gan_tied", None, ("n_epochs", "20")),
        ("gan_many", None, ("n_epochs", "120")),
    ] {
        let outcome = execute(&compile(name, &[set], solve), 1, 0);
        assert_eq!(outcome.status, Status::Completed, "{name}: {outcome:?}");
        let distance = outcome.last("distance").expect("it is tracked");
        // An untrained generator is at a few hundred; a fully trained one at 4 to 10.
        assert!(distance < 60.0, "{name} {solve:?}: {distance}");
    }
}

#[test]
fn the_classifier_reads_digits() {
    let outcome = execute(&compile("classifier", &[("n_epochs", "30")], None), 1, 0);
    let accuracy = outcome.last("held_accuracy").expect("it is tracked");
    assert!(accuracy > 0.95, "{accuracy}");
}

#[test]
fn convex_examples_are_solved() {
    for name in ["consensus", "ridge"] {
        let outcome = execute(&compile(name, &[], None), 1, 0);
        assert_eq!(outcome.status, Status::Solved, "{name}: {outcome:?}");
    }
}
