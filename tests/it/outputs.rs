//! Sets, bounds, norms and equations of what a network gives: constraints that are not linear in the variables.
//! Outputs are recomputed here, layer by layer, from the parameters that a run returns.

use std::path::Path;

use admmc::data::{Disk, Memory};
use admmc::exec::{Outcome, Status};
use admmc::pipeline::{self, Compiled};
use admmc::report::explain::{Subject, explain};
use admmc::steps::Script;
use expect_test::expect;

use crate::compile::{checked, compile, compiled, drawn, execute};
use crate::solve::{solve, vector};

/// A network `width -> dense hidden tanh -> dense 1` on rows of inputs.
fn outputs(theta: &[f64], width: usize, hidden: usize, rows: &[f64]) -> Vec<f64> {
    let (weights, rest) = theta.split_at(width * hidden);
    let (biases, rest) = rest.split_at(hidden);
    let (last, bias) = rest.split_at(hidden);
    let neuron = |row: &[f64], at: usize| {
        let sum: f64 = row.iter().zip(&weights[at * width..]).map(|(x, w)| x * w).sum();
        (sum + biases[at]).tanh()
    };
    let value = |row: &[f64]| (0..hidden).map(|at| last[at] * neuron(row, at)).sum::<f64>() + bias[0];
    rows.chunks(width).map(value).collect()
}

fn linspace(first: f64, last: f64, n: usize) -> Vec<f64> {
    (0..n).map(|i| first + (last - first) * i as f64 / (n - 1) as f64).collect()
}

fn example(name: &str, set: &[(&str, &str)], solve: Option<&str>) -> Compiled {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(format!("{name}.admm"));
    let mut parsed = pipeline::parse(&path, &Disk).expect("the example is there");
    let compiled = compile(&mut parsed, &Disk, set, solve);
    compiled.unwrap_or_else(|| panic!("{}", drawn(&parsed)))
}

fn data(compiled: &Compiled, name: &str) -> Vec<f64> {
    let found = compiled.model.data.iter().find(|data| data.name == name);
    found.unwrap_or_else(|| panic!("`{name}` is data")).tensor.to_f64().into_vec()
}

/// The default and a start of ρ four decades apart.
fn at_every_rho(name: &str, check: impl Fn(&Compiled, &Outcome)) -> Vec<f64> {
    let mut runs = vec![example(name, &[], None)];
    runs.extend(["0.01", "1", "100"].map(|rho| example(name, &[("rho", rho)], Some("any"))));
    let ends = runs.iter().map(|compiled| {
        let outcome = execute(compiled);
        assert_eq!(outcome.status, Status::Stationary, "{name}: {outcome:?}");
        check(compiled, &outcome);
        outcome.objective()
    });
    ends.collect()
}

#[test]
fn a_network_scores_two_groups_alike() {
    let ends = at_every_rho("fair_outputs", |compiled, outcome| {
        let theta = vector(outcome, "θ");
        let people = data(compiled, "X");
        let scores = outputs(&theta, 2, 6, &people);
        let group = data(compiled, "here");
        let mean = |which: f64| {
            let own: Vec<f64> = scores.iter().zip(&group).filter(|(_, g)| **g == which).map(|(s, _)| *s).collect();
            own.iter().sum::<f64>() / own.len() as f64
        };
        let gap = (mean(1.0) - mean(0.0)).abs();
        assert!(gap <= 0.05 + 2e-4, "{gap}");
        let grid: Vec<f64> = linspace(-2.0, 2.0, 21).into_iter().flat_map(|merit| [merit, 0.0]).collect();
        let curve = outputs(&theta, 2, 6, &grid);
        assert!(curve.windows(2).all(|pair| pair[1] >= pair[0] - 2e-4), "{curve:?}");
        let y = data(compiled, "y");
        let loss: f64 = scores.iter().zip(&y).map(|(s, y)| (-s * y).exp().ln_1p()).sum::<f64>() / 150.0;
        let size: f64 = theta.iter().map(|w| w * w).sum();
        assert!((loss + 0.002 * size - outcome.objective()).abs() < 1e-9, "the objective is that of the parameters");
    });
    // Not convex: what starts of ρ lead to differs a little.
    assert!(ends.iter().all(|end| (0.405..0.415).contains(end)), "{ends:?}");
}

