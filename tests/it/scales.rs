//! Steps that nothing determines along a direction, and scales that lie too far apart.

use admmc::diag::{Code, Severity};
use expect_test::expect;

use crate::remarks::{check, codes};

const NON_UNIQUE: (Code, Severity) = (Code::NonUniqueStep, Severity::Warning);
const SCALED: (Code, Severity) = (Code::BadlyScaled, Severity::Warning);

const TWINS: &str = "
let A = [1, 1, 0; 2, 2, 1; 3, 3, 5]
let b = [1, 2, 4]
var x, z: real[3]
minimize fit: sum_squares(A*x - b) + norm1(z)
subject to A*x - z = 0
";

#[test]
fn columns_that_are_the_same_are_named() {
    check(
        TWINS,
        expect![[r#"
        warning E0503 non-unique-step

          ⚠ nothing determines the step of `x` along x[1] − x[2]
          ╰─▶ terms and penalty curve by 0 along it, and by 73.1427 along x[3]
           ╭─[test.admm:5:15]
         3 │ let b = [1, 2, 4]
         4 │ var x, z: real[3]
           ·     ┬
           ·     ╰── moves along it
         5 │ minimize fit: sum_squares(A*x - b) + norm1(z)
           ·               ──────────┬─────────
           ·                         ╰── the same all along that line
         6 │ subject to A*x - z = 0
           ╰────
          help: along that line no point is better than another, so the iterates stay where they start and
                the answer is one of many; to say which is meant, add a small multiple of `sum_squares(x)`
                to the objective, or an equation that the line does not satisfy
    "#]],
    );
    assert_eq!(codes(&TWINS.replace("norm1(z)", "norm1(z) + 1e-3*sum_squares(x)")), []);
    assert_eq!(codes(&TWINS.replace("1, 1, 0;", "1, 2, 0;")), []);
    // An equation that holds the line does as well; one that does not, does not.
    assert_eq!(codes(&TWINS.replace("- z = 0", "- z = 0, x[1] - x[2] = 1")), []);
    assert_eq!(codes(&TWINS.replace("- z = 0", "- z = 0, x[1] + x[2] = 1")), [NON_UNIQUE]);
}

#[test]
fn what_no_term_and_no_constraint_reads_is_named() {
    check(
        "
var x: real[2, 2]
var z: real[3]
minimize sum_squares(x[1, :] - 1) + norm1(z)
subject to x[1, 1] + x[1, 2] - sum(z) = 0
",
        expect![[r#"
            warning E0503 non-unique-step

              ⚠ nothing determines the step of `x`, `z` along x[2, 1]
              ├─▶ terms and penalty curve by 0 along it, and by 2.4 along x[1, 1]
              ╰─▶ 2 directions are like this one, none of which follows from the others
               ╭─[test.admm:4:10]
             1 │
             2 │ var x: real[2, 2]
               ·     ┬
               ·     ╰── moves along it
             3 │ var z: real[3]
             4 │ minimize sum_squares(x[1, :] - 1) + norm1(z)
               ·          ────────────┬───────────
               ·                      ╰── the same all along that line
             5 │ subject to x[1, 1] + x[1, 2] - sum(z) = 0
               ╰────
              help: along that line no point is better than another, so the iterates stay where they start and
                    the answer is one of many; to say which is meant, add a small multiple of `sum_squares(x)`
                    to the objective, or an equation that the line does not satisfy
        "#]],
    );
}

/// The terms are no quadratics, and read x by B*x, as the penalty does.
#[test]
fn smooth_terms_that_are_constant_along_a_direction_are_named() {
    let text = "
let B = [1, 0, 1, 1; 0, 1, 1, 2; 1, 1, 2, 4]
var x: real[4]
var z: real[3]
minimize fit: sum(log(1 + exp(B*x))) + norm1(z)
subject to B*x - z = 0
solve admm { x_step = gradient(rate = 0.1) }
";
    check(
        text,
        expect![[r#"
            warning E0503 non-unique-step

              ⚠ nothing determines the step of `x` along x[1] + x[2] − x[3]
              ╰─▶ terms and penalty curve by 0 along it, and by 21.6774 along x[4]
               ╭─[test.admm:5:15]
             2 │ let B = [1, 0, 1, 1; 0, 1, 1, 2; 1, 1, 2, 4]
             3 │ var x: real[4]
               ·     ┬
               ·     ╰── moves along it
             4 │ var z: real[3]
             5 │ minimize fit: sum(log(1 + exp(B*x))) + norm1(z)
               ·               ───────────┬──────────
               ·                          ╰── the same all along that line
             6 │ subject to B*x - z = 0
               ╰────
              help: along that line no point is better than another, so the iterates stay where they start and
                    the answer is one of many; to say which is meant, add a small multiple of `sum_squares(x)`
                    to the objective, or an equation that the line does not satisfy

            note E0603 rewritten-loss

              ☞ this is computed in a form that does not round to 0 or infinity
              ╰─▶ log(1 + exp(u)) → softplus(u)
               ╭─[test.admm:5:19]
             4 │ var z: real[3]
             5 │ minimize fit: sum(log(1 + exp(B*x))) + norm1(z)
               ·                   ────────┬────────
               ·                           ╰── computed in another form
             6 │ subject to B*x - z = 0
               ╰────
              help: the values are the same, without overflow; `losses = literal` computes what is written
        "#]],
    );
    assert_eq!(codes(&text.replace("fit:", "x[3]^4 + fit:")), []);
    assert_eq!(codes(&text.replace("x_step = gradient(rate = 0.1)", "")), [NON_UNIQUE]);
}

/// Shifts of a whole signal: a direction of 2000 elements, found by a sparse factor.
#[test]
fn a_direction_of_many_elements_is_named() {
    let text = "
param n = 2000
let d = normal(n - 1, seed = 1)
var x: real[n]
var z: real[n - 1]
minimize fit: sum_squares(x[2 to n] - x[1 to n - 1] - d) + norm1(z)
subject to x[2 to n] - x[1 to n - 1] - z = 0
";
    assert_eq!(codes(text), [NON_UNIQUE]);
    assert_eq!(codes(&text.replace("norm1(z)", "norm1(z) + x[1]^2")), []);
}

const UNITS: &str = "
let A = [1e3, 2e-5; 3e3, 1e-5; 1e3, 3e-5]
let b = [1, 2, 4]
var x: real[2]
minimize sum_squares(A*x - b)
subject to 0 <= x <= 1e6
";

#[test]
fn units_of_variables_too_far_apart_are_named() {
    check(
        UNITS,
        expect![[r#"
        warning E0506 badly-scaled

          ⚠ the units of `x` lie too far apart for one ρ
          ├─▶ curvature against the penalty's: 2.8e-9 along x[2], 2.2e7 along x[1]
          ╰─▶ the rows of the constraints are weighed against each other where that helps; the units of
              variables are as written
           ╭─[test.admm:5:10]
         4 │ var x: real[2]
         5 │ minimize sum_squares(A*x - b)
           ·          ──────────┬─────────
           ·                    ╰── curves 7.9e15 times as much along x[1] as along x[2]
         6 │ subject to 0 <= x <= 1e6
           ╰────
          help: with ρ between the two, either takes about the root of that ratio in iterations; measure
                x[2] in a unit about 8.9e7 times as large, or x[1] in one as much smaller: scale the
                columns of the data, to length 1 for example
    "#]],
    );
    // 1e4 in length is within what ρ bridges.
    assert_eq!(codes(&UNITS.replace("e-5", "e-1")), []);
}

/// Where the penalty is of the same units, the step takes the small one for nothing.
#[test]
fn units_that_a_step_loses_are_named() {
    let text = "
let A = [1e5, 2e-5; 3e5, 1e-5; 1e5, 3e-5]
let b = [1, 2, 4]
var x: real[2]
var z: real[3]
minimize sum_squares(A*x - b) + norm1(z)
subject to A*x - z = 0
";
    check(
        text,
        expect![[r#"
        warning E0506 badly-scaled

          ⚠ the units of `x` lie too far apart for one step
          ╰─▶ what curves less than 1e-10 times as much as x[1] is held to where it was, with σ = 4.4e5
           ╭─[test.admm:6:10]
         5 │ var z: real[3]
         6 │ minimize sum_squares(A*x - b) + norm1(z)
           ·          ──────────┬─────────
           ·                    ╰── curves by 5.6e-9 along x[2] and by 4.4e11 along x[1]
         7 │ subject to A*x - z = 0
           ╰────
          help: x[2] then moves by a share of its way an iteration, about 1.3e-14, and the answer is late
                in it; measure x[2] in a unit about 8.9e9 times as large, or x[1] in one as much smaller
    "#]],
    );
    assert_eq!(codes(&text.replace("e-5", "e2")), []);
}

#[test]
fn rows_that_are_not_weighed_are_named() {
    let text = "
let b = [1, 2, 4]
var x, z, y, w: real[3]
minimize sum_squares(x - b) + norm1(z) + sum_squares(y - b) + norm1(w)
subject to near: 1e-4*x - 1e-4*z = 0, far: 1e4*y - 1e4*w = 0
";
    check(
        text,
        expect![[r#"
        warning E0506 badly-scaled

          ⚠ the rows of the constraints lie too far apart for one ρ: far[1] is 1e8 times as long as
          │ near[1]
          ╰─▶ the penalty (ρ/2)‖Ax + Bz − c‖² counts far[1] 1e16 times as much as near[1]
           ╭─[test.admm:5:12]
         4 │ minimize sum_squares(x - b) + norm1(z) + sum_squares(y - b) + norm1(w)
         5 │ subject to near: 1e-4*x - 1e-4*z = 0, far: 1e4*y - 1e4*w = 0
           ·            ────────────┬────────────  ───────────┬──────────
           ·                        │                         ╰── far[1] has length 1.4e4
           ·                        ╰── near[1] has length 0.00014
           ╰────
          help: a violation of near[1] is nothing beside rounding in far[1], so its multiplier takes as
                many iterations longer; multiply near[1] by about 1e8, or divide far[1] by it
    "#]],
    );
    assert_eq!(codes(&text.replace("1e-4", "1").replace("1e4", "1e3")), []);
}

/// A factor in singles has seven digits.
#[test]
fn a_system_without_digits_left_is_named() {
    let text = "
let A = [1, 1; 2, 2.0001; 3, 3]
let b = [1, 2, 4]
var x: real[2]
var z: real[3]
minimize sum_squares(A*x - b) + norm1(z)
subject to A*x - z = 0
solve admm { precision = f32 }
";
    check(
        text,
        expect![[r#"
        warning E0506 badly-scaled

          ⚠ the system of the step of `x` is nearly singular
          ╰─▶ with its rows and columns brought to one scale its condition is still κ = 7.8e9: of the 7
              digits of f32 it leaves 0
           ╭─[test.admm:6:10]
         5 │ var z: real[3]
         6 │ minimize sum_squares(A*x - b) + norm1(z)
           ·          ──────────┬─────────
           ·                    ╰── hardly curves along x[1] − 0.999986·x[2]
         7 │ subject to A*x - z = 0
           ╰────
          help: its factor is rounding along that direction, so the step goes anywhere there, or fails;
                leave out what nearly repeats another column of the data, hold the direction by a
                `sum_squares`, or write `precision = f64`
    "#]],
    );
    assert_eq!(codes(&text.replace("2.0001", "2.01")), [(Code::BadlyScaled, Severity::Note)]);
    assert_eq!(codes(&text.replace("f32", "f64").replace("2.0001", "2.01")), []);
    assert_eq!(codes(&text.replace("2.0001", "5")), []);
}

#[test]
fn data_of_gradient_steps_in_units_too_far_apart_are_named() {
    let text = "
let A = [1e4, 2e-5; 3e4, 1e-5; 1e4, 3e-5]
let b = [1, -1, 1]
var x, z: real[2]
minimize sum(log(1 + exp(-b.*(A*x)))) + norm1(z)
subject to x - z = 0
solve admm { x_step = gradient(rate = 0.1) }
";
    check(
        text,
        expect![[r#"
            warning E0506 badly-scaled

              ⚠ the step of `x` follows gradients of data in units 8.9e8 times apart
              ╰─▶ lengths of columns: 3.7e-5 for x[2], 3.3e4 for x[1]
               ╭─[test.admm:5:10]
             4 │ var x, z: real[2]
             5 │ minimize sum(log(1 + exp(-b.*(A*x)))) + norm1(z)
               ·          ──────────────┬─────────────
               ·                        ╰── one rate for all of it
             6 │ subject to x - z = 0
               ╰────
              help: a rate that the longest column allows moves what the shortest one multiplies by 8.9e8²
                    times less, so the iterates stay where they are in it; divide every column by its length
                    or its standard deviation, x[1] by 8.9e8 for example

            note E0603 rewritten-loss

              ☞ this is computed in a form that does not round to 0 or infinity
              ╰─▶ log(1 + exp(u)) → softplus(u)
               ╭─[test.admm:5:14]
             4 │ var x, z: real[2]
             5 │ minimize sum(log(1 + exp(-b.*(A*x)))) + norm1(z)
               ·              ───────────┬───────────
               ·                         ╰── computed in another form
             6 │ subject to x - z = 0
               ╰────
              help: the values are the same, without overflow; `losses = literal` computes what is written
        "#]],
    );
    assert_eq!(codes(&text.replace("e-5", "e1")), []);
    // L-BFGS learns the scales, and so does Newton's method.
    assert_eq!(codes(&text.replace("gradient(rate = 0.1)", "lbfgs")), []);
}

#[test]
fn features_of_a_network_in_units_too_far_apart_are_named() {
    let text = "
let X = [1e4, 2e-5; 3e4, 1e-5; 1e4, 3e-5; 1, 1e-5]
let y = [1, 0, 1, 0]
sample (Xb, yb) ~ draw(X, y) batch 2
net f(θ): 2 -> dense 4 tanh -> dense 1
var θ1, θ2: params(f)
minimize fit: mean((f(Xb; θ1) - yb).^2) + sum_squares(θ2)
subject to θ1 - θ2 = 0
solve admm { x_step = adam(rate = 0.1) }
";
    check(
        text,
        expect![[r#"
        warning E0506 badly-scaled

          ⚠ the step of `θ1` follows gradients of data in units 8.6e8 times apart
          ╰─▶ lengths of columns: 3.9e-5 for X[:, 2], 3.3e4 for X[:, 1]
           ╭─[test.admm:2:5]
         1 │
         2 │ let X = [1e4, 2e-5; 3e4, 1e-5; 1e4, 3e-5; 1, 1e-5]
           ·     ┬
           ·     ╰── `X`
         3 │ let y = [1, 0, 1, 0]
           ╰────
           ╭─[test.admm:7:15]
         6 │ var θ1, θ2: params(f)
         7 │ minimize fit: mean((f(Xb; θ1) - yb).^2) + sum_squares(θ2)
           ·               ────────────┬────────────
           ·                           ╰── one rate for all of it
         8 │ subject to θ1 - θ2 = 0
           ╰────
          help: a rate that the longest column allows moves what the shortest one multiplies by 8.6e8²
                times less, so the iterates stay where they are in it; divide every column by its length
                or its standard deviation, X[:, 1] by 8.6e8 for example
    "#]],
    );
    assert_eq!(codes(&text.replace("f(Xb; θ1)", "f(X; θ1)").replace("- yb", "- y")), [SCALED]);
    assert_eq!(codes(&text.replace("e-5", "e1")), []);
}
