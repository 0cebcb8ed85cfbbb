//! Whole runs on small problems whose answers are known in closed form.

use std::path::Path;

use admmc::data::Memory;
use admmc::exec::{Cpu, Executor, Failure, Nobody, Outcome, Reference, Status, run};
use admmc::host::Still;
use admmc::pipeline;

use crate::compile::{compile, compiled, drawn};

/// Compiles a text and runs its first solve block.
pub(crate) fn solve_on(text: &str, set: &[(&str, &str)], executor: &mut dyn Executor) -> Outcome {
    let files = Memory::default();
    let mut parsed = pipeline::parse_text(Path::new("test.admm"), text, &files);
    let compiled = compile(&mut parsed, &files, set, None).unwrap_or_else(|| panic!("{}", drawn(&parsed)));
    run(&compiled.schedule, executor, &Still::default(), &mut Nobody, 0).expect("there is no checkpoint to misfit")
}

pub(crate) fn solve(text: &str) -> Outcome {
    solve_on(text, &[], &mut Cpu::new(1))
}

pub(crate) fn vector(outcome: &Outcome, name: &str) -> Vec<f64> {
    outcome.answer(name).unwrap_or_else(|| panic!("`{name}` is a result")).to_f64().into_vec()
}

pub(crate) fn close(a: &[f64], b: &[f64], tolerance: f64) {
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() <= tolerance, "{a} and {b} differ by more than {tolerance}");
    }
}

const SCALAR: &str = "
param a = 3
param b = 1
param r = 2
param k = 4
var x, z: real[1], init = ones(1)
minimize a/2*sum_squares(x) + b/2*sum_squares(z)
subject to z - x = 0
solve admm { rho = r, relax = 1, adapt = fixed, iterations = k, tol = 1e-300 }
";

/// On `a/2 x² + b/2 z²` the iteration contracts by (ρ² + ab)/((ρ + a)(ρ + b)) exactly.
#[test]
fn the_scalar_quadratic_contracts_by_its_formula() {
    let (a, b) = (3.0, 1.0);
    for rho in [0.1, 1.0, 3f64.sqrt(), 10.0] {
        let at = |k: &str| {
            let outcome = solve_on(SCALAR, &[("r", &rho.to_string()), ("k", k)], &mut Cpu::new(1));
            vector(&outcome, "z")[0]
        };
        let factor = at("5") / at("4");
        let expected = (rho * rho + a * b) / ((rho + a) * (rho + b));
        assert!((factor - expected).abs() < 1e-12, "rho = {rho}: {factor}, and the formula says {expected}");
    }
}

const REGRESSION: &str = "
let A = [1, 2; 0, 1; 3, -1]
let d = [1; 2; 3]
var x: real[2]
var z: real[3]
minimize fit: sum_squares(x - [1; -1])/2 + reg: sum_squares(z - d)
subject to link: A*x - z = 0
solve admm { tol = 1e-10, iterations = 5000 }
";

/// (I + 2AᵀA) x = (1, −1) + 2Aᵀd.
#[test]
fn a_dense_coupling_is_solved() {
    let outcome = solve(REGRESSION);
    assert_eq!(outcome.status, Status::Solved, "{outcome:?}");
    // AᵀA = [10, −1; −1, 6], Aᵀd = (10, 1).
    let (p, q, r) = (21.0, -2.0, 13.0);
    let (u, v) = (1.0 + 20.0, -1.0 + 2.0);
    let det = p * r - q * q;
    let x = [(r * u - q * v) / det, (p * v - q * u) / det];
    close(&vector(&outcome, "x"), &x, 1e-8);
    // λ is the gradient of the second term's negative: B = −I, so λ = 2(z − d).
    let z = vector(&outcome, "z");
    let expected: Vec<f64> = z.iter().zip([1.0, 2.0, 3.0]).map(|(z, d)| 2.0 * (z - d)).collect();
    close(&vector(&outcome, "λ.link"), &expected, 1e-7);
}

