//! Inner methods: Newton's, and composite steps, which end in a proximal map. Answers are those of CVXPY 1.9 with
//! Clarabel 0.11 at a gap of 1e-11, of the same data without a split.

use admmc::exec::Status;
use admmc::model::ir::DescentKind;
use admmc::pipeline::Compiled;
use admmc::steps::ir::{MethodPlan, Penalty, Rule, Step};

use crate::compile::{compiled, execute, is_refused};
use crate::solve::{close, solve, vector};

/// Sixteen rows of three measurements, labels and counts, and a coupling whose CᵀC is full.
const DATA: &str = "
let A = [-0.8, -1.3, -0.2; 0.4, 1.1, 0.1; -0.6, -0.8, 0.7; 1.6, 0.3, -1.2; -1, 1.6, 0.2; -1.7, -0.1, -1.2; -0.6, -0.5, -0.7; 0.6, -0.1, -0.6; 0.4, 0.8, -1.6; -0.3, -1, -0.2; -1.3, 0, 0; -0.3, -1, -0.4; -1.1, -1.4, 0.2; -1.1, 1.2, 0.7; -2, 0.3, -1.1; 0, 0, -2]
let y = [-1, -1, 1, 1, -1, -1, -1, 1, 1, 1, 1, 1, 1, -1, -1, -1]
let k = [0, 2, 1, 3, 4, 0, 2, 1, 2, 0, 0, 3, 1, 1, 0, 0]
let C = [1, 1, 0; 0, 2, -1; 1, 0, 1; 0.5, 0, 0]
";

/// Error of a variable at a tolerance of 1e-8.
const NEAR: f64 = 1e-6;

/// A problem on these data with the settings of its solve block.
fn problem(text: &str, settings: &str) -> String {
    format!("{DATA}{text}solve admm {{ tol = 1e-8, {settings} }}\n")
}

/// The step of `w`.
fn step(compiled: &Compiled) -> &Step {
    let MethodPlan::Admm(plan) = &compiled.plan.methods[0] else { panic!("it is split") };
    let held = |step: &&Step| step.component.vars.iter().any(|var| compiled.model.vars[var.index()].name == "w");
    plan.steps().find(held).expect("`w` has a step")
}

/// Solved, `w` as expected, every check within its bound.
fn found(text: &str, w: &[f64]) {
    let outcome = solve(text);
    assert_eq!(outcome.status, Status::Solved, "{text}{:?}", outcome.stationarity);
    close(&vector(&outcome, "w"), w, NEAR);
}

fn method(compiled: &Compiled) -> Option<DescentKind> {
    match &step(compiled).rule {
        Rule::Descent(descent) => Some(descent.kind),
        Rule::Composite(it) => Some(it.descent.kind),
        _ => None,
    }
}

const LOGISTIC: &str = "var w, z: real[3]
minimize logistic(y, A*w) + 2*norm1(z)
subject to w - z = 0
";

const POISSON: &str = "var w, z: real[3]
minimize sum(exp(A*w)) - k'*(A*w) + 2*norm1(z)
subject to w - z = 0
";

#[test]
fn newton_is_taken_for_few_variables_of_a_convex_function() {
    for (text, w) in [(LOGISTIC, [0.250_004_9, -0.279_518_8, 0.0]), (POISSON, [0.229_296_3, 0.388_200_8, 0.0])] {
        let text = problem(text, "");
        assert_eq!(method(&compiled(&text)), Some(DescentKind::Newton));
        found(&text, &w);
    }
    // Not of many variables, and not of what is not known to be convex.
    let many = "
let A = normal(4, 1001, seed = 1)
var w, z: real[1001]
minimize logistic(ones(4), A*w) + norm1(z)
subject to w - z = 0
";
    let bent = problem("var w, z: real[3]\nminimize sum(tanh(A*w)) + norm1(z)\nsubject to w - z = 0\n", "");
    for text in [many, &bent] {
        assert!(matches!(method(&compiled(text)), Some(DescentKind::Lbfgs { .. })), "{text}");
    }
}

