//! Equations that contradict each other, and those that follow from others.

use std::path::Path;

use admmc::data::Memory;
use admmc::diag::{Code, Severity, fix};
use admmc::model::Inputs;
use admmc::pipeline;
use admmc::source::FileId;
use expect_test::expect;

use crate::compile::drawn;
use crate::remarks::{check, codes, remarked};

const REDUNDANT: (Code, Severity) = (Code::RedundantConstraint, Severity::Warning);

/// What the fix of the only diagnostic writes.
fn fixed(text: &str) -> String {
    let parsed = remarked(Path::new("test.admm"), text, &Memory::default());
    let fixes: Vec<_> = parsed.diags.iter().filter_map(|diag| diag.fix.clone()).collect();
    assert_eq!(fixes.len(), 1, "there is one fix");
    fix::apply(&fixes, FileId(0), text)
}

/// All four pairs of two and two copies: three of them say it all.
const ALL_PAIRS: &str = "
let a = [1, 2, 3]
var p, q, r, s: real[3]
minimize sum_squares(p - a) + norm1(q) + sum_squares(r + a) + norm1(s)
subject to p - q = 0, p - s = 0, r - q = 0, r - s = 0
split p, r | q, s
";

#[test]
fn copies_of_all_pairs_are_told() {
    check(
        ALL_PAIRS,
        expect![[r#"
        warning E0406 redundant-constraint

          ⚠ `c4` follows from the other equations
          ╰─▶ c1[1] − c2[1] − c3[1] + c4[1] says 0 = 0, and so for its other 2 rows
           ╭─[test.admm:5:45]
         4 │ minimize sum_squares(p - a) + norm1(q) + sum_squares(r + a) + norm1(s)
         5 │ subject to p - q = 0, p - s = 0, r - q = 0, r - s = 0
           ·            ────┬────  ────┬────  ────┬────  ────┬────
           ·                │          │          │          ╰── says nothing of its own
           ·                │          │          ╰── it follows from this
           ·                │          ╰── it follows from this
           ·                ╰── it follows from this
         6 │ split p, r | q, s
           ╰────
          help: the multipliers are then not unique and drift along that combination, and the penalty
                holds what is said m times by mρ, while ρ is balanced for one equation; take out what
                follows; of copies that are all tied to each other, tie each to one of them only, or to a
                variable of its own: `x[i] - z = 0`
                take out `c4` (`admmc check --fix` does it)
    "#]],
    );
    let mended = fixed(ALL_PAIRS);
    assert_eq!(mended, ALL_PAIRS.replace(", r - s = 0", ""));
    assert_eq!(codes(&mended), []);
}

#[test]
fn families_are_told() {
    let text = "
let a = [1, 2, 3]
var w[i in 1 to 4]: real[3]
var z: real[3]
minimize sum(i in 1 to 4: sum_squares(w[i] - a)) + norm1(z)
subject to
    link[i in 1 to 4]: w[i] - z = 0  # to the star
    again[i in 1 to 4]: 2*w[i] - 2*z = 0
";
    check(
        text,
        expect![[r#"
        warning E0406 redundant-constraint

          ⚠ `again` follows from the other equations
          ╰─▶ link[1][1] − 0.5 × again[1][1] says 0 = 0, and so for its other 11 rows
           ╭─[test.admm:8:5]
         6 │ subject to
         7 │     link[i in 1 to 4]: w[i] - z = 0  # to the star
           ·     ───────────────┬───────────────
           ·                    ╰── it follows from this
         8 │     again[i in 1 to 4]: 2*w[i] - 2*z = 0
           ·     ──────────────────┬─────────────────
           ·                       ╰── says nothing of its own
           ╰────
          help: the multipliers are then not unique and drift along that combination, and the penalty
                holds what is said m times by mρ, while ρ is balanced for one equation; take out what
                follows; of copies that are all tied to each other, tie each to one of them only, or to a
                variable of its own: `x[i] - z = 0`
                take out `again` (`admmc check --fix` does it)
    "#]],
    );
    let mended = fixed(text);
    assert_eq!(mended, text.replace("\n    again[i in 1 to 4]: 2*w[i] - 2*z = 0", ""));
    assert_eq!(codes(&mended), []);
}

/// The step that the equations are part of drops the row; that it is written is told all the same.
#[test]
fn an_equation_of_one_step_is_told_in_other_words() {
    let text = "
var x: real[3]
minimize norm1(x)
subject to
    all: sum(x) = 1
    first: x[1] + x[2] = 0.75,
    last: x[3] = 0.25
";
    check(
        text,
        expect![[r#"
        warning E0406 redundant-constraint

          ⚠ `last` follows from the other equations
          ╰─▶ all − first − last says 0 = 0
           ╭─[test.admm:7:5]
         4 │ subject to
         5 │     all: sum(x) = 1
           ·     ───────┬───────
           ·            ╰── it follows from this
         6 │     first: x[1] + x[2] = 0.75,
           ·     ────────────┬────────────
           ·                 ╰── it follows from this
         7 │     last: x[3] = 0.25
           ·     ────────┬────────
           ·             ╰── says nothing of its own
           ╰────
          help: the step that these equations are part of drops rows that follow from others, so the
                answer is the same; multipliers are not unique, though, and what is written twice is
                easily changed once: take out what follows
                take out `last` (`admmc check --fix` does it)
    "#]],
    );
    let mended = fixed(text);
    assert_eq!(mended, text.replace(",\n    last: x[3] = 0.25", ""));
    assert_eq!(codes(&mended), []);
}

#[test]
fn many_single_rows_are_told_and_few_are_not() {
    let text = "
let A = [1, 2, 0; 0, 1, 1; 1, 3, 1; 2, 4, 0; 3, 7, 1]
let d = A*[1, 1, 1]
var x, z: real[3]
minimize sum_squares(x) + sum_squares(z)
subject to tie: A*x + A*z = d
";
    check(
        text,
        expect![[r#"
        warning E0406 redundant-constraint

          ⚠ 3 of the rows of these equations follow from the others
          ╰─▶ tie[1] + 0.333333 × tie[2] − 0.333333 × tie[5] says 0 = 0
           ╭─[test.admm:6:12]
         5 │ minimize sum_squares(x) + sum_squares(z)
         6 │ subject to tie: A*x + A*z = d
           ·            ─────────┬────────
           ·                     ╰── rows of this one
           ╰────
          help: multipliers of rows that say the same are not unique, and the penalty counts each: what m
                rows say is held by mρ, while ρ is balanced for one; leave the rows out that follow from
                others
    "#]],
    );
    assert_eq!(codes(&text.replace("2, 4, 0; 3, 7, 1]", "2, 4, 1]")), [], "one of four");
    // The marginals of a transport plan say the total twice.
    let transport = "
let C = [1, 2, 3; 4, 5, 7]
var P: real[2, 3]
minimize sum(C .* P)
subject to sources: P*ones(3) = [1; 2], targets: P'*ones(2) = [1; 1; 1], P >= 0
";
    assert_eq!(codes(transport), []);
}

#[test]
fn what_only_looks_alike_is_left_alone() {
    for constraints in [
        "x - z = 0, x[1] = 1",
        "x - z = 0, sum(x) = 1, sum(z[1 to 2]) = 0.5",
        "x - z = 0, x[1] + x[2] = 1, x[2] + x[3] = 1, x[3] + x[1] = 1",
        "x[1 to 2] - z[1 to 2] = 0, x[2 to 3] + z[2 to 3] = 1, x[1] + z[3] = 0",
    ] {
        let text = format!("var x, z: real[3]\nminimize sum_squares(x) + norm1(z)\nsubject to {constraints}\n");
        let told =
            |(code, _): &(Code, Severity)| [Code::RedundantConstraint, Code::InconsistentConstraint].contains(code);
        assert!(!codes(&text).iter().any(told), "{constraints}");
    }
}

/// A file that reads a multiplier, or in which one place stands for several equations, is not changed.
#[test]
fn no_fix_where_it_might_not_compile() {
    for (constraints, claim) in [
        ("link: x - z = 0, again: z - x = 0", "claim z = (ρ*x + dual(again))/(1 + ρ)"),
        ("pair[i in 1 to 2]: i*x - i*z = 0", ""),
        ("x = z = x", ""),
    ] {
        let text = format!(
            "var x, z: real[3]\nminimize sum_squares(x - 1) + 0.5*sum_squares(z)\nsubject to {constraints}\n{claim}\n"
        );
        let parsed = remarked(Path::new("test.admm"), &text, &Memory::default());
        let fixes = parsed.diags.iter().filter(|diag| diag.code == REDUNDANT.0 && diag.fix.is_some()).count();
        assert_eq!(fixes, 0, "{text}");
    }
}

/// 20 000 rows around a ring, in which the differences don't add up to 0.
#[test]
fn a_contradiction_in_many_rows_is_found() {
    let text = "
param n = 20000
var x, z: real[n]
minimize sum_squares(x) + norm1(z)
subject to
    x - z = 0
    steps: x[2 to n] - x[1 to n - 1] = 1
    close: x[1] - x[n] = 0
";
    check(
        text,
        expect![[r#"
            error E0405 inconsistent-constraint

              × the equations contradict each other: nothing satisfies them all
              ├─▶ steps[1] + steps[2] + steps[3] + steps[4] + steps[5] + steps[6] and 19994 rows more says 0 =
              │   19999
              ╰─▶ found by least squares in 3 turns, to rounding: with rows and columns brought to length 1,
                  whatever satisfied them would be 1e13 times as far out as what comes closest
               ╭─[test.admm:7:5]
             6 │     x - z = 0
             7 │     steps: x[2 to n] - x[1 to n - 1] = 1
               ·     ──────────────────┬─────────────────
               ·                       ╰── this one
             8 │     close: x[1] - x[n] = 0
               ·     ───────────┬──────────
               ·                ╰── and this one
               ╰────
              help: the multipliers would grow without end; take out the row that is wrong, or correct its
                    right side
        "#]],
    );
    let closed = text.replace("x[n] = 0", "x[n] = 1 - n");
    assert_eq!(codes(&closed), []);
}

/// A contradiction between elements is one, not as many as there are elements.
#[test]
fn elementwise_contradictions_are_told_once() {
    let text = "
var x, z: real[500]
minimize sum_squares(x) + norm1(z)
subject to one: x - z = 0, two: x - z = 1
";
    assert_eq!(codes(text), [(Code::InconsistentConstraint, Severity::Error)]);
}

/// Without its data a file has rows of zeros, which say nothing and 0 = 1.
#[test]
fn rows_without_their_data_pass() {
    for right in ["b", "1"] {
        let text = format!(
            "data A: real[3, 2] = csv(\"A.csv\")\ndata b: real[3] = csv(\"b.csv\")\nvar x: real[2]\nvar z: real[3]\nminimize sum_squares(A*x - b) + norm1(z)\nsubject to A*x - z = 0, A*x = {right}\n"
        );
        let files = Memory::default();
        let mut parsed = pipeline::parse_text(Path::new("test.admm"), &text, &files);
        pipeline::check_all(&mut parsed, &Inputs { bind: false, ..Inputs::new(&files) });
        assert!(parsed.diags.is_empty(), "{}", drawn(&parsed));
    }
}
