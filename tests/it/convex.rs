//! The automatic split, the statuses and the rules of the ladder on problems small enough to be solved on
//! paper.

use admmc::data::Memory;
use admmc::exec::{Cpu, Nobody, Outcome, Status, run, run_keeping, verify};
use admmc::host::Still;
use admmc::pipeline::Compiled;
use admmc::schedule::{self, Carried, Factors};
use admmc::steps::ir::{MethodPlan, Rule};
use admmc::tape::Tensor;

use crate::compile::{checked, compiled, drawn, is_refused};
use crate::solve::{close, solve, vector};

fn found(outcome: &Outcome, x: &[f64]) {
    assert_eq!(outcome.status, Status::Solved);
    close(&vector(outcome, "x"), x, 1e-5);
}

/// Soft thresholding, on paper: x = b − clamp(b, −1, 1).
const SHRINK: &str = "
let b = [3, -0.5, 0.2, -4]
var x: real[4]
minimize fit: sum_squares(x - b)/2 + reg: norm1(x)
";

#[test]
fn one_exact_step_needs_no_split() {
    let plain = compiled(SHRINK);
    assert!(plain.split.players[0].couplings.is_empty());
    let outcome = solve(SHRINK);
    assert_eq!(outcome.iterations, 1);
    found(&outcome, &[2.0, 0.0, 0.0, -3.0]);
    // Zeros of the answer are zeros.
    assert_eq!(vector(&outcome, "x")[1], 0.0);
}

#[test]
fn spellings_of_the_same_atom() {
    for term in ["norm1(x)", "sum(abs(x))", "2*norm1(x)/2", "sum(abs(x)/1)", "norm1(-x)"] {
        found(&solve(&SHRINK.replace("norm1(x)", term)), &[2.0, 0.0, 0.0, -3.0]);
    }
}

/// Two atoms and a bound: the minimiser of (x₁−3)²/2 + (x₂+2)²/2 + |x₁| + … is cut by x ≤ 1, x ≥ 0.
#[test]
fn a_bound_lies_on_top_of_a_function() {
    let text = "
let b = [3, -2]
let K = [1, 1; 0, 2]
var x: real[2]
minimize sum_squares(K*x - b)/2 + norm1(x)
subject to 0 <= x <= 1
";
    // ∇ = Kᵀ(Kx − b) + 1: at x = (1, 0) it is (−1, 3), so x₁ rests on its upper and x₂ on its lower bound.
    let compiled = compiled(text);
    let split = &compiled.split.players[0];
    // The function and both bounds are of one expression: one variable serves them.
    assert_eq!(split.couplings.len(), 1);
    found(&solve(text), &[1.0, 0.0]);
}

/// A level set is a ball: the projection of (3, 4) on the unit disc.
#[test]
fn a_norm_below_a_number_is_a_ball() {
    let text = "
let b = [3, 4]
var x: real[2]
minimize sum_squares(x - b)/2
subject to norm2(x) <= 1
";
    found(&solve(text), &[0.6, 0.8]);
    found(&solve(&text.replace("norm2(x) <= 1", "x in ball2(1)")), &[0.6, 0.8]);
    found(&solve(&text.replace("norm2(x) <= 1", "2*norm_inf(x) <= 2")), &[1.0, 1.0]);
}

/// Data times 1e-4 and 1e4 end at the same solution, status included.
#[test]
fn the_units_of_the_data_do_not_matter() {
    let text = |s: f64| {
        format!(
            "
let A = {s:?}*[1, 2; 3, 4; 5, 7]
let b = {s:?}*[1, 2, -1]
var x: real[2]
minimize norm1(A*x - b)
"
        )
    };
    let one = vector(&solve(&text(1.0)), "x");
    for s in [1e-4, 1e4] {
        let outcome = solve(&text(s));
        assert_eq!(outcome.status, Status::Solved);
        close(&vector(&outcome, "x"), &one, 1e-4);
    }
}