/// Every member of a family of least-squares problems agrees with the mean of all.
#[test]
fn consensus_of_a_family() {
    let text = "
let C = [1, 2, 3, 4; 5, 6, 7, 9]
var w[i in 1 to 2]: real[4]
var z: real[4]
minimize sum(i in 1 to 2: sum_squares(w[i]) + 0) + sum_squares(z - C[1, :])
subject to link[i in 1 to 2]: w[i] - z = 0
solve admm { tol = 1e-10, iterations = 5000 }
";
    let outcome = solve(text);
    assert_eq!(outcome.status, Status::Solved, "{outcome:?}");
    // 2‖z‖² + ‖z − c‖² is least at c/3.
    let expected: Vec<f64> = [1.0, 2.0, 3.0, 4.0].iter().map(|c| c / 3.0).collect();
    close(&vector(&outcome, "z"), &expected, 1e-8);
    close(&vector(&outcome, "w"), &[expected.clone(), expected].concat(), 1e-8);
}

/// The same run on the oracle and on the fast executor.
#[test]
fn reference_and_cpu_agree() {
    let fast = solve_on(REGRESSION, &[], &mut Cpu::new(1));
    let slow = solve_on(REGRESSION, &[], &mut Reference::new());
    assert_eq!(fast.iterations, slow.iterations);
    close(&vector(&fast, "x"), &vector(&slow, "x"), 1e-12);
}

/// Names that the algorithm uses for its own numbers are free for variables.
#[test]
fn variables_may_be_named_like_residuals() {
    let text = "
var primal, dual: real[1]
minimize sum_squares(primal - ones(1)) + sum_squares(dual)
subject to primal - dual = 0
solve admm { tol = 1e-9, iterations = 1000 }
";
    let outcome = solve(text);
    assert_eq!(outcome.status, Status::Solved, "{outcome:?}");
    close(&vector(&outcome, "primal"), &[0.5], 1e-7);
    close(&vector(&outcome, "dual"), &[0.5], 1e-7);
}

/// Two equations under one label have a multiplier each.
#[test]
fn a_label_may_name_a_chain() {
    let text = "
var x, z: real[2]
var w: real[2]
minimize sum_squares(x - ones(2)) + sum_squares(z) + 2*sum_squares(w)
subject to link: x = z
           link2: w = z
solve admm { tol = 1e-10, iterations = 5000 }
";
    let outcome = solve(text);
    assert_eq!(outcome.status, Status::Solved, "{outcome:?}");
    // (v − 1)² + v² + 2v² is least at 1/4.
    close(&vector(&outcome, "z"), &[0.25; 2], 1e-7);
    // The star has a kept centre, so descent on the unsplit problem reaches the same point.
    let whole = solve(&text.replace("solve admm { tol = 1e-10, iterations = 5000 }", "solve lbfgs { tol = 1e-10 }"));
    assert_eq!(whole.status, Status::Stationary, "{whole:?}");
    for name in ["x", "z", "w"] {
        close(&vector(&whole, name), &[0.25; 2], 1e-7);
    }
}

/// A gradient that is infinite is no success.
#[test]
fn an_infinite_start_is_not_stationary() {
    let outcome = solve("var x: real[3]\nminimize sum(x.^2) - sum(log(x))\nsolve lbfgs {}\n");
    assert!(matches!(outcome.status, Status::NonFinite(_)), "{:?}", outcome.status);
}

/// A run that is stopped leaves copies that belong to what was reached.
#[test]
fn a_stopped_descent_sets_its_copies() {
    let text = "
var x, z: real[2], init = ones(2)
minimize sum_squares(x - 3*ones(2)) + sum_squares(z)
subject to x - z = 0
solve gd { rate = 0.1, iterations = 1000 }
";
    let compiled = compiled(text);
    let mut hasty = Still::default();
    hasty.patience = Some(3);
    let outcome = run(&compiled.schedule, &mut Cpu::new(1), &hasty, &mut Nobody, 0).expect("no checkpoint is there");
    assert_eq!(outcome.status, Status::Interrupted);
    assert_eq!(vector(&outcome, "x"), vector(&outcome, "z"));
    assert_ne!(vector(&outcome, "x"), vec![1.0; 2], "it has moved");
}