#[test]
fn a_network_follows_magnitudes_of_residuals() {
    let ends = at_every_rho("robust_network", |compiled, outcome| {
        let theta = vector(outcome, "θ");
        let curve = outputs(&theta, 1, 8, &linspace(-2.0, 2.0, 50));
        let y = data(compiled, "y");
        let fit: f64 = curve.iter().zip(&y).map(|(f, y)| (f - y).abs()).sum();
        let size: f64 = theta.iter().map(|w| w * w).sum();
        assert!((fit + 0.02 * size - outcome.objective()).abs() < 1e-9);
        // Nearer to the curve that the measurements were made from than to its mean with the wild ones.
        let truth = linspace(-2.0, 2.0, 50).into_iter().map(|x| (2.0 * x).sin());
        let off = curve.iter().zip(truth).map(|(f, t)| (f - t).abs()).sum::<f64>() / 50.0;
        assert!(off < 0.08, "{off}");
    });
    assert!(ends.iter().all(|end| (29.52..29.55).contains(end)), "{ends:?}");
}

const CURVE: &str = "
let x = linspace(-2, 2, 30)
let X = reshape(x, 30, 1)
net f(θ): 1 -> dense 5 tanh -> dense 1
var θ: params(f)
";

#[test]
fn a_stated_coupling_is_the_split_that_the_compiler_makes() {
    let own = solve(&format!(
        "{CURVE}minimize norm1(f(X; θ) - sin(2*x)) + 0.05*sum_squares(θ)\nsolve admm {{ tol = 1e-6, iterations = 5000 }}"
    ));
    let stated = solve(&format!(
        "{CURVE}var z: real[30]\nminimize norm1(z - sin(2*x)) + 0.05*sum_squares(θ)\nsubject to link: f(X; θ) - z = 0\nsolve admm {{ tol = 1e-6, iterations = 5000 }}"
    ));
    for outcome in [&own, &stated] {
        assert_eq!(outcome.status, Status::Stationary, "{outcome:?}");
    }
    // L = ‖z − y‖₁ + ⟨λ, f − z⟩: λ is the sign of a residual, and between −1 and 1 where that is 0.
    for (outcome, multiplier) in [(&own, "λ.term1"), (&stated, "λ.link")] {
        let f = outputs(&vector(outcome, "θ"), 1, 5, &linspace(-2.0, 2.0, 30));
        let residuals = f.iter().zip(linspace(-2.0, 2.0, 30)).map(|(f, x)| f - (2.0 * x).sin());
        for (r, lambda) in residuals.zip(vector(outcome, multiplier)) {
            assert!(lambda.abs() < 1.0001, "{lambda}");
            assert!(r.abs() < 1e-3 || (lambda - r.signum()).abs() < 1e-3, "{lambda} at a residual of {r}");
        }
    }
    let z = vector(&stated, "z");
    let f = outputs(&vector(&stated, "θ"), 1, 5, &linspace(-2.0, 2.0, 30));
    assert!(z.iter().zip(&f).all(|(z, f)| (z - f).abs() < 1e-4));
}

/// θ may stand in either block, and over-relaxation changes nothing of where it ends.
#[test]
fn what_is_not_linear_may_be_the_second_block() {
    for relax in ["1", "1.5"] {
        let outcome = solve(&format!(
            "var z: real[30]{CURVE}minimize sum_squares(z - sin(2*x)) + 0.05*sum_squares(θ)\nsubject to link: z = f(X; θ)\nsolve admm {{ relax = {relax}, tol = 1e-6, iterations = 5000 }}"
        ));
        assert_eq!(outcome.status, Status::Stationary, "{outcome:?}");
        let theta = vector(&outcome, "θ");
        let f = outputs(&theta, 1, 5, &linspace(-2.0, 2.0, 30));
        // The gradient of the unsplit problem, by differences.
        let whole = |theta: &[f64]| {
            let f = outputs(theta, 1, 5, &linspace(-2.0, 2.0, 30));
            let targets = linspace(-2.0, 2.0, 30).into_iter().map(|x| (2.0 * x).sin());
            let fit: f64 = f.iter().zip(targets).map(|(f, t)| (f - t) * (f - t)).sum();
            fit + 0.05 * theta.iter().map(|w| w * w).sum::<f64>()
        };
        for at in 0..theta.len() {
            let along = |step: f64| {
                let mut moved = theta.clone();
                moved[at] += step;
                whole(&moved)
            };
            let slope = (along(1e-5) - along(-1e-5)) / 2e-5;
            assert!(slope.abs() < 1e-3, "{at}: {slope}");
        }
        assert_eq!(f.len(), 30);
    }
}