#[test]
fn contradictory_rows_are_named() {
    let outcome = solve(
        "
var x: real[2]
minimize sum_squares(x)
subject to low: x[1] + x[2] >= 3, high: x[1] + x[2] <= 1, x <= 10
",
    );
    let Status::PrimalInfeasible(proof) = &outcome.status else { panic!("{}", outcome.status) };
    let names: Vec<&str> = proof.rows.iter().map(|row| row.name.as_str()).collect();
    assert!(names.contains(&"low") && !names.iter().any(|name| name.starts_with("c3")), "{names:?}");
}

#[test]
fn an_objective_that_falls_without_end_is_said_to() {
    let text = "
var x: real[2]
minimize x[1] - 2*x[2]
subject to x[1] >= 0, x[1] - x[2] <= 4
";
    assert!(matches!(solve(text).status, Status::DualInfeasible(_)));
    // With a floor under it, it is not.
    let floored = text.replace("x[1] - 2*x[2]", "x[1] - 2*x[2] + sum_squares(x)");
    found(&solve(&floored), &[0.0, 1.0]);
}

/// Steps of the variables leave the domain of a term until the copies agree: at the start already, which is
/// 0. Shares by equal logarithms; the softmax of −c; the inverse of a covariance.
#[test]
fn a_term_may_have_a_domain() {
    found(&solve("var x: real[4]\nmaximize sum(log(x))\nsubject to sum(x) = 2, x <= 1\n"), &[0.5; 4]);
    let entropy = "
let c = [0, 1, 2]
var x: real[3]
minimize c'*x + neg_entropy(x)
subject to sum(x) = 1
";
    let weights: Vec<f64> = [0.0f64, 1.0, 2.0].iter().map(|c| (-c).exp()).collect();
    let softmax: Vec<f64> = weights.iter().map(|w| w / weights.iter().sum::<f64>()).collect();
    found(&solve(entropy), &softmax);
    let inverse = "
let S = [2, 1; 1, 2]
var x: symmetric[2]
minimize trace(S*x) + neg_log_det(x)
";
    found(&solve(inverse), &[2.0 / 3.0, -1.0 / 3.0, -1.0 / 3.0, 2.0 / 3.0]);
}

/// −x² on [−1, 1] is no problem with a single answer; what is found is stationary, and ρ starts where the
/// step is convex: above 2.
#[test]
fn a_concave_term_raises_rho() {
    let text = "
var x: real[3]
minimize -sum_squares(x) + 0.25*(x[1] - x[2] + 2*x[3])
subject to -1 <= x <= 1
";
    let outcome = solve(text);
    assert_eq!(outcome.status, Status::Stationary);
    assert!(vector(&outcome, "x").iter().all(|x| (x.abs() - 1.0).abs() < 1e-5));
    assert!(outcome.last("rho").is_some_and(|rho| rho >= 4.0 * (1.0 - 1e-9)));
}

/// The stated split has BᵀB that is not diagonal: its z-step is linearised, and ends where the compiler's
/// own split does.
#[test]
fn a_stated_split_is_kept_and_linearised() {
    let text = "
let A = [1, 2; 3, 4; 5, 7]
let b = [1, 2, -1]
var z: real[2]
var r: real[3]
minimize sum_squares(r)/2 + norm1(z)
subject to A*z - r = b
split r | z
";
    let steps = compiled(text).plan.to_string();
    assert!(steps.contains("linearised"), "{steps}");
    let outcome = solve(text);
    assert_eq!(outcome.status, Status::Solved);
    let own = "
let A = [1, 2; 3, 4; 5, 7]
let b = [1, 2, -1]
var x: real[2]
minimize sum_squares(A*x - b)/2 + norm1(x)
";
    close(&vector(&outcome, "z"), &vector(&solve(own), "x"), 1e-4);
}

const LASSO: &str = "
let A = [1, 2; 3, 4; 5, 7]
let b = [1, 2, -1]
var x: real[2]
minimize sum_squares(A*x - b)/2 + reg: norm1(x)
";

