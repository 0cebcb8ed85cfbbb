//! The examples: what is derived from them, and short runs of each.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use admmc::data::{Disk, Files};
use admmc::diag::Severity;
use admmc::exec::{Cpu, Nobody, Outcome, Status, run};
use admmc::host::Still;
use admmc::pipeline::{self, Compiled};
use admmc::report::explain::{Subject, explain};
use admmc::schedule::ir::Start;
use admmc::steps::Script;
use expect_test::expect;

use crate::compile::is_left_alone;

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(format!("{name}.admm"))
}

pub(crate) fn compile(name: &str, set: &[(&str, &str)], solve: Option<&str>) -> Compiled {
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

/// The names of an example's solve blocks.
pub(crate) fn solves(name: &str) -> Vec<String> {
    compiled(name).model.solves.iter().map(|solve| solve.name.clone()).collect()
}

/// An example as it stands.
pub(crate) fn compiled(name: &str) -> Compiled {
    compile(name, &[], None)
}

fn execute(compiled: &Compiled, threads: usize, seed: u64) -> Outcome {
    let mut cpu = Cpu::new(threads);
    let outcome =
        run(&compiled.schedule, &mut cpu, &Still::default(), &mut Nobody, seed).expect("no checkpoint is there");
    is_left_alone(compiled, &outcome);
    outcome
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

        one iteration: 1 449 417 flops, 132 176 bytes read and written by its programs
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

        one batch: 11 559 113 flops, 548 216 bytes read and written by its programs
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

/// The update of the z-step as a slide prints it: at ρ = 1 the solution; elsewhere another point, of which the check
/// at the end says that z is not the minimiser of its step, or none.
#[test]
fn the_misprint_runs_as_it_is_printed() {
    let run = |rho: &str| {
        let mut parsed = pipeline::parse(&path("misprint"), &Disk).expect("the example is there");
        let compiled = crate::compile::compile(&mut parsed, &Disk, &[("rho", rho)], Some("printed"));
        let said: Vec<Severity> = parsed.diags.iter().map(|diag| diag.severity).collect();
        (said, execute(&compiled.expect("a warning lets it run"), 1, 0))
    };
    let (said, right) = run("1");
    assert_eq!(said, [Severity::Note]);
    assert_eq!(right.status, Status::Solved);
    assert!((right.objective() - 1.328_113).abs() < 1e-6, "{}", right.objective());
    // Where it settles, F + (ρ/2)‖θ‖² is least instead of F + ½‖θ‖².
    let (said, other) = run("2");
    assert_eq!(said, [Severity::Warning]);
    assert_eq!(other.status, Status::IterationLimit);
    let holds = |label: &str| {
        let check = other.stationarity.iter().find(|check| check.label == label).expect("the block is checked");
        check.value <= check.bound.expect("a tolerance is held to")
    };
    assert!(holds("x") && !holds("z"), "{:?}", other.stationarity);
    let ridge = "let A = [1, 0, 0; 1, 0.2, 0.04; 1, 0.4, 0.16; 1, 0.6, 0.36; 1, 0.8, 0.64; 1, 1, 1]\n\
                 let b = [1.1, 1.3, 1.2, 1.7, 2.4, 3.1]\nvar z: real[3]\n\
                 minimize sum_squares(A*z - b)/2 + sum_squares(z)\n";
    let least = crate::compile::execute(&crate::compile::compiled(ridge));
    let [a, b] = [&other, &least].map(|outcome| outcome.answer("z").expect("z is a result").to_f64());
    assert!(a.iter().zip(b.iter()).all(|(a, b)| (a - b).abs() < 1e-6), "{a:?} {b:?}");
    let compiled = compile("misprint", &[], Some("printed"));
    let subject =
        Subject { model: &compiled.model, split: &compiled.split, plan: &compiled.plan, schedule: &compiled.schedule };
    let told = explain(subject, Script::Unicode);
    let lines = "  z-step   z ← (x − λ)/(1 + ρ)\n           as stated, in the place of what is derived from h = size: z = (ρx − λ)/(1 + ρ)\n";
    assert!(told.contains(lines), "{told}");
    assert!(explain(subject, Script::Latex).contains(r"z \leftarrow (x - \lambda )/(1 + \rho )"));
    assert!(compiled.model.to_string().contains("z_step = given((x − λ)/(1 + ρ))"), "{}", compiled.model);
    let (_, none) = run("10");
    assert!(none.last("primal") > Some(1e6), "{:?}", none.last("primal"));
    assert_eq!(none.status, Status::IterationLimit);
}

/// The same on the small network: its z-step, stated as derived, is the derived one bit for bit; as it is printed,
/// ρ = 10 ends away from where θ₂ is the minimiser of its step.
#[test]
fn a_network_with_a_stated_step() {
    let text = std::fs::read_to_string(path("toy")).expect("the example is there");
    let run = |step: &str, rho: &str| {
        let stated = format!("steps = 10){step} }}\nsolve sgd");
        let text = text.replace("steps = 10) }\nsolve sgd", &stated).replace("iterations = 2000", "iterations = 300");
        assert!(text.contains(step), "the setting is put in");
        let mut parsed = pipeline::parse_text(&path("toy"), &text, &Disk);
        let compiled = crate::compile::compile(&mut parsed, &Disk, &[("rho", rho)], Some("admm"));
        execute(&compiled.expect("a warning lets it run"), 1, 0)
    };
    let derived = run("", "10");
    let stated = run(", z_step = given((ρ*θ1 - λ)/(1 + ρ))", "10");
    let near = |a: &Outcome, b: &Outcome| {
        let [a, b] = [a, b].map(|outcome| outcome.answer("θ2").expect("θ2 is a result").to_f64());
        a.iter().zip(b.iter()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    };
    assert!(near(&derived, &stated) < 1e-6, "{}", near(&derived, &stated));
    let left =
        |outcome: &Outcome| outcome.stationarity.iter().find(|check| check.label == "θ2").map(|check| check.value);
    let printed = run(", z_step = given((θ1 - λ)/(1 + ρ))", "10");
    assert!(left(&stated) < Some(1e-6), "{:?}", left(&stated));
    assert!(left(&printed).is_none_or(|left| left.is_nan() || left >= 1e-1), "{:?}", left(&printed));
    assert!(!matches!(printed.status, Status::Solved | Status::Stationary), "{:?}", printed.status);
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
        ("gan_conv", Some("play"), ("n_epochs", "10")),
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

/// Problems whose answer is known: the example, how it ends, its objective, and where that number is from.
/// CVXPY's are those of CVXPY 1.9 with Clarabel 0.11, of the same data and without a split.
const KNOWN: &[(&str, Status, f64, &str)] = &[
    ("weighted_logistic", Status::Solved, 188.854_87, "CVXPY"),
    ("basis_pursuit", Status::Solved, 7.0, "the sparse solution that the equations were made from"),
    ("consensus", Status::Solved, 0.855_863_6, "NumPy: the normal equations of all rows"),
    ("consensus_lasso", Status::Solved, 20.448_89, "CVXPY: the lasso of all rows"),
    ("consensus_logistic", Status::Solved, 50.230_86, "CVXPY: the regression of all rows"),
    ("elastic_net", Status::Solved, 78.141_57, "CVXPY"),
    ("group_lasso", Status::Solved, 73.739_86, "CVXPY"),
    ("huber", Status::Solved, 20.093_27, "CVXPY"),
    ("image_denoising", Status::Solved, 32.510_66, "CVXPY"),
    ("isotonic_regression", Status::Solved, 3.412_508, "scikit-learn 1.9"),
    ("lasso", Status::Solved, 94.259_68, "CVXPY"),
    ("lasso_split", Status::Solved, 94.259_68, "CVXPY"),
    ("least_absolute_deviations", Status::Solved, 42.081_16, "CVXPY; the published fit of these data"),
    ("linear_program", Status::Solved, 36.0, "Hillier and Lieberman, §3.1"),
    ("logistic_regression", Status::Solved, 116.450_0, "CVXPY"),
    ("matrix_completion", Status::Solved, 60.216_13, "CVXPY; the nuclear norm of the whole matrix"),
    ("max_cut", Status::Solved, 8.728_617, "9/2·(1 + cos(π/9)), Goemans and Williamson (1995)"),
    ("misprint", Status::Solved, 1.328_113, "NumPy: the normal equations"),
    ("model_predictive_control", Status::Solved, 85.629_45, "CVXPY"),
    ("nonnegative_least_squares", Status::Solved, 0.237_983_4, "SciPy: nnls"),
    ("optimal_transport", Status::Solved, 0.096_078_31, "SciPy: linprog with HiGHS"),
    ("poisson_regression", Status::Solved, 324.704_0, "CVXPY"),
    ("polyhedra", Status::Solved, 0.0, "nothing to minimise"),
    ("portfolio", Status::Solved, 0.051_398_82, "CVXPY"),
    ("quadratic_program", Status::Solved, -19.917_52, "CVXPY"),
    ("regressor_selection", Status::Stationary, 0.204_578_4, "NumPy: the best of all 4845 choices"),
    ("ridge", Status::Solved, 5.189_152, "NumPy: the normal equations"),
    ("robust_pca", Status::Solved, 95.562_73, "CVXPY"),
    ("signed_logistic", Status::Solved, 85.775_58, "CVXPY"),
    ("sparse_covariance", Status::Solved, 15.273_76, "CVXPY"),
    ("svm", Status::Solved, 7.244_314, "CVXPY"),
    ("total_variation", Status::Solved, 1_021_705.0, "CVXPY"),
    ("trend_filter", Status::Solved, 250.529_9, "CVXPY"),
    ("water_filling", Status::Solved, 1.021_737, "NumPy: the level by bisection"),
];

/// Relative error of an objective at the default tolerance; the worst seen is 2e-5.
const NEAR: f64 = 1e-4;

/// Relative distance of a dual bound from the objective. The distance is the residual times the size of the
/// variables; those of `trend_filter` are 1e4 times what its objective measures.
const BOUND: f64 = 1e-3;
const LOOSE: (&str, f64) = ("trend_filter", 0.05);

fn is_maximised(name: &str) -> bool {
    let text = std::fs::read_to_string(path(name)).expect("the example is there");
    text.lines().any(|line| line.starts_with("maximize"))
}

/// All of them, at default settings. The verdict is on the problem as written: constraints and optimality.
#[test]
fn known_answers_are_found() {
    let mut wrong = Vec::new();
    for (name, status, objective, from) in KNOWN {
        let outcome = execute(&compile(name, &[], None), 1, 0);
        let found = outcome.objective();
        if outcome.status != *status {
            wrong.push(format!("{name} ends {}, not {status}", outcome.status));
        }
        if (found - objective).abs() > NEAR * objective.abs() {
            wrong.push(format!("{name} ends at {found}, not at {objective} ({from})"));
        }
        // The bound is one: the answer of others is not beyond it, and it is near.
        if let Some(bound) = outcome.bound {
            let better = if is_maximised(name) { bound - objective } else { objective - bound };
            if better < -1e-6 * objective.abs().max(1.0)
                || better > (if *name == LOOSE.0 { LOOSE.1 } else { BOUND }) * objective.abs().max(1.0)
            {
                wrong.push(format!("{name}: {bound} bounds {objective}"));
            }
        } else if outcome.status == Status::Solved {
            wrong.push(format!("{name} is solved without a bound"));
        }
        let checks = outcome.constraints.iter().chain(&outcome.stationarity);
        let missed = checks.filter(|check| check.bound.is_none_or(|bound| check.value > bound));
        wrong.extend(missed.map(|check| format!("{name}: {check:?}")));
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// Whoever trains a network has a test above or below.
#[test]
fn every_example_is_tested() {
    let networks = [
        "classifier",
        "fair",
        "fair_outputs",
        "gan",
        "gan_conv",
        "gan_hybrid",
        "gan_many",
        "gan_tied",
        "prune",
        "quantise",
        "robust_network",
        "sparse_classifier",
        "toy",
    ];
    let mut tested: Vec<&str> = KNOWN.iter().map(|(name, ..)| *name).chain(networks).collect();
    tested.sort_unstable();
    assert_eq!(names(), tested);
}

/// The file that lists the examples has each of them once, and no others.
#[test]
fn every_example_is_listed() {
    let list = include_str!("../../examples/README.md");
    let rows = list.lines().filter_map(|line| line.strip_prefix("| ["));
    let mut listed: Vec<&str> = rows.filter_map(|row| row.split(".admm]").next()).collect();
    listed.sort_unstable();
    assert_eq!(names(), listed);
    for name in listed {
        assert!(list.contains(&format!("[{name}.admm]({name}.admm)")), "{name} leads to its file");
    }
}

/// Names of the files in examples/, in order.
pub(crate) fn names() -> Vec<String> {
    let folder = path("any").parent().expect("the folder of the examples").to_path_buf();
    let files = Disk.list(&folder);
    files.iter().filter_map(|file| file.strip_suffix(".admm")).map(str::to_string).collect()
}

/// Weights of a pruned and of a quantised network are what the sets say, to the last bit, and the digits
/// are still read.
#[test]
fn projected_networks_still_read_digits() {
    let run = |name, column| {
        let outcome = execute(&compile(name, &[("n_epochs", "20")], None), 1, 0);
        assert_eq!(outcome.status, Status::Completed, "{name}: {outcome:?}");
        let accuracy = outcome.last(column).expect("it is tracked");
        let mut numbers =
            outcome.answer("classifier.θ2").or(outcome.answer("θ2")).expect("the copy").to_f64().into_vec();
        // Biases are free: 128, 32 and 10 numbers, each behind the weights of its layer.
        for (weights, biases) in [(64 * 128, 128), (128 * 32, 32), (32 * 10, 10)].into_iter() {
            numbers.rotate_left(weights);
            numbers.drain(..biases);
        }
        (accuracy, numbers)
    };
    // Without further training these are at 0.47 and 0.88.
    let (accuracy, weights) = run("prune", "pruned");
    assert!(accuracy > 0.9, "{accuracy}");
    assert_eq!(weights.iter().filter(|weight| **weight != 0.0).count(), 1260);
    let (accuracy, weights) = run("quantise", "quantised");
    assert!(accuracy > 0.93, "{accuracy}");
    assert!(weights.iter().all(|weight| [-0.2f32, 0.0, 0.2].contains(&(*weight as f32))));
}

/// The threshold in the step that trains a network sets weights to 0, to the last bit, and the digits are read.
#[test]
fn a_network_is_thresholded_while_it_is_trained() {
    let outcome = execute(&compile("sparse_classifier", &[("n_epochs", "40")], None), 1, 0);
    assert_eq!(outcome.status, Status::Completed, "{outcome:?}");
    let (accuracy, left) = (outcome.last("accuracy"), outcome.last("left").expect("it is tracked"));
    assert!(accuracy.expect("it is tracked") > 0.95, "{accuracy:?}");
    // Without the norm all 12608 are left.
    assert!(left < 8000.0, "{left}");
}

/// Those who differ by d are scored apart by L·d at most.
#[test]
fn the_fair_network_keeps_its_promise() {
    let outcome = execute(&compile("fair", &[], None), 1, 0);
    assert_eq!(outcome.status, Status::Stationary, "{outcome:?}");
    let kept = outcome.constraints.iter().all(|check| check.bound.is_some_and(|bound| check.value <= bound));
    assert!(kept, "{:?}", outcome.constraints);
    // Without the promise the fit goes below 0.1, with L = 1 it ends at 0.43, and projected gradients in NumPy end at 0.2929 to 0.2932.
    assert!((0.290..0.296).contains(&outcome.objective()), "{}", outcome.objective());
}
