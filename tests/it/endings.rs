//! What a run that comes to no answer says of itself, and that its mended twin comes to one without a word.

use std::path::Path;

use admmc::data::{Disk, Memory};
use admmc::diag::{Code, Style, render};
use admmc::exec::{Cpu, Nobody, Outcome, Status, run};
use admmc::host::Still;
use admmc::pipeline::{self, Compiled, Parsed};
use expect_test::{Expect, expect};

use crate::compile::{compile, drawn, remarked};

/// A text, compiled and run to its end.
fn ended(text: &str) -> (Parsed, Compiled, Outcome) {
    let files = Memory::default();
    let mut parsed = pipeline::parse_text(Path::new("test.admm"), text, &files);
    let compiled = compile(&mut parsed, &files, &[], None).unwrap_or_else(|| panic!("{}", drawn(&parsed)));
    let outcome =
        run(&compiled.schedule, &mut Cpu::new(1), &Still::default(), &mut Nobody, 0).expect("nothing to misfit");
    (parsed, compiled, outcome)
}

/// The status, and what is remarked.
fn said(text: &str) -> String {
    let (parsed, compiled, outcome) = ended(text);
    let found = remarked(&compiled, &outcome, &parsed.sources);
    let drawn: Vec<String> = found.iter().map(|diag| render(diag, &parsed.sources, Style::default())).collect();
    format!("{}\n{}", outcome.status, drawn.join("\n"))
}

fn check(text: &str, expected: Expect) {
    expected.assert_eq(&said(text));
}

/// The twin: it ends well, and nothing is remarked.
fn mended(text: &str) {
    let (parsed, compiled, outcome) = ended(text);
    assert_eq!(outcome.status.exit_code(), 0, "{text}\n{}", outcome.status);
    assert!(remarked(&compiled, &outcome, &parsed.sources).is_empty());
}

const CONCAVE: &str = "
let q = [0.3, -0.2, 0.1]
var x, z: real[3]
minimize q'*x - sum_squares(x)
subject to x - z = 0, -1 <= z <= 1
solve admm { rho = 2.5 }
";