/// The solution of a run passes, another point doesn't; a run that starts there is done at once.
#[test]
fn a_solution_is_judged_and_started_from() {
    let outcome = solve(LASSO);
    let solution: Vec<(String, Tensor)> =
        outcome.answers.iter().map(|a| (schedule::ir::title(&a.name, &a.role), a.tensor.clone())).collect();
    let judged = |solution: &[(String, Tensor)]| {
        let schedule = compiled(LASSO).schedule;
        let given = schedule::matched(&schedule, solution).expect("it is of this problem");
        verify(&schedule, &given, &mut Cpu::new(1), &Still::default(), 0).status
    };
    assert_eq!(judged(&solution), Status::Solved);
    let mut moved = solution.clone();
    let x = moved[0].1.to_f64();
    moved[0].1 = Tensor::f64([2], vec![x[0] + 1e-3, x[1]]);
    assert_eq!(judged(&moved), Status::SolvedInaccurate);

    let mut again = compiled(LASSO).schedule;
    let given = schedule::matched(&again, &solution).expect("it is of this problem");
    schedule::warm(&mut again, given);
    let warm = run(&again, &mut Cpu::new(1), &Still::default(), &mut Nobody, 0).expect("no checkpoint");
    assert!(warm.iterations < outcome.iterations, "{} of {}", warm.iterations, outcome.iterations);

    let foreign = [("y".to_owned(), Tensor::f64([2], vec![0.0; 2]))];
    let why = schedule::matched(&again, &foreign).expect_err("it has no y");
    assert!(why.contains("`y`"), "{why}");
}

/// Descent knows nothing of constraints: it is refused where there is one that it would leave.
#[test]
fn descent_does_not_drop_a_constraint() {
    for constraint in ["sum(x) = 1", "norm2(x) <= 1", "x <= 0.5", "x in simplex"] {
        let text =
            format!("var x: real[3]\nminimize sum_squares(x - 1)\nsubject to s: {constraint}\nsolve lbfgs {{}}\n");
        assert!(is_refused(&text), "{constraint}");
    }
}

/// The multiplier of an equation that a step keeps is what it is on paper: minimise ½‖x − b‖² on Σx = 3 and
/// twice that, and x₁ ≥ 0. One of the two equations follows from the other, and has 0.
#[test]
fn multipliers_of_equations_are_published() {
    let outcome = solve(
        "
let b = [5, 2, -1]
var x: real[3]
minimize sum_squares(x - b)/2 + 0*norm1(x)
subject to total: sum(x) = 3, twice: 2*sum(x) = 6
",
    );
    // x = b − ν, Σx = 3: ν = 1, or as much by 2.
    close(&vector(&outcome, "x"), &[4.0, 1.0, -2.0], 1e-5);
    let (total, twice) = (vector(&outcome, "λ.total")[0], vector(&outcome, "λ.twice")[0]);
    assert!((total + 2.0 * twice - 1.0).abs() < 1e-5 && total * twice == 0.0, "{total} and {twice}");
}

/// Acceleration finds what the plain method finds, in fewer iterations on a problem that is slow.
#[test]
fn acceleration_changes_the_way_and_not_the_end() {
    let text = |setting: &str| {
        format!(
            "
let b = [1, 3, 2, 5, 4, 6, 8, 7, 9, 12, 10, 11, 14, 13, 15, 18]
var x: real[16]
minimize sum_squares(x - b)/2 + 20*norm1(x[1 to 14] - 2*x[2 to 15] + x[3 to 16])
solve admm {{ {setting} }}
"
        )
    };
    let (plain, fast) = (solve(&text("accelerate = none")), solve(&text("accelerate = anderson(20)")));
    assert_eq!((&plain.status, &fast.status), (&Status::Solved, &Status::Solved));
    close(&vector(&plain, "x"), &vector(&fast, "x"), 1e-3);
    assert!(fast.iterations < plain.iterations, "{} against {}", fast.iterations, plain.iterations);
}

