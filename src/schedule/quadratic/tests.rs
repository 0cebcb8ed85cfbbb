//! Every way to solve a step gives the same step, and the one that a dense system in doubles gives.

use std::path::Path;

use crate::data::Memory;
use crate::diag::Severity;
use crate::exec::{Cpu, Executor, Nobody, Reference, run};
use crate::host::Still;
use crate::linalg::{Matrix, factor};
use crate::model::Inputs;
use crate::pipeline::{self, Compiled};
use crate::schedule;
use crate::steps::ir::{AdmmPlan, MethodPlan, Rule, Solver, Step};
use crate::steps::{Plan, solvers};

/// Compiles a text; `settings` stand in its solve block.
fn compiled(text: &str, settings: &str) -> Compiled {
    let text = format!("{text}\nsolve admm {{ {settings} }}\n");
    let files = Memory::default();
    let mut parsed = pipeline::parse_text(Path::new("test.admm"), &text, &files);
    let model = pipeline::check(&mut parsed, &Inputs::new(&files));
    let compiled = model.and_then(|model| pipeline::compile(model, None, &mut parsed.diags));
    let errors: Vec<String> = parsed
        .diags
        .iter()
        .filter(|diag| diag.severity == Severity::Error)
        .map(|diag| format!("{}: {} {:?}", diag.code, diag.message, diag.certificate))
        .collect();
    assert_eq!(errors, Vec::<String>::new(), "{text}");
    compiled.expect("a file without errors compiles")
}

fn admm(plan: &mut Plan) -> &mut AdmmPlan {
    match &mut plan.methods[0] {
        MethodPlan::Admm(plan) => plan,
        other => panic!("{other:?} is no split iteration"),
    }
}

/// The compiled problem with another way to solve its x-step.
fn with(compiled: &Compiled, solver: &Solver) -> schedule::Schedule {
    let mut plan = compiled.plan.clone();
    let Rule::Quadratic { system, .. } = &mut admm(&mut plan).x[0].rule else { panic!("the x-step is quadratic") };
    system.solver = solver.clone();
    schedule::build(&compiled.model, &compiled.split, &plan, &compiled.model.solves[0]).expect("well formed")
}

/// The variable `x` after the run.
fn x_after(schedule: &schedule::Schedule, executor: &mut dyn Executor) -> Vec<f64> {
    let outcome = run(schedule, executor, &Still::default(), &mut Nobody, 0).expect("there is no checkpoint");
    outcome.answer("x").expect("`x` is a result").to_f64().into_vec()
}

/// The first x-step from zeros: `(P + ρMᵀM)v + Eᵀν = −p − ρMᵀ(−c)`, `Ev = e`, densely.
fn first_step(compiled: &Compiled) -> Vec<f64> {
    let mut plan = compiled.plan.clone();
    let plan = admm(&mut plan);
    let Step { component, rule, gram, .. } = &plan.x[0];
    let Rule::Quadratic { curvature, linear, equalities, system } = rule else { panic!("the x-step is quadratic") };
    let split = &compiled.split.players[0];
    let n = gram.n();
    let (e, right_e) = match equalities {
        Some(it) => (it.operator.to_dense(), it.right.clone()),
        None => (Matrix::zeros(0, n), Vec::new()),
    };
    let order = n + e.rows;
    let mut solutions = Vec::new();
    for member in 0..component.over.unwrap_or(1) {
        let at = |list: usize| if list > 1 { member } else { 0 };
        let f = curvature[at(curvature.len())].to_dense().add_scaled(plan.rho, &gram.to_dense());
        let f = f.add_diagonal(system.proximal);
        let mut right: Vec<f64> = linear[at(linear.len())].iter().map(|x| -x).collect();
        for (_, coupling) in split.couplings_of(&component.vars) {
            let weights = coupling.weights.clone().unwrap_or(vec![1.0; coupling.offset.len()]);
            let roots = weights.iter().map(|w| w.sqrt());
            let c: Vec<f64> = coupling.offset.iter().zip(roots).map(|(c, w)| w * c).collect();
            let times = if component.over.is_none() { coupling.over.unwrap_or(1) as f64 } else { 1.0 };
            let m = coupling.weighted(&compiled.model, &component.vars).expect("the couplings are linear");
            m.accumulate(-plan.rho * times, &c, &mut right, true);
        }
        right.extend(&right_e);
        let system = Matrix::from_fn(order, order, |i, j| match (i < n, j < n) {
            (true, true) => f[(i, j)],
            (false, true) => e[(i - n, j)],
            (true, false) => e[(j - n, i)],
            (false, false) => 0.0,
        });
        factor::symmetric(&system).expect("finite").solve(&mut right);
        solutions.extend(&right[..n]);
    }
    solutions
}