/// At ρ = 2.5 the multiplier is multiplied by −μ/(ρ − μ) = −4 in each iteration, at relax = 1.
#[test]
fn a_rho_below_twice_its_threshold_diverges() {
    let text = CONCAVE.replace("rho = 2.5", "rho = 2.5, relax = 1");
    check(
        &text,
        expect![[r#"
            diverged
            error E0702 diverging

              × the residuals grow by a factor of 4 an iteration
              ├─▶ ‖r‖ ends at 5.298e16 and ‖s‖ at 5: 1.1e12 times the largest of the first iterations
              ╰─▶ the step of `x` is convex above ρ* = 2, and the iteration settles above about 2ρ* = 4: ρ is
                  2.5
               ╭─[test.admm:6:1]
             3 │ var x, z: real[3]
             4 │ minimize q'*x - sum_squares(x)
               ·          ──┬─
               ·            ╰── the step of `x` curves downwards
             5 │ subject to x - z = 0, -1 <= z <= 1
             6 │ solve admm { rho = 2.5, relax = 1 }
               · ─────────────────┬─────────────────
               ·                  ╰── stopped in iteration 30
               ╰────
              help: more iterations make it worse; write `rho = auto`, or more than 4
        "#]],
    );
    mended(&CONCAVE.replace("rho = 2.5", "rho = 10, relax = 1"));
}

/// With relax = 1.6 the multiplier is multiplied by 1 − αρ/(ρ − μ): at ρ = 10 that is −1, and it settles above.
#[test]
fn relaxation_asks_for_a_larger_rho() {
    check(
        &CONCAVE.replace("rho = 2.5", "rho = 9.9999, relax = 1.6, iterations = 200"),
        expect![[r#"
            iteration-limit
            warning E0702 diverging

              ⚠ the iteration goes round: for 100 iterations the residuals neither fall nor grow
              ├─▶ ‖r‖ swings between 0.3945 and 0.3947, ‖s‖ between 2.367 and 2.368, the objective between
              │   -4.095 and -3.416
              ╰─▶ the step of `x` is convex above ρ* = 2, and the iteration settles above about 2ρ*/(2 − 1.6)
                  = 10: ρ is 9.9999
               ╭─[test.admm:6:1]
             3 │ var x, z: real[3]
             4 │ minimize q'*x - sum_squares(x)
               ·          ──┬─
               ·            ╰── the step of `x` curves downwards
             5 │ subject to x - z = 0, -1 <= z <= 1
             6 │ solve admm { rho = 9.9999, relax = 1.6, iterations = 200 }
               · ─────────────────────────────┬────────────────────────────
               ·                              ╰── comes back about every 2 iterations
               ╰────
              help: more iterations go the same way; write `relax = 1`, or a `rho` above 10
        "#]],
    );
    mended(&CONCAVE.replace("rho = 2.5", "rho = 12, relax = 1.6"));
}

const STEEP: &str = "
var x: real[3]
minimize 100*sum_squares(x - ones(3))
solve gd { rate = 0.1, iterations = 100 }
";

/// A rate of 0.1 on a curvature of 200: the error is multiplied by −19.
#[test]
fn a_rate_that_is_too_large_diverges() {
    check(
        STEEP,
        expect![[r#"
        diverged
        error E0702 diverging

          × the objective grows by a factor of 361 an iteration
          ├─▶ it ends at 4.41398e76: 1.4e51 times the largest of the first iterations
          ╰─▶ where the run began, the objective curves by up to L = 200: gradient steps of rate 0.1
              overshoot, as rate·L = 20 is above 2
           ╭─[test.admm:4:1]
         3 │ minimize 100*sum_squares(x - ones(3))
         4 │ solve gd { rate = 0.1, iterations = 100 }
           · ────────────────────┬────────────────────
           ·                     ╰── stopped in iteration 30
           ╰────
          help: more iterations make it worse; write a `rate` below 2/L = 0.01
    "#]],
    );
    mended(&STEEP.replace("0.1", "1e-3"));
}

/// An objective without a least value, which no check foresees, falls for ever.
#[test]
fn an_objective_that_falls_is_said_to() {
    check(
        "
var x: real[2], init = ones(2)
minimize 0.1*x[2]^2 - x[1]^2*cos(0.001*x[2]/x[2])
solve gd { rate = 0.5, iterations = 500 }
",
        expect![[r#"
            diverged
            error E0702 diverging

              × the objective falls, and faster all the time, by a factor of 4 an iteration
              ╰─▶ it ends at -2.88226e17: 1.1e12 times the largest of the first iterations
               ╭─[test.admm:4:1]
             3 │ minimize 0.1*x[2]^2 - x[1]^2*cos(0.001*x[2]/x[2])
             4 │ solve gd { rate = 0.5, iterations = 500 }
               · ────────────────────┬────────────────────
               ·                     ╰── stopped in iteration 30
               ╰────
              help: more iterations only lead further; see that every term has a least value, or a bound that
                    holds it
        "#]],
    );
}

const CIRCLE: &str = "
var x, z: real[2]
minimize 2*sum(log(1 + x.^2)) + 0.5*sum_squares(z - [3.4641; 3.4])
subject to x - z = 0
solve admm { rho = 0.3, relax = 1, iterations = 120, x_step = lbfgs(steps = 20) }
";

/// 2 log(1 + x²) curves by −½ at x = √3, near where the objective is least.
#[test]
fn a_rho_that_is_too_low_circles() {
    check(
        CIRCLE,
        expect![[r#"
        iteration-limit
        warning E0702 diverging

          ⚠ the iteration goes round: for 60 iterations the residuals neither fall nor grow
          ├─▶ ‖r‖ swings between 0.8803 and 4.494, ‖s‖ between 0.07923 and 0.4044, the objective between
          │   2.884 and 14.9
          ╰─▶ where `z` ended, the terms of `x` curve by -0.4804 along some direction: the step takes ρ >
              0.4804 to be convex there, and about twice that to settle; it is concave at ρ = 0.3
           ╭─[test.admm:5:1]
         2 │ var x, z: real[2]
         3 │ minimize 2*sum(log(1 + x.^2)) + 0.5*sum_squares(z - [3.4641; 3.4])
           ·          ──────────┬─────────
           ·                    ╰── curves by -0.4804 there
         4 │ subject to x - z = 0
         5 │ solve admm { rho = 0.3, relax = 1, iterations = 120, x_step = lbfgs(steps = 20) }
           · ────────────────────────────────────────┬────────────────────────────────────────
           ·                                         ╰── comes back about every 4 iterations
           ╰────
          help: more iterations go the same way; write a `rho` above 0.96, or `rho = auto`
    "#]],
    );
    mended(&CIRCLE.replace("0.3", "2"));
}

const LOGISTIC: &str = "
let A = 10*normal(20, 3, seed = 1)
let y = sign(normal(20, seed = 2))
var x, z: real[3]
minimize sum(log(1 + exp(-y .* (A*x)))) + 0.01*sum_squares(z)
subject to x - z = 0
solve admm { rho = 1, iterations = 200, x_step = gradient(rate = 0.1, steps = 3) }
";

/// Slopes that are bounded don't let steps grow that overshoot: they go to and fro.
#[test]
fn steps_that_overshoot_circle() {
    check(
        LOGISTIC,
        expect![[r#"
        iteration-limit
        warning E0702 diverging

          ⚠ the iteration goes round: for 100 iterations the residuals neither fall nor grow
          ├─▶ ‖r‖ swings between 4.76 and 5.406, ‖s‖ between 57.13 and 68.14, the objective between 142.8
          │   and 205.1
          ╰─▶ half the way from its start to its end, the step of `x` curves by up to L = 33.15: gradient
              steps of rate 0.1 overshoot, as rate·L = 3.315 is above 2.1
           ╭─[test.admm:7:1]
         6 │ subject to x - z = 0
         7 │ solve admm { rho = 1, iterations = 200, x_step = gradient(rate = 0.1, steps = 3) }
           · ─────────────────────────────────────────┬────────────────────────────────────────
           ·                                          ╰── comes back about every 22 iterations
           ╰────
          help: more iterations go the same way; write a `rate` below 2/L = 0.06
    "#]],
    );
    mended(&LOGISTIC.replace("gradient(rate = 0.1, steps = 3)", "lbfgs"));
}

const APART: &str = "
var x: real[2]
minimize sum_squares(x)
subject to low: x[1] + x[2] >= 3, high: x[1] + x[2] <= 1, x <= 10
";

#[test]
fn rows_that_contradict_each_other_are_weighed() {
    check(
        APART,
        expect![[r#"
        primal-infeasible
        error E0703 no-solution

          × no point meets the constraints
          ╰─▶ low + high says 0 ≥ 2
           ╭─[test.admm:4:12]
         3 │ minimize sum_squares(x)
         4 │ subject to low: x[1] + x[2] >= 3, high: x[1] + x[2] <= 1, x <= 10
           ·            ──────────┬──────────  ───────────┬──────────
           ·                      │                       ╰── and this one
           ·                      ╰── this one
           ╰────
          help: the multipliers of these rows grow in every iteration, and nothing else changes; loosen
                one of them: what it takes of one alone is at least `low` by 2, or `high` by 2
    "#]],
    );
    mended(&APART.replace("<= 1,", "<= 3,"));
    // Two of the one for one of the other, in a split that is stated.
    check(
        "
var x: real[2]
var z: real[2]
minimize sum_squares(x)
subject to link: [x[1] + x[2]; -2*x[1] - 2*x[2]] - z = 0, z <= [1; -6]
",
        expect![[r#"
            primal-infeasible
            error E0703 no-solution

              × no point meets the constraints
              ╰─▶ link[1] + 0.5 × link[2] says 0 ≥ 2
               ╭─[test.admm:5:12]
             4 │ minimize sum_squares(x)
             5 │ subject to link: [x[1] + x[2]; -2*x[1] - 2*x[2]] - z = 0, z <= [1; -6]
               ·            ──────────────────────┬──────────────────────  ──────┬─────
               ·                                  │                              ╰── and this one
               ·                                  ╰── this one
               ╰────
              help: the multipliers of these rows grow in every iteration, and nothing else changes; loosen
                    one of them: what it takes of one alone is at least `link[1]` by 2, or `link[2]` by 4
        "#]],
    );
}

const FALLING: &str = "
var x: real[2]
minimize x[1] - 2*x[2]
subject to x[1] >= 0, x[1] - x[2] <= 4
solve admm { accelerate = none }
";

#[test]
fn a_direction_without_end_is_named() {
    check(
        FALLING,
        expect![[r#"
        dual-infeasible
        error E0703 no-solution

          × the objective falls without end, and no constraint stops it
          ├─▶ the direction is 0.02222·x[1] + 0.9998·x[2]
          ╰─▶ for each 1 along it the objective falls by 1.977
           ╭─[test.admm:3:1]
         2 │ var x: real[2]
         3 │ minimize x[1] - 2*x[2]
           · ────┬───
           ·     ╰── falls for ever
         4 │ subject to x[1] >= 0, x[1] - x[2] <= 4
           ╰────
          help: no step of ADMM comes to rest, since a further one is better; bound `x` along it by a
                constraint, or by a term that grows faster, as a small multiple of `sum_squares`
    "#]],
    );
    mended(&FALLING.replace("<= 4", "<= 4, x[2] <= 8"));
}

/// The cases of ill-posed problems each give their code, before the run or after.
#[test]
fn cases_give_their_codes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/convex");
    let code = |name: &str| -> Vec<Code> {
        let path = root.join(name).join(format!("{name}.admm"));
        let mut parsed = pipeline::parse(&path, &Disk).expect("the case is there");
        let Some(compiled) = compile(&mut parsed, &Disk, &[], None) else {
            return parsed.diags.iter().map(|diag| diag.code).collect();
        };
        let outcome = run(&compiled.schedule, &mut Cpu::new(1), &Still::default(), &mut Nobody, 0).expect("as above");
        remarked(&compiled, &outcome, &parsed.sources).iter().map(|diag| diag.code).collect()
    };
    assert_eq!(code("infeasible_lp"), [Code::NoSolution]);
    assert_eq!(code("unbounded_lp"), [Code::NoSolution]);
    assert_eq!(code("inconsistent_constraint"), [Code::InconsistentConstraint]);
    // One equation step solves it; three blocks in turn are never taken.
    assert_eq!(code("three_block_chyy"), []);
}

const KINK: &str = "
let A = normal(20, 4, seed = 1)
let b = normal(20, seed = 2)
var x, z: real[4]
minimize fit: sum(abs(A*x - b)) + sum_squares(z)
subject to x - z = 0
solve admm { rho = 1, iterations = 40, tol = 1e-8, x_step = lbfgs(steps = 20) }
";

#[test]
fn a_search_that_stands_at_a_kink_says_so() {
    check(
        KINK,
        expect![[r#"
        iteration-limit
        warning E0704 inner-stalled

          ⚠ L-BFGS finds no step for `x`: no length along its direction lowers the objective
          ├─▶ 37 of 133 searches found none, the last 36 in a row; the shortest step tried was 1.8e-12
          ├─▶ where it stands the gradient has length 2.471, and the slope along the direction is -2.471
          ╰─▶ `fit` has a kink in `x` there: its gradient gives a slope of 0.113618, and differences on
              both sides give -0.190763
           ╭─[test.admm:5:15]
         4 │ var x, z: real[4]
         5 │ minimize fit: sum(abs(A*x - b)) + sum_squares(z)
           ·               ────────┬────────
           ·                       ╰── stands still
         6 │ subject to x - z = 0
           ╰────
          help: the outer iteration goes on from a step that was not taken; at a kink the gradient leads
                nowhere: give what has it a variable of its own, tied by an equation, so that its proximal
                map takes it
    "#]],
    );
    mended(&KINK.replace("iterations = 40, tol = 1e-8, x_step = lbfgs(steps = 20)", "tol = 1e-8"));
}

/// The unsplit methods stand still at once.
#[test]
fn a_descent_that_stands_still_says_so() {
    check(
        "
let A = normal(20, 4, seed = 1)
let b = normal(20, seed = 2)
var x: real[4]
minimize fit: sum(abs(A*x - b).^1) + 0.01*sum_squares(x)
solve lbfgs { iterations = 200 }
",
        expect![[r#"
            solved-inaccurate
            warning E0704 inner-stalled

              ⚠ L-BFGS finds no step for `x`: no length along its direction lowers the objective
              ├─▶ 1 of 68 searches found none, the last 1 in a row; the shortest step tried was 1.8e-12
              ├─▶ where it stands the gradient has length 2.29, and the slope along the direction is -44.03
              ├─▶ `fit` has a kink in `x` there: its gradient gives a slope of 0.113618, and differences on
              │   both sides give -0.190754
              ╰─▶ the derivative of `term 2` by `x` agrees with differences to 6e-12
               ╭─[test.admm:5:15]
             4 │ var x: real[4]
             5 │ minimize fit: sum(abs(A*x - b).^1) + 0.01*sum_squares(x)
               ·               ──────────┬─────────
               ·                         ╰── stands still
             6 │ solve lbfgs { iterations = 200 }
               ╰────
              help: the run ends where it stands, which is no stationary point; at a kink the gradient leads
                    nowhere: give what has it a variable of its own, tied by an equation, so that its proximal
                    map takes it
        "#]],
    );
}

const HELD: &str = "
var x, z: real[2]
minimize x[1] - 50*x[1]^2 + 0.0005*(x[2] - 30)^2 + 100*z[1]^2
subject to x - z = 0
solve admm { rho = auto, iterations = 100 }
";

/// x[1] needs ρ ≥ 100, x[2] would have it at 0.001.
#[test]
fn a_rho_at_its_bound_is_told() {
    check(
        HELD,
        expect![[r#"
            iteration-limit
            warning E0705 penalty-at-bound

              ⚠ ρ rests at its bound, 200, where the residuals ask for 0.01 times as much
              ├─▶ at the end ‖r‖ is 0 of what it is made of, and ρ‖B(z⁺ − z)‖ is 0.015 of ‖λ‖; ρ is multiplied
              │   by √ of their ratio
              ╰─▶ the bound is where an iteration with this concave step settles
               ╭─[test.admm:5:1]
             4 │ subject to x - z = 0
             5 │ solve admm { rho = auto, iterations = 100 }
               · ─────────────────────┬─────────────────────
               ·                      ╰── ρ goes no lower than 200
               ╰────
              help: with so large a ρ the copies agree long before the objective is least; raise `iterations`,
                    or give what curves downwards 0.01 of its weight, which the bound follows
        "#]],
    );
    mended(&HELD.replace("0.0005", "50"));
}

const UNITS: &str = "
let A = normal(8, 3, seed = 1)
var x, z: real[3]
minimize 1e-9*sum_squares(A*x - ones(8)) + 1e-9*norm1(z)
subject to x - z = 0
solve admm { rho = 1e4, adapt = balanced, iterations = 80, accelerate = none }
";

#[test]
fn a_rho_that_went_far_is_told() {
    check(
        UNITS,
        expect![[r#"
        iteration-limit
        warning E0705 penalty-at-bound

          ⚠ ρ went from 10000 to 0.00239376, and the residuals ask for less
          ╰─▶ at the end ‖r‖ is 0.0771 of what it is made of, and ρ‖B(z⁺ − z)‖ is 11 of ‖λ‖; ρ is
              multiplied by √ of their ratio
           ╭─[test.admm:6:1]
         5 │ subject to x - z = 0
         6 │ solve admm { rho = 1e4, adapt = balanced, iterations = 80, accelerate = none }
           · ───────────────────────────────────────┬──────────────────────────────────────
           ·                                        ╰── the balance has not come to rest
           ╰────
          help: on its way ρ was far off, and those iterations were lost: constraint and objective are in
                units that differ so much; multiply the constraint by 0.0005, the objective by 4e6, or
                begin at `rho = 0.002`
    "#]],
    );
    mended(&UNITS.replace("rho = 1e4, adapt = balanced, iterations = 80, accelerate = none", "rho = auto"));
}

const WILD: &str = "var x: real[3]\nminimize sum(exp(x)) + sum_squares(x)\nsolve gd { rate = 100, iterations = 100 }\n";

/// What is kept is the state before the iteration that went wrong, to the last bit.
#[test]
fn the_last_finite_state_is_the_answer() {
    let (_, _, broken) = ended(WILD);
    assert!(matches!(broken.status, Status::NonFinite(_)), "{}", broken.status);
    let (_, _, short) = ended(&WILD.replace("iterations = 100", "iterations = 2"));
    assert_eq!((broken.iterations, broken.notes.finite), (3, Some(2)));
    assert_eq!(broken.answers, short.answers);
    // Of a first iteration that goes wrong it is the start.
    let (_, _, at_once) =
        ended("var x: real[3], init = ones(3)\nminimize sum(exp(1000*x))\nsolve gd { rate = 1, iterations = 100 }\n");
    assert_eq!(at_once.notes.finite, Some(0));
    assert_eq!(at_once.answers[0].tensor.to_f64().into_vec(), [1.0; 3]);
}

/// A run that was stopped and resumed ends as one in one go, and says the same.
#[test]
fn resumed_runs_say_the_same() {
    for text in [CONCAVE, KINK, CIRCLE] {
        let (parsed, compiled, whole) = ended(text);
        let mut hasty = Still::default();
        hasty.patience = Some(13);
        let first = run(&compiled.schedule, &mut Cpu::new(1), &hasty, &mut Nobody, 0).expect("nothing to misfit");
        assert_eq!(first.status, Status::Interrupted);
        let mut calm = Still::default();
        calm.checkpoint = hasty.checkpoint.borrow().clone().into();
        let rest = run(&compiled.schedule, &mut Cpu::new(1), &calm, &mut Nobody, 0).expect("it is its own");
        assert_eq!((&rest.status, &rest.notes, &rest.trace), (&whole.status, &whole.notes, &whole.trace));
        assert_eq!(remarked(&compiled, &rest, &parsed.sources), remarked(&compiled, &whole, &parsed.sources));
    }
}