/// What has no map of its own is a norm of something linear, and is split as that.
#[test]
fn total_variation_of_an_image_is_split() {
    let text = |term: &str| {
        format!(
            "
let B = normal(4, 5, seed = 3)
var x: real[4, 5]
minimize sum_squares(x - B)/2 + 0.5*{term}
"
        )
    };
    let written = "(norm1(x[2 to 4, :] - x[1 to 3, :]) + norm1(x[:, 2 to 5] - x[:, 1 to 4]))";
    let (tv, sliced) = (solve(&text("tv2d_aniso(x)")), solve(&text(written)));
    assert_eq!((&tv.status, &sliced.status), (&Status::Solved, &Status::Solved));
    close(&vector(&tv, "x"), &vector(&sliced, "x"), 1e-4);
    let isotropic = solve(&text("tv2d(x)"));
    assert_eq!(isotropic.status, Status::Solved);
    assert!(isotropic.objective() < tv.objective());
}

/// A term of weight 0 is no term.
#[test]
fn a_weight_of_zero_is_none() {
    let text = |weight: &str| LASSO.replace("reg: norm1(x)", &format!("reg: {weight}*norm1(x)"));
    let free = "
let A = [1, 2; 3, 4; 5, 7]
let b = [1, 2, -1]
var x: real[2]
minimize sum_squares(A*x - b)/2
";
    let (none, least) = (solve(&text("0")), solve(free));
    assert_eq!((&none.status, &least.status), (&Status::Solved, &Status::Solved));
    close(&vector(&none, "x"), &vector(&least, "x"), 1e-4);
}

/// A norm is never below a negative number; nothing is projected on a ball of that radius.
#[test]
fn a_ball_of_negative_radius_is_refused() {
    let text = "var x: real[2]\nminimize sum_squares(x)\nsubject to norm2(x) <= -1\n";
    assert!(is_refused(text));
}

/// What one run hands to the next: its end, its ρ, and the factors of a matrix that is the same.
#[test]
fn a_parameter_keeps_the_factors_that_it_is_no_part_of() {
    let text = |lambda: f64, scale: f64| {
        format!(
            "let K = {scale}*normal(12, 8, seed = 1)
let b = K*uniform(8, seed = 2)
var x: real[8]
minimize sum_squares(K*x - b)/2 + {lambda}*norm1(x)
"
        )
    };
    let solved = |compiled: &Compiled| {
        let keep = schedule::carried(&compiled.schedule);
        let host = Still::default();
        let ended = run_keeping(&compiled.schedule, &mut Cpu::new(1), &host, &mut Nobody, 0, &keep);
        let (outcome, values) = ended.expect("nothing is resumed");
        assert_eq!(outcome.status, Status::Solved);
        (outcome, values)
    };
    let first = compiled(&text(1.0, 1.0));
    let (_, values) = solved(&first);
    let carried = Carried::new(first.schedule, values);

    let mut second = compiled(&text(0.9, 1.0));
    let (fresh, _) = solved(&second);
    assert_eq!(carried.begin(&mut second.schedule), Factors { kept: 1, of: 1 });
    schedule::verify(&second.schedule).expect("what is left is a schedule");
    let (warm, _) = solved(&second);
    close(&vector(&warm, "x"), &vector(&fresh, "x"), 1e-5);
    assert!(warm.iterations < fresh.iterations, "{} and {} iterations", warm.iterations, fresh.iterations);

    // Another matrix: its factor is made anew, and the solution is a start all the same.
    let mut other = compiled(&text(1.0, 2.0));
    let (fresh, _) = solved(&other);
    assert_eq!(carried.begin(&mut other.schedule), Factors { kept: 0, of: 1 });
    close(&vector(&solved(&other).0, "x"), &vector(&fresh, "x"), 1e-5);
}