fn close(a: &[f64], b: &[f64], tolerance: f64, what: &str) {
    assert_eq!(a.len(), b.len(), "{what}");
    let size = b.iter().fold(1.0f64, |size, x| size.max(x.abs()));
    for (at, (x, y)) in a.iter().zip(b).enumerate() {
        assert!((x - y).abs() <= tolerance * size, "{what}: entry {at} is {x}, and {y}");
    }
}

/// The ways that were taken, as their names.
fn check(text: &str, expected: &[&str]) {
    const ONCE: &str = "rho = 0.7, relax = 1, adapt = fixed, iterations = 1";
    // Every change of ρ makes the factor again.
    const MANY: &str = "rho = 0.01, iterations = 12";
    let (once, many) = (compiled(text, ONCE), compiled(text, MANY));
    let step = |compiled: &Compiled| admm(&mut compiled.plan.clone()).x[0].clone();
    let ways = |compiled: &Compiled| solvers(&compiled.model, &compiled.split.players[0], &step(compiled));
    let names: Vec<&str> = ways(&once).iter().map(Solver::name).collect();
    assert_eq!(names, expected, "{text}");
    let dense = first_step(&once);
    let mut reached: Option<Vec<f64>> = None;
    for (solver, again) in ways(&once).iter().zip(ways(&many)) {
        // What is left of an inexact step is a tenth of what there was.
        let inexact = *solver == Solver::ConjugateGradients;
        let tolerance = if inexact { 0.5 } else { 1e-9 };
        let name = solver.name();
        let schedule = with(&once, solver);
        close(&x_after(&schedule, &mut Cpu::new(1)), &dense, tolerance, name);
        close(&x_after(&schedule, &mut Reference::new()), &dense, tolerance, &format!("{name} on the reference"));
        if !inexact {
            let x = x_after(&with(&many, &again), &mut Cpu::new(1));
            match &reached {
                Some(other) => close(&x, other, 1e-7, &format!("{name} after changes of ρ")),
                None => reached = Some(x),
            }
        }
    }
}

#[test]
fn one_number() {
    check(
        "var x: real[1]\nvar z: real[1]\nminimize 2*sum_squares(x - 3) + sum_squares(z)\nsubject to 3*x - z = 1",
        &["divide"],
    );
}

#[test]
fn diagonals() {
    check(
        "let w = linspace(0, 2, 9)\nvar x, z: real[9]\nminimize sum(w.*x.^2) + sum(x) + sum_squares(z)\nsubject to 2*x - z = 1",
        &["divide"],
    );
}

const LASSO: &str = "
let b = normal(m, seed = 2)
var x, z: real[n]
minimize sum_squares(A*x - b)/2 + sum(x)/5 + sum_squares(z - 1)
subject to x - z = 0
";

fn lasso(m: usize, n: usize, a: &str) -> String {
    format!("param m = {m}\nparam n = {n}\nlet A = {a}{LASSO}")
}

#[test]
fn wide_matrices() {
    let ways = &["inversion lemma", "dense Cholesky", "eigenvectors", "sparse factor", "conjugate gradients"];
    check(&lasso(5, 40, "normal(m, n, seed = 1)"), ways);
    check(&lasso(1, 20, "normal(m, n, seed = 1)"), ways);
    // Rows that depend on each other: the factor is singular, the step is not.
    check(&lasso(6, 40, "normal(m, 3, seed = 1)*normal(3, n, seed = 5)"), ways);
}