/// A named one, to a tolerance and not; of a family, whose members it takes together.
#[test]
fn newton_finds_what_others_find() {
    for settings in ["x_step = newton(steps = 3)", "x_step = newton(tol = 1e-3)", "x_step = lbfgs(steps = 20)"] {
        found(&problem(LOGISTIC, settings), &[0.250_004_9, -0.279_518_8, 0.0]);
    }
    let family = problem(
        "data As[i in 1 to 2] = shard(A, i, 2)
data ys[i in 1 to 2] = shard(y, i, 2)
var w[i in 1 to 2]: real[3]
var z: real[3]
minimize sum(i in 1 to 2: logistic(ys[i], As[i]*w[i])) + 2*norm1(z)
subject to agree[i in 1 to 2]: w[i] - z = 0
",
        "",
    );
    assert_eq!(method(&compiled(&family)), Some(DescentKind::Newton));
    let outcome = solve(&family);
    assert_eq!(outcome.status, Status::Solved, "{:?}", outcome.stationarity);
    close(&vector(&outcome, "z"), &[0.250_004_9, -0.279_518_8, 0.0], NEAR);
}

/// On the unsplit objective, as a baseline: quadratically, so in few steps.
#[test]
fn newton_solves_the_unsplit_problem() {
    let text =
        format!("{DATA}var w: real[3]\nminimize logistic(y, A*w) + sum_squares(w)/2\nsolve newton {{ tol = 1e-10 }}\n");
    let outcome = solve(&text);
    assert_eq!(outcome.status, Status::Stationary, "{:?}", outcome.stationarity);
    assert!(outcome.iterations < 10, "{}", outcome.iterations);
    close(&vector(&outcome, "w"), &[0.719_017_4, -0.818_567_7, 0.116_203_6], NEAR);
}

/// Where the curvature is negative, at ±0.1, steps go downhill: on `Σ(w² − 1)²` to the nearer minimum.
#[test]
fn newton_leaves_negative_curvature() {
    let text = "
var w: real[2], init = [0.1; -0.1]
minimize sum_squares(square(w) - 1)
solve newton { tol = 1e-10 }
";
    let outcome = solve(text);
    assert_eq!(outcome.status, Status::Stationary, "{:?}", outcome.stationarity);
    close(&vector(&outcome, "w"), &[1.0, -1.0], NEAR);
}

/// Composite steps: terms, the answer, and whether Adam has one too.
const COMPOSITE: &[(&str, [f64; 3], bool)] = &[
    (
        "var w, z: real[3]
minimize logistic(y, A*w) + 2*norm1(w) + sum_squares(z)/2
subject to w - z = 0
split w | z
",
        [0.192_783_1, -0.203_441_1, 0.0],
        true,
    ),
    // CᵀC is full: the penalty is linearised, or a part of the smooth function.
    (
        "var w: real[3]
var z: real[4]
minimize sum(exp(A*w)) - k'*(A*w) + norm1(z)
subject to C*w - z = 0, w >= 0
split w | z
",
        [0.198_129_3, 0.306_622_7, 0.011_732_6],
        true,
    ),
    // A function and a bound on top of it.
    (
        "var w, z: real[3]
minimize logistic(y, A*w) + 0.5*norm1(w) + norm_inf(z)
subject to w - z = 0, -0.5 <= w <= 0.5
split w | z
",
        [0.5, -0.5, 0.0],
        true,
    ),
    // Not a sum over coordinates: a scale for each is none of its own.
    (
        "var w: real[3]
var z: real[4]
minimize logistic(y, A*w) + sum_squares(z)/2
subject to C*w - z = 0, w in simplex
split w | z
",
        [0.701_773_7, 0.0, 0.298_226_3],
        false,
    ),
    // A diagonal MᵀM that is no multiple of I.
    (
        "let s = [1, 2, 4]
var w, z: real[3]
minimize logistic(y, A*w) + 2*norm1(w) + sum_squares(z ./ s)/2
subject to s.*w - z = 0
split w | z
",
        [0.192_783_1, -0.203_441_1, 0.0],
        true,
    ),
];