#[test]
fn outputs_may_be_stated() {
    let outcome = solve(&format!(
        "{CURVE}minimize mse(f(X; θ), sin(2*x)) + 0.001*sum_squares(θ)\nsubject to\n    ends: f([-2; 2]; θ) = [0.5; -0.5]\n    0 <= f([0.5; 1]; θ) <= 0.6\nsolve admm {{ tol = 1e-6, iterations = 5000 }}"
    ));
    assert_eq!(outcome.status, Status::Stationary, "{outcome:?}");
    let f = outputs(&vector(&outcome, "θ"), 1, 5, &[-2.0, 2.0, 0.5, 1.0]);
    assert!((f[0] - 0.5).abs() < 1e-4 && (f[1] + 0.5).abs() < 1e-4, "{f:?}");
    assert!(f[2..].iter().all(|f| (-1e-4..0.6001).contains(f)), "{f:?}");
}

/// Gradient steps and Adam take the penalty by its derivative at the point: no ρ makes them explode.
#[test]
fn first_order_steps_bear_any_rho() {
    for step in ["gradient(rate = 0.05, steps = 5)", "adam(rate = 0.01, steps = 5)"] {
        for rho in ["0.01", "1", "100", "10000"] {
            let outcome = solve(&format!(
                "{CURVE}minimize mse(f(X; θ), sin(2*x)) + 0.01*sum_squares(θ)\nsubject to level: abs(mean(f(X; θ)) - 0.2) <= 0.05\nsolve admm {{ rho = {rho}, x_step = {step}, tol = 1e-3, iterations = 8000 }}"
            ));
            assert_eq!(outcome.status, Status::Stationary, "{step} at rho = {rho}: {outcome:?}");
            let f = outputs(&vector(&outcome, "θ"), 1, 5, &linspace(-2.0, 2.0, 30));
            let mean = f.iter().sum::<f64>() / 30.0;
            assert!((0.149..0.251).contains(&mean), "{step} at rho = {rho}: {mean}");
        }
    }
}

/// The nearest point outside a ball: smooth constraints need no network.
#[test]
fn a_smooth_inequality_needs_no_network() {
    let outcome = solve(
        "var x: real[3]\nminimize sum_squares(x - [1; 2; 2])\nsubject to ring: sum_squares(x) >= 36\nsolve admm { tol = 1e-7 }",
    );
    assert_eq!(outcome.status, Status::Stationary, "{outcome:?}");
    crate::solve::close(&vector(&outcome, "x"), &[2.0, 4.0, 4.0], 1e-5);
}

#[test]
fn what_changes_or_has_a_kink_is_refused() {
    let refusal = |text: &str| {
        let files = Memory::default();
        let (mut parsed, model) = checked(Path::new("test.admm"), text, &files);
        if let Some(model) = model {
            assert!(pipeline::compile(model, None, &mut parsed.diags).is_none(), "{text}");
        }
        drawn(&parsed)
    };
    let batch = refusal(&format!(
        "{CURVE}sample b ~ draw(X) batch 5\nminimize mse(f(X; θ), x)\nsubject to cap: f(b; θ) <= 1\nsolve admm {{ x_step = adam(rate = 0.01) }}"
    ));
    assert!(batch.contains("a batch that is drawn anew"), "{batch}");
    let kink = refusal(&format!("{CURVE}minimize mse(f(X; θ), x)\nsubject to cap: max(f(X; θ)) <= 1"));
    assert!(kink.contains("its left side holds `max`, which is neither affine nor smooth"), "{kink}");
    let product = refusal("var x, y, z: real\nminimize x^2 + y^2 + z^2\nsubject to x*y - z = 0");
    assert!(product.contains("E0402"), "{product}");
    let family = refusal(&format!(
        "{CURVE}var w[i in 1 to 3]: real[30]\nminimize sum(i in 1 to 3: norm1(w[i])) + sum_squares(θ)\nsubject to tie[i in 1 to 3]: f(X; θ) - w[i] = 0"
    ));
    assert!(family.contains("or a member of a data family"), "{family}");
}

