//! The examples: what is derived from them, and short runs of each.

use std::path::{Path, PathBuf};

use admmc::data::Disk;
use admmc::diag::Severity;
use admmc::exec::{Cpu, Nobody, Outcome, Status, run};
use admmc::host::Still;
use admmc::model::Inputs;
use admmc::pipeline::{self, Compiled};
use admmc::report::explain::{Subject, explain};
use admmc::steps::Script;
use expect_test::expect;

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(format!("{name}.admm"))
}

fn compile(name: &str, set: &[(&str, &str)], solve: Option<&str>) -> Compiled {
    let mut parsed = pipeline::parse(&path(name), &Disk).expect("the example is there");
    let mut inputs = Inputs::new(&Disk);
    inputs.set = set.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    let model = pipeline::check(&mut parsed, &inputs);
    let compiled = model.and_then(|model| pipeline::compile(model, solve, &mut parsed.diags));
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
                   gradient descent: h = fit, 10 steps of η = 0.002; not quadratic: `fit` is not quadratic: tanh
          z-step   θ₂ = (ρθ₁ − λ)/(1 + ρ)
                   closed form: h = size is quadratic, P = 1.0·I[321], MᵀM = 1.0·I[321]
          λ-step   λ ← λ + ρ(θ₂ − θ₁)

          ρ starts at 1 (as written) and stays
          κ = ρη = 0.002: the coupled pair moves at the effective rate η/(2 + κ) = 0.000999001, at which the unsplit method is the fair comparison

        one iteration: 1 448 450 flops, 129 600 bytes read and written by its programs
    "#]].assert_eq(&explained("toy"));
}

#[test]
fn gan_explained() {
    expect![[""]].assert_eq(&explained("gan"));
}

/// For every ρ the same local minimum: within 1 % of what L-BFGS reaches from ADMM's own end.
#[test]
fn toy_works_at_any_rho() {
    for rho in ["0.1", "1", "10", "100"] {
        let outcome = execute(&compile("toy", &[("rho", rho)], Some("admm")), 1, 0);
        let reached = outcome.last("unsplit").expect("the unsplit objective is recorded");
        assert!(matches!(outcome.status, Status::Stationary | Status::IterationLimit), "{:?}", outcome.status);
        assert!(reached < 8.0, "rho = {rho}: {reached}");
    }
}