#[test]
fn composite_steps_find_what_is_known() {
    for &(text, w, scaled) in COMPOSITE {
        let default = problem(text, "");
        assert_eq!(method(&compiled(&default)), Some(DescentKind::Fista), "{text}");
        found(&default, &w);
        for named in ["gradient(rate = 0.05, steps = 10)", "gradient(rate = 0.05, tol = 0.01)", "fista(tol = 1e-3)"] {
            found(&problem(text, &format!("x_step = {named}")), &w);
        }
        let adam = problem(text, "x_step = adam(rate = 0.02, steps = 5)");
        if scaled {
            found(&adam, &w);
        } else {
            assert!(is_refused(&adam), "{text}");
        }
        // These keep to no bound and stall at kinks.
        assert!(is_refused(&problem(text, "x_step = newton(steps = 5)")), "{text}");
    }
}

/// How the penalty is taken follows from MᵀM.
#[test]
fn the_penalty_is_exact_where_it_is_diagonal() {
    let penalty = |text: &str, settings: &str| match &step(&compiled(&problem(text, settings))).rule {
        Rule::Composite(it) => it.penalty,
        other => panic!("{other:?}"),
    };
    let named = "x_step = gradient(rate = 0.1)";
    assert_eq!(penalty(COMPOSITE[0].0, ""), Penalty::Exact);
    assert_eq!(penalty(COMPOSITE[4].0, named), Penalty::Exact);
    assert_eq!(penalty(COMPOSITE[1].0, ""), Penalty::Smooth);
    // ‖C‖² is 6.0579 by NumPy, and κ is no less.
    assert!(
        matches!(penalty(COMPOSITE[1].0, named), Penalty::Linearised(kappa) if kappa >= 6.0579),
        "{:?}",
        penalty(COMPOSITE[1].0, named)
    );
}

/// With a method that keeps to it a bound stays where it is written; else the compiler gives it a variable.
#[test]
fn a_named_method_keeps_a_written_coupling() {
    let text = "var w, z: real[3]
minimize logistic(y, A*w) + 0.5*norm1(z)
subject to w - z = 0, w >= 0
";
    let couplings = |settings: &str| compiled(&problem(text, settings)).split.players[0].couplings.len();
    assert_eq!(couplings("x_step = gradient(rate = 0.05)"), 1);
    assert!(couplings("") > 1);
    assert!(couplings("x_step = lbfgs(steps = 5)") > 1);
    found(&problem(text, "x_step = gradient(rate = 0.05)"), &[0.611_590_4, 0.0, 0.001_917_8]);
}

/// Each member of a family takes its own steps.
#[test]
fn members_of_a_family_end_in_a_map() {
    let text = problem(
        "data As[i in 1 to 2] = shard(A, i, 2)
data ys[i in 1 to 2] = shard(y, i, 2)
var w[i in 1 to 2]: real[3]
var z: real[3]
minimize sum(i in 1 to 2: logistic(ys[i], As[i]*w[i])) + 0.5*norm1(z)
subject to agree[i in 1 to 2]: w[i] - z = 0, at[i in 1 to 2]: w[i] >= 0
split w | z
",
        "x_step = gradient(rate = 0.05, steps = 5)",
    );
    let outcome = solve(&text);
    assert_eq!(outcome.status, Status::Solved, "{:?}", outcome.stationarity);
    close(&vector(&outcome, "z"), &[0.611_590_4, 0.0, 0.001_917_8], NEAR);
    assert!(is_refused(&text.replace("gradient(rate = 0.05, steps = 5)", "fista")));
}

/// A set that is not convex is kept by a named method, exactly; the methods that search need a convex one.
#[test]
fn sets_that_are_not_convex_are_kept_by_gradient_steps() {
    let text = "var w, z: real[3]
minimize logistic(y, A*w) + sum_squares(z)/2
subject to w - z = 0, w in sparse(1)
split w | z
";
    let outcome = solve(&problem(text, "x_step = gradient(rate = 0.05, steps = 5)"));
    assert_eq!(outcome.status, Status::Stationary, "{:?}", outcome.stationarity);
    let w = vector(&outcome, "w");
    assert_eq!(w.iter().filter(|w| **w != 0.0).count(), 1, "{w:?}");
    assert!(is_refused(&problem(text, "")));
    assert!(is_refused(&problem(text, "x_step = fista(steps = 5)")));
}