/// Logistic loss of a family has no closed form: L-BFGS takes the members together, and the end is known to
/// be convex. With the sine it is not.
#[test]
fn a_family_without_a_closed_form_is_taken_as_one() {
    let text = |term: &str| {
        format!(
            "param N = 3
let A = normal(N*8, 2, seed = 1)
let y = sign(A*ones(2) + 0.5*normal(N*8, seed = 2))
data As[k in 1 to N] = shard(A, k, N)
data ys[k in 1 to N] = shard(y, k, N)
var x[k in 1 to N]: real[2]
var z: real[2]
minimize sum(k in 1 to N: {term}) + 2*norm1(z)
subject to link[k in 1 to N]: x[k] - z = 0
"
        )
    };
    let split = solve(&text("logistic(ys[k], As[k]*x[k])"));
    assert_eq!(split.status, Status::Solved);
    let whole = solve(
        "
let A = normal(24, 2, seed = 1)
let y = sign(A*ones(2) + 0.5*normal(24, seed = 2))
var z: real[2]
minimize logistic(y, A*z) + 2*norm1(z)
",
    );
    close(&vector(&split, "z"), &vector(&whole, "z"), 1e-4);
    assert_eq!(solve(&text("sum_squares(As[k]*x[k] - ys[k]) + sum(sin(x[k]))/4")).status, Status::Stationary);
}

/// However the logistic loss and the least of several are written, they have their closed-form step.
#[test]
fn spellings_of_losses() {
    let text = |term: &str| {
        format!(
            "let A = normal(30, 3, seed = 1)
let y = sign(A*ones(3) + normal(30, seed = 2))
var x: real[3]
minimize {term} + norm1(x)
"
        )
    };
    let plain = solve(&text("logistic(y, A*x)"));
    for term in [
        "sum(log(1 + exp(-y .* (A*x))))",
        "sum(log(exp(-y .* (A*x)) + 1))",
        "sum(log1p(exp(-y .* (A*x))))",
        "sum(softplus(-y .* (A*x)))",
        "30*mean(softplus(-y .* (A*x)))",
    ] {
        let outcome = solve(&text(term));
        assert_eq!(outcome.status, Status::Solved, "{term}");
        close(&vector(&outcome, "x"), &vector(&plain, "x"), 1e-5);
    }
    // The least of −x and x − 2 is at most −1, at x = 1.
    let outcome = solve("var x: real\nmaximize min([-1; 1]*x - [0, 2])\n");
    assert_eq!(outcome.status, Status::Solved);
    close(&[outcome.objective()], &[-1.0], 1e-5);
}

/// Entropy has no value below 0: the variable ends where its copy is, and the objective is a number.
#[test]
fn a_variable_ends_in_the_domain() {
    let outcome = solve(
        "
let C = uniform(4, 5, seed = 1)
var P: real[4, 5]
minimize sum(C .* P) + 0.05*neg_entropy(P)
subject to P*ones(5) = ones(4)/4, P'*ones(4) = ones(5)/5
",
    );
    assert_eq!(outcome.status, Status::Solved);
    assert!(vector(&outcome, "P").iter().all(|&p| p >= 0.0));
    assert!(outcome.objective().is_finite());
}