#[test]
fn tall_matrices() {
    let ways = &["dense Cholesky", "eigenvectors", "sparse factor", "conjugate gradients"];
    check(&lasso(60, 20, "normal(m, n, seed = 1)"), ways);
    // Columns that depend on each other: P is singular, and the coupling covers it.
    check(&lasso(60, 20, "normal(m, 10, seed = 1)*normal(10, n, seed = 5)"), ways);
}

#[test]
fn weighted_rows_and_diagonals() {
    let text = "
let A = normal(8, 50, seed = 1)
let w = linspace(0.1, 2, 8)
let d = linspace(0, 1, 50)
var x, z: real[50]
minimize sum(w.*(A*x - 1).^2) + sum(d.*x.^2) + sum_squares(z)
subject to d.*x + x - z = 0
";
    check(text, &["inversion lemma", "dense Cholesky", "sparse factor", "conjugate gradients"]);
}

const ROWS: &str = "
var x: real[9, 12]
var u: real[8, 12]
var v: real[9, 11]
minimize sum_squares(x - normal(9, 12, seed = 3))/2 + sum_squares(u - 1) + 2*sum_squares(v)
subject to x[2 to 9, :] - x[1 to 8, :] - u = 0, x[:, 2 to 12] - x[:, 1 to 11] - v = 0
";

#[test]
fn images_with_a_border() {
    check(ROWS, &["dct", "dense Cholesky", "sparse factor", "conjugate gradients"]);
}

#[test]
fn images_around_a_torus() {
    let text = "
var x: real[9, 12]
var u: real[8, 12]
var w: real[1, 12]
minimize sum_squares(x - normal(9, 12, seed = 3))/2 + sum_squares(u - 1) + sum_squares(w)
subject to x[2 to 9, :] - x[1 to 8, :] - u = 0, x[1, :] - x[9, :] - w[1, :] = 0
";
    check(text, &["hartley", "dense Cholesky", "sparse factor", "conjugate gradients"]);
}

#[test]
fn sparse_with_a_wide_row() {
    let text = "
var x: real[60]
var z: real[60]
var s: real[1]
minimize sum_squares(x[2 to 60] - x[1 to 59] - 1)/2 + sum_squares(z - 1) + sum_squares(s)
subject to x - z = 0, sum(x) - sum(s) = 3
";
    check(text, &["dense Cholesky", "sparse factor", "conjugate gradients"]);
}

#[test]
fn matrices_of_several_columns() {
    let text = "
let A = normal(9, 30, seed = 1)
var X: real[30, 4]
var x, z: real[30, 4]
minimize sum_squares(A*x - normal(9, 4, seed = 2)) + sum_squares(z - 1)
subject to x - z = 0
";
    let text = text.replace("var X: real[30, 4]\n", "");
    check(&text, &["inversion lemma", "dense Cholesky", "eigenvectors", "conjugate gradients"]);
    let transposed = text.replace("real[30, 4]", "real[4, 30]").replace("A*x", "A*x'");
    check(&transposed, &["inversion lemma", "dense Cholesky", "eigenvectors", "sparse factor", "conjugate gradients"]);
}

#[test]
fn equations() {
    let with_equations = |text: String| {
        text.replace("x - z = 0", "x - z = 0, E*x = e")
            .replace("let b", "let E = normal(3, n, seed = 7)\nlet e = ones(3)\nlet b")
    };
    check(
        &with_equations(lasso(5, 40, "normal(m, n, seed = 1)")),
        &["inversion lemma", "dense Cholesky", "eigenvectors", "sparse factor"],
    );
    check(
        &with_equations(lasso(60, 20, "normal(m, n, seed = 1)")),
        &["dense Cholesky", "eigenvectors", "sparse factor"],
    );
    let diagonal = "
var x, z: real[9]
minimize sum_squares(x - 1) + sum_squares(z)
subject to x - z = 0, sum(x) = 3, x[2] - x[1] = 1, sum(2*x) = 6
";
    check(diagonal, &["divide", "dense Cholesky", "eigenvectors", "sparse factor"]);
}