/// The weights of a network that random batches train: some end at 0, exactly, and none of the biases do.
#[test]
fn weights_of_a_network_are_thresholded_in_its_own_step() {
    let text = "
let X = normal(64, 2, seed = 1)
let t = tanh(X*[1; -1])
net f(θ): 2 -> dense 8 tanh -> dense 1
sample (Xb, tb) ~ draw(X, t) batch 16
player fitter {
    var θ1, θ2: params(f)
    minimize fit: sum_squares(f(Xb; θ1) - tb)/16 + sparse: 0.05*norm1(weights(θ1)) + size: 0.01*sum_squares(θ2)
    subject to tie: θ1 - θ2 = 0
}
solve play as game {
    repeat 40 epochs of Xb {
        each batch {
            admm fitter { x_step = METHOD }
        }
    }
}
";
    for method in ["gradient(rate = 0.1)", "adam(rate = 0.01)"] {
        let compiled = compiled(&text.replace("METHOD", method));
        let outcome = execute(&compiled);
        assert_eq!(outcome.status, Status::Completed, "{:?}", outcome.stationarity);
        let numbers = outcome.answer("fitter.θ1").or(outcome.answer("θ1")).expect("the copy").to_f64();
        let zeros = |part: &[f64]| part.iter().filter(|x| **x == 0.0).count();
        // 16 weights, 8 biases, 8 weights, 1 bias.
        assert!(zeros(&numbers[..16]) + zeros(&numbers[24..32]) > 4, "{numbers:?}");
        assert_eq!(zeros(&numbers[16..24]) + zeros(&numbers[32..]), 0, "{numbers:?}");
    }
}

/// Updates that a solve block states, in the place of the derived ones: a proximal map and a gradient step of one's
/// own end where the derived steps end, and are checked like them.
#[test]
fn stated_updates_run() {
    let text = |settings: &str| {
        problem(
            "var w, z: real[3]\nminimize sum_squares(A*w - y)/2 + 3*norm1(z)\nsubject to tie: w - z = 0\nsplit w | z\n",
            settings,
        )
    };
    let derived = vector(&solve(&text("rho = 5")), "w");
    let soft = "z_step = given(pos(w + λ/ρ - 3/ρ) - pos(-w - λ/ρ - 3/ρ))";
    for settings in [
        format!("rho = 5, {soft}"),
        format!("rho = auto, {soft}"),
        "rho = 5, iterations = 20000, x_step = given(w - 0.01*(A'*(A*w - y) + λ + ρ*(w - z)))".to_owned(),
    ] {
        found(&text(&settings), &derived);
    }
    // A step that is none: the check at the end does not pass.
    let outcome = solve(&text("rho = 5, iterations = 2000, z_step = given(w + λ/ρ)"));
    assert_eq!(outcome.status, Status::IterationLimit);
}

/// In a game a player's turn states it in the player's names, whatever another's are.
#[test]
fn a_stated_update_in_a_game() {
    let player = |name: &str, a: f64| {
        format!(
            "player {name} {{\n    var x, z: real[3]\n    minimize sum_squares(x - {a}) + sum_squares(z)/2\n    \
             subject to w: x - z = 0\n}}\n"
        )
    };
    let turn = |name: &str, step: &str| format!("admm {name} {{ rho = 1, z_step = given({step}) }}");
    let outcome = solve(&format!(
        "{}{}solve play as game {{\n    repeat 60 times {{\n        {}\n        {}\n    }}\n}}\n",
        player("one", 1.0),
        player("two", 3.0),
        turn("one", "(ρ*x + dual(w))/(1 + ρ)"),
        turn("two", "(ρ*x + λ)/(1 + ρ)"),
    ));
    assert_eq!(outcome.status, Status::Completed);
    close(&vector(&outcome, "one.z"), &[2.0 / 3.0; 3], 1e-5);
    close(&vector(&outcome, "two.z"), &[2.0; 3], 1e-5);
}