/// What a user writes out of one number at a time is stepped by Newton's method, where it is convex.
#[test]
fn a_function_written_out_has_a_step() {
    let b = [3.0, -1.0, 0.25];
    let root = |slope: &dyn Fn(f64) -> f64, b: f64| {
        let (mut low, mut high) = (-10.0, 10.0);
        for _ in 0..100 {
            let middle = 0.5 * (low + high);
            if slope(middle) + middle > b { high = middle } else { low = middle }
        }
        0.5 * (low + high)
    };
    let cases: [(&str, &dyn Fn(f64) -> f64); 5] = [
        ("sum(exp(x) + exp(-x))", &|x| x.exp() - (-x).exp()),
        ("sum(x.^4)/4", &|x| x.powi(3)),
        ("sum(abs(x).^1.5)", &|x| 1.5 * x.abs().sqrt() * x.signum()),
        ("sum(max(2*x - 1, 0).^2)", &|x| 4.0 * (2.0 * x - 1.0).max(0.0)),
        ("sum([0.5, 0.5, 0.5] .* softplus(2*x))", &|x| 1.0 / (1.0 + (-2.0 * x).exp())),
    ];
    for (term, slope) in cases {
        let outcome = solve(&format!("var x: real[3]\nminimize {term} + sum_squares(x - [3, -1, 0.25])/2\n"));
        assert_eq!((&outcome.status, outcome.iterations), (&Status::Solved, 1), "{term}");
        close(&vector(&outcome, "x"), &b.map(|b| root(slope, b)), 1e-6);
    }
    // A concave one, maximised, with its domain: all are equal.
    let outcome = solve("var x: real[4]\nmaximize sum(sqrt(x))\nsubject to sum(x) = 2\n");
    assert_eq!(outcome.status, Status::Solved);
    close(&vector(&outcome, "x"), &[0.5; 4], 1e-4);
    // A weight for each row, against descent on the whole.
    let weighted = "let A = normal(20, 3, seed = 1)
let y = sign(A*ones(3) + normal(20, seed = 2))
let w = uniform(20, seed = 3)
var x: real[3]
minimize sum(w .* log(1 + exp(-y .* (A*x)))) + sum_squares(x)
";
    let (split, whole) = (solve(weighted), solve(&format!("{weighted}solve lbfgs\n")));
    assert_eq!(split.status, Status::Solved);
    close(&vector(&split, "x"), &vector(&whole, "x"), 1e-5);
    // What has no parts is nobody's function: the reason names what stands in the way.
    let softmax =
        compiled("var x: real[2]\nvar z: real[2]\nminimize [1, 2]'*softmax(x) + norm1(z)\nsubject to x - z = 0\n");
    let MethodPlan::Admm(plan) = &softmax.plan.methods[0] else { panic!("it is split") };
    let tried: Vec<&String> = plan.steps().flat_map(|step| &step.tried).collect();
    assert!(tried.iter().any(|why| why.starts_with("prox: term 1 holds")), "{tried:?}");
    // Of what is not convex no step is made up.
    let outcome = solve("var x: real[2]\nminimize sum(x.^3) + sum_squares(x)*50 + norm1(x)\n");
    assert_ne!(outcome.status, Status::Solved);
}

/// Rows of a table are the members of a loop, however many there are: nothing is written out.
#[test]
fn rows_are_members() {
    let text = |members: usize, term: &str| {
        format!(
            "let N = {members}
let B = normal(N, 2, seed = 1)
let c = uniform(N, seed = 2)
data Bs[k in 1 to N] = shard(B, k, N)
var x[k in 1 to N]: real[2]
var z: real[2]
minimize sum(k in 1 to N: {term}) + norm1(z)
subject to link[k in 1 to N]: x[k] - z = 0
"
        )
    };
    let by_rows = solve(&text(5, "sum_squares(x[k] - B[k, :])/2 + c[k]*sum_squares(x[k])"));
    assert_eq!(by_rows.status, Status::Solved);
    let written_out = solve(&text(5, "sum_squares(x[k] - Bs[k]'*[1])/2 + c[k]*sum_squares(x[k])"));
    close(&vector(&by_rows, "z"), &vector(&written_out, "z"), 1e-6);
    let size = |members: usize| {
        let schedule = compiled(&text(members, "sum_squares(x[k] - B[k, :])/2")).schedule;
        schedule.programs.iter().map(|program| program.insts.len()).sum::<usize>()
    };
    assert_eq!(size(50), size(20_000));
    // Data that comes after a family of rows keeps what is known of it: a wrong shape is told, no more.
    let wrong = text(3, "sum_squares(x[k] - B[k, :]) + sum_squares(z - ones(5))");
    let (parsed, model) = checked(std::path::Path::new("test.admm"), &wrong, &Memory::default());
    assert!(model.is_none() && drawn(&parsed).contains("shape-mismatch"), "{}", drawn(&parsed));
    // Rows alone are written out, each a term with a step of its own.
    let outcome =
        solve("let B = normal(3, 2, seed = 1)\nvar x: real[2]\nminimize sum(k in 1 to 3: norm1(x - B[k, :]))\n");
    assert_eq!(outcome.status, Status::Solved);
}

