//! E0507: arguments that leave the domain of their function, and those that don't.

use admmc::diag::{Code, Severity, fix};
use admmc::exec::Status;
use admmc::source::FileId;
use expect_test::expect;

use crate::compile::{compiled, drawn, end, execute};
use crate::remarks::{check, remarked_text};

/// What E0507 says of a text.
fn found(text: &str) -> Vec<String> {
    let parsed = remarked_text(text);
    let own = |code| code == Code::Domain;
    let other = parsed.diags.iter().any(|diag| !own(diag.code) && diag.severity == Severity::Error);
    assert!(!other, "{text}\n{}", drawn(&parsed));
    parsed.diags.iter().filter(|diag| own(diag.code)).map(|diag| diag.message.clone()).collect()
}

const LITERAL: &str = "
let X = normal(12, 3, seed = 1)
var w: real[3]
minimize -mean(log(1 - sigmoid(X*w))) + 0.5*sum_squares(w)
solve gd { rate = 0.1, iterations = 10, precision = f32, losses = literal }
";

#[test]
fn a_loss_as_it_is_written_rounds_to_its_end() {
    check(
        LITERAL,
        expect![[r#"
        warning E0507 domain

          ⚠ the argument of `log` can round to 0 in f32
          ├─▶ computed in f32, it lies in [0, 1]; `log` has values above 0
          ╰─▶ it is 0 for u ≥ 16.6355, by the rounding of sigmoid(u)
           ╭─[test.admm:4:16]
         3 │ var w: real[3]
         4 │ minimize -mean(log(1 - sigmoid(X*w))) + 0.5*sum_squares(w)
           ·                ──────────┬──────────┬
           ·                          │          ╰── u
           ·                          ╰── infinite there
         5 │ solve gd { rate = 0.1, iterations = 10, precision = f32, losses = literal }
           ╰────
          help: the step of `w` follows gradients, and one that is infinite or no number is never
                recovered from; `losses = stable`, the default, computes a form of this loss that is
                finite everywhere
                write `-softplus(u)` for `log(1 - sigmoid(u))` (`admmc check --fix` does it)
    "#]],
    );
    check(
        &LITERAL.replace("precision = f32, ", ""),
        expect![[r#"
        warning E0507 domain

          ⚠ the argument of `log` can round to 0 in f64
          ├─▶ computed in f64, it lies in [0, 1]; `log` has values above 0
          ╰─▶ it is 0 for u ≥ 36.7368, by the rounding of sigmoid(u)
           ╭─[test.admm:4:16]
         3 │ var w: real[3]
         4 │ minimize -mean(log(1 - sigmoid(X*w))) + 0.5*sum_squares(w)
           ·                ──────────┬──────────┬
           ·                          │          ╰── u
           ·                          ╰── infinite there
         5 │ solve gd { rate = 0.1, iterations = 10, losses = literal }
           ╰────
          help: the step of `w` follows gradients, and one that is infinite or no number is never
                recovered from; `losses = stable`, the default, computes a form of this loss that is
                finite everywhere
                write `-softplus(u)` for `log(1 - sigmoid(u))` (`admmc check --fix` does it)
    "#]],
    );
    assert_eq!(found(&LITERAL.replace(", losses = literal", "")), Vec::<String>::new());
}

/// The fix passes every check, of either loss.
#[test]
fn the_stable_form_mends_it() {
    for loss in ["log(1 - sigmoid(X*w))", "log(sigmoid(X*w - 1))"] {
        let text = LITERAL.replace("log(1 - sigmoid(X*w))", loss);
        let fixes: Vec<_> = remarked_text(&text).diags.iter().filter_map(|diag| diag.fix.clone()).collect();
        assert_eq!(fixes.len(), 1, "{text}");
        let fixed = fix::apply(&fixes, FileId(0), &text);
        assert_eq!(drawn(&remarked_text(&fixed)), "", "{fixed}");
        // The same loss, to the roundings of ten steps in singles.
        let [before, after] = [&text, &fixed].map(|text| execute(&compiled(text)).objective());
        assert!((before - after).abs() < 1e-5, "{before} {after}: {fixed}");
    }
}

/// The number that is named is where a run meets it.
#[test]
fn the_number_is_where_a_run_fails() {
    let run = |u: &str| {
        let text = format!(
            "var w: real, init = {u}\nminimize -log(1 - sigmoid(w))\n\
             solve gd {{ rate = 1e-30, iterations = 1, precision = f32, losses = literal }}\n"
        );
        matches!(end(&compiled(&text)).status, Status::NonFinite(_))
    };
    assert_eq!([run("16.635"), run("16.636")], [false, true]);
}

/// (1 − D) + 1e-8 keeps its guard, (1 + 1e-8) − D does not in singles, and 1e-50 is no guard there at all.
#[test]
fn guards_count_as_they_round() {
    let of = |loss: &str, how: &str| {
        let text = LITERAL.replace("1 - sigmoid(X*w)", loss).replace("precision = f32, losses = literal", how);
        found(&text).len()
    };
    let (single, double) = ("precision = f32, losses = literal", "losses = literal");
    assert_eq!([of("1 - sigmoid(X*w) + 1e-8", single), of("1 - sigmoid(X*w) + 1e-8", double)], [0, 0]);
    assert_eq!([of("1 + 1e-8 - sigmoid(X*w)", single), of("1 + 1e-8 - sigmoid(X*w)", double)], [1, 0]);
    assert_eq!([of("sigmoid(X*w) + 1e-50", single), of("sigmoid(X*w) + 1e-50", double)], [1, 0]);
    assert_eq!([of("max(1 - sigmoid(X*w), 1e-7)", single), of("1 - sigmoid(X*w) + 1e-8", "momentum = 0.5")], [0, 0]);
}

const STEP: &str = "
let A = normal(12, 3, seed = 1)
let b = [1; 2; 3]
var x, z: real[3]
minimize TERM + sum_squares(z)
subject to x - z = 0
solve admm { x_step = gradient(rate = 0.01), iterations = 10 }
";

#[test]
fn an_argument_that_nothing_bounds() {
    let step = |term: &str| STEP.replace("TERM", term);
    check(
        &step("sum(log(A*x) .* log(A*x))"),
        expect![[r#"
            warning E0507 domain

              ⚠ the argument of `log` can be negative
              ╰─▶ computed in f64, it lies in (−∞, ∞); `log` has values above 0
               ╭─[test.admm:5:14]
             4 │ var x, z: real[3]
             5 │ minimize sum(log(A*x) .* log(A*x)) + sum_squares(z)
               ·              ────┬───
               ·                  ╰── no number there
             6 │ subject to x - z = 0
               ╰────
              help: the step of `x` follows gradients, and one that is infinite or no number is never
                    recovered from; bound what it holds in the block of this step, or give it a variable of
                    its own in the other block: a function of a variable alone has a closed-form step that
                    keeps to its domain
        "#]],
    );
    check(
        &step("sum_squares(b ./ x)"),
        expect![[r#"
            warning E0507 domain

              ⚠ a divisor can be 0
              ╰─▶ computed in f64, it lies in (−∞, ∞); a quotient has a value where it is not 0
               ╭─[test.admm:5:22]
             4 │ var x, z: real[3]
             5 │ minimize sum_squares(b ./ x) + sum_squares(z)
               ·                      ───┬──
               ·                         ╰── infinite there
             6 │ subject to x - z = 0
               ╰────
              help: the step of `x` follows gradients, and one that is infinite or no number is never
                    recovered from; bound what it holds in the block of this step, or give it a variable of
                    its own in the other block: a function of a variable alone has a closed-form step that
                    keeps to its domain
        "#]],
    );
    check(
        &step("sum_squares(sqrt(x.^2) - b)"),
        expect![[r#"
            warning E0507 domain

              ⚠ the argument of `sqrt` can be 0, where the slope is infinite
              ╰─▶ computed in f64, it lies in [0, ∞); `sqrt` has values from 0 on
               ╭─[test.admm:5:22]
             4 │ var x, z: real[3]
             5 │ minimize sum_squares(sqrt(x.^2) - b) + sum_squares(z)
               ·                      ─────┬────
               ·                           ╰── infinite slope there
             6 │ subject to x - z = 0
               ╰────
              help: the step of `x` follows gradients, and one that is infinite or no number is never
                    recovered from; add a positive number to the argument
        "#]],
    );
}

#[test]
fn arguments_by_table() {
    let cases = [
        // What is bounded by what it is made of.
        ("sum_squares(log(x.^2 + 1))", None),
        ("sum_squares(log(exp(x) + 0.1))", None),
        ("sum_squares(b ./ (1 + x.^2))", None),
        ("sum_squares(sqrt(x.^2 + 0.01) - b)", None),
        ("sum((x.^2 + 1).^(-1.5))", None),
        ("norm2(A*x)/2", None),
        ("logsumexp(A*x)", None),
        ("sum(log(1 + exp(x)))", None),
        ("sum_squares(log(sum(exp(A*x))))", None),
        ("sum_squares(x.^3)", None),
        // What is not.
        ("sum_squares(log(x.^2))", Some("the argument of `log` can be 0")),
        ("sum_squares(log1p(tanh(x)))", Some("the argument of `log1p` can round to -1 in f64")),
        ("sum_squares(log(exp(x) + exp(-2*x + b)))", Some("the argument of `log` can round to 0 in f64")),
        ("sum((x.^2).^0.3)", Some("the base of a power of 0.3 can be 0, where the slope is infinite")),
        ("sum((x.^2 + 1).^0.3 + x.^(-3))", Some("the base of a power of -3 can be 0")),
        ("sum_squares(x.^1.5)", Some("the base of a power of 1.5 can be negative")),
        ("1/norm2(x)", Some("a divisor can be 0")),
    ];
    for (term, expected) in cases {
        let expected: Vec<String> = expected.into_iter().map(str::to_string).collect();
        assert_eq!(found(&STEP.replace("TERM", term)), expected, "{term}");
    }
}

/// Bounds count where the step itself keeps them.
#[test]
fn bounds_of_the_step_count() {
    let of = |rows: &str| {
        found(&format!(
            "var x, z: real[3]\nminimize sum_squares(log(x) - 1) + norm1(z)\nsubject to x - z = 0, {rows}\n\
             solve admm {{ x_step = gradient(rate = 0.01), iterations = 10 }}\n"
        ))
    };
    assert_eq!(of("x in box(0.1, 10)"), Vec::<String>::new());
    assert_eq!(of("x >= 0.1"), Vec::<String>::new());
    assert_eq!(of("x >= 0"), ["the argument of `log` can be 0"]);
    // What another block keeps is not kept here.
    assert_eq!(of("z >= 0.1"), ["the argument of `log` can be negative"]);
}

/// Closed-form steps keep to their domain, and barriers are not crossed by a search that starts inside.
#[test]
fn barriers_are_left_alone() {
    let of = |rest: &str, init: &str| {
        found(&format!(
            "let A = normal(12, 3, seed = 1)\nvar x: real[3]{init}\nminimize sum_squares(x) - sum(log(x))\n{rest}\n"
        ))
    };
    assert_eq!(of("", ""), Vec::<String>::new());
    assert_eq!(of("solve gd { rate = 0.1, iterations = 5 }", ""), ["the argument of `log` can be negative"]);
    assert_eq!(of("solve lbfgs { iterations = 5 }", ""), ["the argument of `log` starts at 0"]);
    assert_eq!(of("solve lbfgs { iterations = 5 }", ", init = [1; 2; 1]"), Vec::<String>::new());
}

#[test]
fn data_alone_outside() {
    let of = |what: &str| format!("let c = [1, 2; 0.5, -1]\nvar x: real[2, 2]\nminimize sum_squares(x - {what})\n");
    check(
        &of("log(c)"),
        expect![[r#"
        error E0507 domain

          × `log` is taken of `c`, which is -1 in row 2, column 2
          ╰─▶ `log` has values above 0
           ╭─[test.admm:3:26]
         1 │ let c = [1, 2; 0.5, -1]
           ·     ┬
           ·     ╰── from here
         2 │ var x: real[2, 2]
         3 │ minimize sum_squares(x - log(c))
           ·                          ───┬──
           ·                             ╰── infinite or no number there
           ╰────
          help: every sum that it enters is lost with it, and so is every iterate; mend the number, or
                leave its row out
    "#]],
    );
    check(
        "let c = [2; 0]\nlet b = 1 ./ c\nvar x: real[2]\nminimize sum_squares(x - b)\n",
        expect![[r#"
            error E0507 domain

              × `c` is a divisor, and is 0 in entry 2
              ╰─▶ a quotient has a value where the divisor is not 0
               ╭─[test.admm:2:9]
             1 │ let c = [2; 0]
               ·     ┬
               ·     ╰── from here
             2 │ let b = 1 ./ c
               ·         ───┬──
               ·            ╰── infinite or no number there
             3 │ var x: real[2]
               ╰────
              help: every sum that it enters is lost with it, and so is every iterate; mend the number, or
                    leave its row out
        "#]],
    );
    assert_eq!(found(&of("sqrt(c + 1)")), Vec::<String>::new());
    assert_eq!(found(&of("log(c + 2)")), Vec::<String>::new());
    assert_eq!(found(&of("c.^2")), Vec::<String>::new());
    assert_eq!(found(&of("c.^0.5")), ["such a power is taken of `c`, which is -1 in row 2, column 2"]);
    assert_eq!(found(&of("2*sqrt(c)")), ["`sqrt` is taken of `c`, which is -1 in row 2, column 2"]);
}