#[test]
fn explained() {
    let compiled = compiled(&format!(
        "{CURVE}minimize fit: mse(f(X; θ), x) + size: sum_squares(θ)\nsubject to cap: f(X; θ) <= 1\nsolve admm {{ rho = 1 }}"
    ));
    let subject =
        Subject { model: &compiled.model, split: &compiled.split, plan: &compiled.plan, schedule: &compiled.schedule };
    let text = explain(subject, Script::Unicode);
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("one iteration")).collect();
    expect![[r#"
        ADMM
          block x: θ (16)
          block z: z.cap (30)
          split by the compiler: z.cap = f(X; θ)

          x-step   θ ← argmin h(θ) + ⟨λ, e(θ) − z.cap⟩ + (ρ/2)‖e(θ) − z.cap‖², by L-BFGS
                   L-BFGS: h = fit + size, at most 20 steps, 10 pairs; not quadratic: `cap` is not linear in θ
          z-step   z.cap = clip[l, u]((ρe(θ) + λ)/ρ)
                   closed form: h = cap is bounds, MᵀM = 1·I[30]
          λ-step   λ ← λ + ρ(e(θ) − z.cap)

          ρ starts at 1 (as written) and stays
          `cap` is not linear in θ: where it ends is a stationary point
    "#]]
    .assert_eq(&lines.join("\n"));
}

/// SciPy's SLSQP ends at 0.177996 from each of twelve random starts.
#[test]
fn a_curve_that_rises_is_the_one_that_others_find() {
    let outcome = solve(&format!(
        "{CURVE}let grid = reshape(linspace(-2, 2, 21), 21, 1)\nminimize mse(f(X; θ), x + sin(3*x)) + 0.001*sum_squares(θ)\nsubject to\n    level: abs(mean(f(X; θ)) - 0.2) <= 0.05\n    rising: 3*diff(f(grid; θ)) >= 0\nsolve admm {{ tol = 1e-6, iterations = 5000 }}"
    ));
    assert_eq!(outcome.status, Status::Stationary, "{outcome:?}");
    assert!((outcome.objective() - 0.177_996).abs() < 2e-6, "{}", outcome.objective());
    let curve = outputs(&vector(&outcome, "θ"), 1, 5, &linspace(-2.0, 2.0, 21));
    assert!(curve.windows(2).all(|pair| pair[1] >= pair[0] - 1e-5), "{curve:?}");
}

/// What is affine in the sum keeps its operator, a number in every row too; what stands in both does not.
#[test]
fn sums_are_read_apart() {
    let split = |rows: &str| {
        let text = format!(
            "{CURVE}var w: real\nvar u: real[30]\nvar z: real[30]\nminimize sum_squares(θ) + w^2 + sum_squares(u) + (θ[1] + w + sum(u))^2 + norm1(z)\nsubject to link: {rows} = 0"
        );
        let text = compiled(&text).split.to_string();
        text.lines().find(|line| line.contains("coupling link")).expect("it is one").trim().to_string()
    };
    expect!["coupling link [30]: + (2 (dense 30×1)) v1 + (−I) v2 + (−I) v3 + e(v0) + offset of norm 1.6431676725154983e1 = 0"].assert_eq(&split("2*w - u + f(X; θ) - z - 3"));
    expect!["coupling link [30]: + (−I) v3 + e(v0) + e(v2) = 0"].assert_eq(&split("f(X; θ) + u .* f(X; θ) - u - z"));
}