/// A checkpoint of another seed is refused in a sentence.
#[test]
fn a_checkpoint_belongs_to_its_seed() {
    let compiled = compiled(REGRESSION);
    let mut hasty = Still::default();
    hasty.patience = Some(2);
    run(&compiled.schedule, &mut Cpu::new(1), &hasty, &mut Nobody, 1).expect("no checkpoint is there");
    hasty.patience = None;
    let refused = run(&compiled.schedule, &mut Cpu::new(1), &hasty, &mut Nobody, 2);
    let Err(Failure::Checkpoint(sentence)) = refused else { panic!("the checkpoint is refused") };
    assert!(sentence.contains("another seed"), "{sentence}");
    assert!(run(&compiled.schedule, &mut Cpu::new(1), &hasty, &mut Nobody, 1).is_ok());
}

/// Whatever the inner method, the same point: moments of the data gradient must not outweigh the pull.
#[test]
fn inner_methods_agree() {
    let problem = "
let A = normal(12, 6, seed = 3)
var x: real[6]
var z: real[12]
minimize fit: sum(log(1 + exp(x))) + 0.05*sum_squares(x) + reg: sum_squares(z - ones(12))
subject to link: A*x - z = 0
";
    let exact = solve(&format!("{problem}solve lbfgs {{ tol = 1e-10 }}\n"));
    for inner in [
        "gradient(rate = 0.05, steps = 5)",
        "gradient(rate = 0.05, momentum = 0.5, steps = 5)",
        "adam(rate = 0.02, steps = 5)",
        "lbfgs()",
    ] {
        let outcome = solve(&format!("{problem}solve admm {{ x_step = {inner}, iterations = 3000, tol = 1e-7 }}\n"));
        assert_eq!(outcome.status, Status::Solved, "{inner}");
        close(&vector(&outcome, "x"), &vector(&exact, "x"), 1e-4);
    }
}

/// Nothing to split: one closed form is the whole answer.
#[test]
fn an_unsplit_problem_is_solved_as_it_stands() {
    let outcome = solve("var x: real[3]\nminimize sum_squares(x - [3, -0.25, 1])/2 + 0.5*norm1(x)\n");
    assert_eq!((outcome.status.clone(), outcome.iterations), (Status::Solved, 1), "{outcome:?}");
    close(&vector(&outcome, "x"), &[2.5, 0.0, 0.5], 1e-15);
    let outcome = solve("var x: real[2]\nminimize sum_squares([2, 1; 1, 3]*x - [3, 4])\n");
    assert_eq!((outcome.status.clone(), outcome.iterations), (Status::Solved, 1), "{outcome:?}");
    close(&vector(&outcome, "x"), &[1.0, 1.0], 1e-14);
}

/// What is named is computed from the variables as they end, members of a family one by one; an inequality
/// leaves its slack, a bound doesn't. The values by hand: the projection of (2, −1) on `x₁ + x₂ ≤ 1/2, x ≥ −2`
/// is (1.75, −1.25).
#[test]
fn named_values_and_slacks_are_results() {
    let outcome = solve(
        "let c = [2, -1]\nvar x: real[2]\nlet gap = x - c\nlet far = norm2(gap)\nlet known = c[1]\n\
         minimize sum_squares(gap)/2\nsubject to\n    cap: x[1] + x[2] <= 0.5\n    x >= -2\n",
    );
    assert_eq!(outcome.status, Status::Solved, "{outcome:?}");
    close(&vector(&outcome, "gap"), &[-0.25, -0.25], 1e-4);
    close(&vector(&outcome, "far"), &[0.125f64.sqrt()], 1e-4);
    close(&vector(&outcome, "slack(cap)"), &[0.0], 1e-4);
    let names: Vec<&str> = outcome.answers.iter().map(|answer| answer.name.as_str()).collect();
    assert!(
        !names.contains(&"known") && names.iter().filter(|name| name.starts_with("slack")).count() == 1,
        "{names:?}"
    );
    let family = "let c = [1, 2]\nvar u[k in 1 to 2]: real\nminimize sum(k in 1 to 2: (u[k] - c[k])^2)\nsubject to room[k in 1 to 2]: 2*u[k] <= 3\n";
    close(&vector(&solve(family), "slack(room)"), &[1.0, 0.0], 1e-4);
}