/// Equations hold at any penalty, in either precision: what holds their multipliers goes with ρ.
#[test]
fn equations_at_any_penalty() {
    let text = lasso(60, 20, "normal(m, n, seed = 1)")
        .replace("x - z = 0", "x - z = 0, E*x = e")
        .replace("let b", "let E = normal(3, n, seed = 7)\nlet e = ones(3)\nlet b");
    for (precision, eps) in [("f32", f64::from(f32::EPSILON)), ("f64", f64::EPSILON)] {
        for rho in ["1e4", "1e-4"] {
            let settings = format!("rho = {rho}, relax = 1, adapt = fixed, iterations = 1, precision = {precision}");
            let compiled = compiled(&text, &settings);
            let dense = first_step(&compiled);
            let step = admm(&mut compiled.plan.clone()).x[0].clone();
            for solver in solvers(&compiled.model, &compiled.split.players[0], &step) {
                let x = x_after(&with(&compiled, &solver), &mut Cpu::new(1));
                // The condition of AᵀA is some 30.
                close(&x, &dense, 1e3 * eps, &format!("{} at ρ = {rho} in {precision}", solver.name()));
            }
        }
    }
}

#[test]
fn families() {
    let text = "
param m = 3
let A = normal(60, 20, seed = 1)
let b = A*ones(20)
data As[i in 1 to m] = shard(A, i, m)
data bs[i in 1 to m] = shard(b, i, m)
var x[i in 1 to m]: real[20]
var z: real[20]
minimize sum(i in 1 to m: sum_squares(As[i]*x[i] - bs[i])/2) + sum_squares(z)
subject to link[i in 1 to m]: x[i] - z = 0
";
    check(text, &["dense Cholesky", "eigenvectors", "sparse factor"]);
    // More columns than rows in each.
    let wide = text.replace("60, 20", "18, 20");
    check(&wide, &["inversion lemma", "dense Cholesky", "eigenvectors", "sparse factor"]);
}

/// Where nothing determines the step, it stays: the mean of x is no business of its differences.
#[test]
fn a_step_that_nothing_determines_stays() {
    let text = "
var x: real[30], init = ones(30)
var z: real[29]
minimize sum_squares(z - 1)
subject to x[2 to 30] - x[1 to 29] - z = 0
";
    let compiled = compiled(text, "rho = 1, tol = 1e-9, iterations = 400");
    let step = admm(&mut compiled.plan.clone()).x[0].clone();
    let Rule::Quadratic { system, .. } = &step.rule else { panic!("the x-step is quadratic") };
    assert!(system.proximal > 0.0);
    for solver in solvers(&compiled.model, &compiled.split.players[0], &step) {
        let x = x_after(&with(&compiled, &solver), &mut Cpu::new(1));
        let mean = x.iter().sum::<f64>() / 30.0;
        assert!((mean - 1.0).abs() <= 1e-6, "{}: the mean is {mean}", solver.name());
        // x rises by 1.
        let rises: Vec<f64> = x.windows(2).map(|pair| pair[1] - pair[0]).collect();
        close(&rises, &[1.0; 29], 1e-6, solver.name());
    }
}

#[test]
fn conjugate_gradients_arrive() {
    for text in [lasso(5, 40, "normal(m, n, seed = 1)"), ROWS.to_string()] {
        let compiled = compiled(&text, "tol = 1e-8, iterations = 3000");
        let exact = x_after(&compiled.schedule, &mut Cpu::new(1));
        let schedule = with(&compiled, &Solver::ConjugateGradients);
        close(&x_after(&schedule, &mut Cpu::new(1)), &exact, 1e-6, "conjugate gradients");
    }
}