/// Members with data of their own share a step where these only shift it: |x − b| + x² is least at b within
/// [−½, ½], and the least sum of magnitudes is at the median.
#[test]
fn members_are_shifted_by_their_own_data() {
    let text = "
let B = [1, 0.2; -3, 0.5]
var x[k in 1 to 2]: real[2]
minimize sum(k in 1 to 2: norm1(x[k] - B[k, :])) + sum(k in 1 to 2: sum_squares(x[k]))
";
    found(&solve(text), &[0.5, 0.2, -0.5, 0.5]);
    let text = "
let B = [1, 2; 3, 9; 5, 4]
var x[k in 1 to 3]: real[2]
var z: real[2]
minimize sum(k in 1 to 3: 2*norm1(x[k] - B[k, :]))
subject to same[k in 1 to 3]: x[k] - z = 0
";
    let outcome = solve(text);
    assert_eq!(outcome.status, Status::Solved);
    close(&vector(&outcome, "z"), &[3.0, 4.0], 1e-5);
}

/// The same with a coupling whose MᵀM is full, member by member: CVXPY 1.9 with Clarabel, each by itself.
#[test]
fn members_take_linearised_steps() {
    let text = "
let B = [1, 2; -1, 0; 0.5, 1]
let C = [1, 2; 3, 1]
let t = [1, 2]
var x[k in 1 to 3]: real[2]
var z[k in 1 to 3]: real[2]
minimize sum(k in 1 to 3: 2*norm1(x[k] - B[k, :])) + sum(k in 1 to 3: sum_squares(z[k] - t)/2)
subject to link[k in 1 to 3]: C*x[k] - z[k] = 0
split x | z
";
    let MethodPlan::Admm(plan) = &compiled(text).plan.methods[0] else { panic!("it is split") };
    assert!(matches!(plan.x[0].rule, Rule::Linearised(_)));
    found(&solve(text), &[0.6, 0.6, 0.5, 0.0, 0.5, 0.7]);
}

/// After one step the copies agree, so the first multipliers are rounding: they are no scale of the dual residual.
#[test]
fn a_first_multiplier_of_rounding_is_no_scale() {
    let text = "
let B = [1, 2; 3, 9; 5, 4]
var x1, x2, x3, z: real[2]
minimize norm1(x1 - B[1, :]) + norm1(x2 - B[2, :]) + norm1(x3 - B[3, :])
subject to x1 - z = 0, x2 - z = 0, x3 - z = 0
";
    let outcome = solve(text);
    assert_eq!(outcome.status, Status::Solved);
    close(&vector(&outcome, "z"), &[3.0, 4.0], 1e-5);
}

/// An equation that is kept with x joins columns that no coupling joins: their rows keep weights of one size.
/// CVXPY 1.9 with Clarabel.
#[test]
fn parts_that_no_coupling_joins_are_weighed_alike() {
    let text = "
let A = [-0.8, -1.3, -0.2; 0.4, 1.1, 0.1; -0.6, -0.8, 0.7; 1.6, 0.3, -1.2; -1, 1.6, 0.2; -1.7, -0.1, -1.2; -0.6, -0.5, -0.7; 0.6, -0.1, -0.6]
let y = [-1, -1, 1, 1, -1, -1, -1, 1]
var x, z: real[3]
minimize logistic(y, A*x) + 0.2*norm1(z)
subject to x - z = 0, x >= 0
";
    let split = &compiled(text).split.players[0];
    let weights: Vec<f64> = split.couplings.iter().flat_map(|c| c.weights.clone().unwrap_or(vec![1.0])).collect();
    let (least, most) = weights.iter().fold((f64::INFINITY, 0.0f64), |(least, most), &w| (least.min(w), most.max(w)));
    assert!(most <= 100.0 * least, "{weights:?}");
    found(&solve(text), &[1.727_389_6, 0.0, 0.626_634_6]);
}