/// One result of a family, whether its index only picks members and rows or is a number as well, and one of each
/// name of a tuple. x ends at (3, 1, 2).
#[test]
fn families_of_named_values_are_results() {
    let text = "let A = [1, 0, 2; 0, 1, 1]\nlet c = [3, 1, 2]\nvar x: real[3]\nvar u[k in 1 to 2]: real[2]\n\
                let row[i in 1 to 2] = A[i, :]'*x\nlet jump[i in 1 to 2] = i*(x[i + 1] - x[i])\n\
                let off[k in 1 to 2] = u[k] - c[1 to 2]\nlet far[k in 1 to 2] = norm2(off[k])\n\
                let (low, high) = (min(x), max(x))\nlet known[i in 1 to 2] = c[i]\n\
                minimize sum_squares(x - c) + sum(k in 1 to 2: sum_squares(u[k] - A[1 to 2, 1]))\n";
    let outcome = solve(text);
    assert_eq!(outcome.status, Status::Solved, "{outcome:?}");
    let is = |name: &str, expected: &[f64]| close(&vector(&outcome, name), expected, 1e-6);
    is("row", &[7.0, 3.0]);
    is("jump", &[-2.0, 2.0]);
    is("off", &[-2.0, -1.0, -2.0, -1.0]);
    is("far", &[5f64.sqrt(), 5f64.sqrt()]);
    is("low", &[1.0]);
    is("high", &[3.0]);
    assert!(outcome.answers.iter().all(|answer| answer.name != "known"), "{outcome:?}");
}

/// 1/0 is what the file asks for, and says nothing of the point.
#[test]
fn a_named_value_may_be_infinite() {
    let outcome =
        solve("var x: real[2]\nlet ratio = 1/x[1]\nminimize sum_squares(x - [0; 3])\nsubject to\n    x[1] = 0\n");
    assert_eq!(outcome.status, Status::Solved, "{outcome:?}");
    close(&vector(&outcome, "x"), &[0.0, 3.0], 1e-9);
    assert!(vector(&outcome, "ratio")[0].is_infinite(), "{outcome:?}");
}

/// A sum over an index and a labelled sum are cut apart to be stepped, and are one number of the report.
#[test]
fn a_term_of_the_file_is_one_term_of_the_report() {
    let text = "var x: real[3]\nminimize fit: (sum_squares(x - [1, 2, 3]) + 2*sum(x)) + sum(k in 1 to 3: k*x[k]^2) + norm1(x)\n";
    let outcome = solve(text);
    let names: Vec<&str> = outcome.terms.iter().map(|term| term.label.as_str()).collect();
    assert_eq!(names, ["fit", "term 2", "term 3"]);
    let x = vector(&outcome, "x");
    let fit: f64 = x.iter().zip([1.0, 2.0, 3.0]).map(|(x, b)| (x - b).powi(2) + 2.0 * x).sum();
    let weighted: f64 = x.iter().zip([1.0, 2.0, 3.0]).map(|(x, k)| k * x * x).sum();
    close(&[outcome.terms[0].value, outcome.terms[1].value], &[fit, weighted], 1e-12);
}
