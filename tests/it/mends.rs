//! Repairs: each is applied to the text, and what comes out is checked, run, and has the answer of the problem
//! written as one.

use std::path::{Path, PathBuf};

use admmc::data::{Disk, Files, Memory};
use admmc::diag::{Code, Fix, fix};
use admmc::exec::Status;
use admmc::model::Inputs;
use admmc::pipeline::{self, Parsed};
use expect_test::{Expect, expect};

use crate::compile::{compiled, drawn, execute};

/// Rounds of repairs that a file takes at most.
const ROUNDS: usize = 6;

/// A text with all its solve blocks checked.
fn checked(path: &Path, text: &str, files: &dyn Files) -> Parsed {
    let mut parsed = pipeline::parse_text(path, text, files);
    if !parsed.diags.has_errors() {
        pipeline::check_all(&mut parsed, &Inputs::new(files));
    }
    parsed
}

fn of_text(text: &str) -> Parsed {
    checked(Path::new("test.admm"), text, &Memory::default())
}

/// The text after one round of `admmc check --fix`.
fn mended(parsed: &Parsed) -> String {
    let fixes: Vec<Fix> = parsed.diags.iter().filter_map(|diag| diag.fix.clone()).collect();
    let (id, file) = parsed.sources.iter().next().expect("there is a file");
    fix::apply(&fixes, id, &file.text)
}

/// The lines that a repair changes or adds, after as many rounds as it takes; nothing is left to say.
fn check(text: &str, expected: Expect) -> String {
    let mut last = text.to_string();
    for _ in 0..ROUNDS {
        let parsed = of_text(&last);
        if parsed.diags.is_empty() {
            break;
        }
        let next = mended(&parsed);
        assert_ne!(next, last, "{}", drawn(&parsed));
        last = next;
    }
    assert_eq!(drawn(&of_text(&last)), "", "{last}");
    let lines = last.lines().filter(|line| text.lines().all(|other| other != *line));
    expected.assert_eq(&lines.map(|line| format!("|{line}\n")).collect::<String>());
    last
}

/// How far apart two answers may be: runs end at 1e-6, and a problem may be flat at its solution.
const NEAR: f64 = 1e-4;

/// A repaired problem and the one without a split have one objective, and the same `names`.
fn agree(mended: &str, whole: &str, names: &[(&str, &str)]) {
    let (split, whole) = (execute(&compiled(mended)), execute(&compiled(whole)));
    assert_eq!((&split.status, &whole.status), (&Status::Solved, &Status::Solved), "{mended}");
    let (f, g) = (split.objective(), whole.objective());
    assert!((f - g).abs() <= NEAR * (1.0 + g.abs()), "{f} for {g}\n{mended}");
    for (own, other) in names {
        let (x, y) = (split.answer(own).expect("an answer").to_f64(), whole.answer(other).expect("an answer").to_f64());
        for (x, y) in x.iter().zip(y.iter()) {
            assert!((x - y).abs() <= 10.0 * NEAR * (1.0 + y.abs()), "{own} is {x} for {y}\n{mended}");
        }
    }
}

#[test]
fn a_coupled_term_reads_a_copy() {
    let text = "
var x, z: real[3]
minimize sum_squares(x - 1) + sum_squares(x - 2*z) + norm1(z)
subject to link: x - z = 0
solve admm { rho = 1 }
";
    expect![[r#"
        error E0401 coupled-term

          × this term touches `x` and `z`, which lie in different blocks
           ╭─[test.admm:3:31]
         1 │
         2 │ var x, z: real[3]
           ·     ┬  ┬
           ·     │  ╰── `z` in the other
           ·     ╰── `x` is updated in one step
         3 │ minimize sum_squares(x - 1) + sum_squares(x - 2*z) + norm1(z)
           ·                               ──────────┬─────────
           ·                                         ╰── belongs to both blocks
         4 │ subject to link: x - z = 0
           ╰────
          help: each step of ADMM minimises over one block with the other held fixed, so a term may hold
                one block only
                declare `zc` like `z`, write it here, and add `copy: zc - z = 0` (`admmc check --fix` does
                it)
    "#]]
    .assert_eq(&drawn(&of_text(text)));
    let mended = check(
        text,
        expect![[r#"
            |var x, z, zc: real[3]
            |minimize sum_squares(x - 1) + sum_squares(x - 2*zc) + norm1(z)
            |subject to link: x - z = 0, copy: zc - z = 0
        "#]],
    );
    let whole = "var v: real[3]\nminimize sum_squares(v - 1) + sum_squares(v - 2*v) + norm1(v)\n";
    agree(&mended, whole, &[("x", "v"), ("z", "v")]);
}

/// Comments and layout stay; a stated split gets the copy, and the terms that need it read it.
#[test]
fn a_stated_split_gets_the_copy() {
    let text = "
let A = [1, 2, 0; 0, 1, 1]
var x: real[3]  # the first
var z, w: real[3]
minimize fit: sum_squares(A*x - 1)
    + both: sum_squares(x - 2*(z)) + more: sum_squares(z - x) # costs
    + norm1(w)   # the end
subject to
    link: x - z = 0  # a tie
    other: w - x = 0 # another
split x | z, w
solve admm { rho = 1 }
";
    let mended = check(
        text,
        expect![[r#"
            |var z, zc, w: real[3]
            |    + both: sum_squares(x - 2*(zc)) + more: sum_squares(zc - x) # costs
            |    copy: zc - z = 0
            |split x, zc | z, w
        "#]],
    );
    let whole =
        "let A = [1, 2, 0; 0, 1, 1]\nvar x: real[3]\nminimize sum_squares(A*x - 1) + sum_squares(x - 2*x) + norm1(x)\n";
    agree(&mended, whole, &[("x", "x"), ("w", "x")]);
}

#[test]
fn a_family_gets_a_family_of_copies() {
    let text = "
let A = normal(8, 2, seed = 1)
var w[i in 1 to 4]: real[2]
var u[i in 1 to 4]: real[2], init = 1
minimize sum(i in 1 to 4: sum_squares(A*w[i] - 1) + sum_squares(w[i] - 2*u[i])) + sum(i in 1 to 4: norm1(u[i]))
subject to
    tie[i in 1 to 4]: w[i] - u[i] = 0
split w | u
";
    let mended = check(
        text,
        expect![[r#"
            |var uc[i in 1 to 4]: real[2], init = 1
            |minimize sum(i in 1 to 4: sum_squares(A*w[i] - 1) + sum_squares(w[i] - 2*uc[i])) + sum(i in 1 to 4: norm1(u[i]))
            |    copy[i in 1 to 4]: uc[i] - u[i] = 0
            |split w, uc | u
        "#]],
    );
    let whole = "let A = normal(8, 2, seed = 1)\nvar w: real[2]\nminimize 4*sum_squares(A*w - 1) + 4*sum_squares(w - 2*w) + 4*norm1(w)\n";
    agree(&mended, whole, &[]);
}

#[test]
fn a_split_without_constraints_gets_a_clause() {
    let text = "
let A = [1, 2; 3, 4; 5, 6]
var x: real[2]
var z: real[2]
minimize sum_squares(A*x - 1) + sum_squares(x - z) + norm1(z)
split x | z
";
    let mended = check(
        text,
        expect![[r#"
            |var z, zc: real[2]
            |minimize sum_squares(A*x - 1) + sum_squares(x - zc) + norm1(z)
            |subject to copy: zc - z = 0
            |split x, zc | z
        "#]],
    );
    agree(&mended, &text.replace("split x | z\n", ""), &[("x", "x")]);
}

#[test]
fn a_player_is_mended_inside_its_braces() {
    let text = "
net D(θ): 3 -> dense 4 tanh -> dense 1
let X = normal(20, 3, seed = 1)
let y = X[:, 1]
player p {
    var θ1, θ2: params(D)
    minimize mse(D(X; θ1), y) + 0.1*sum_squares(θ1 - 2*θ2) + 0.1*norm1(weights(θ2))
    subject to θ1 - θ2 = 0
    split θ1 | θ2
}
solve play as game {
    repeat 10 times { admm p { rho = 1 } }
}
";
    check(
        text,
        expect![[r#"
            |    var θ1, θ2, θ2c: params(D)
            |    minimize mse(D(X; θ1), y) + 0.1*sum_squares(θ1 - 2*θ2c) + 0.1*norm1(weights(θ2))
            |    subject to θ1 - θ2 = 0, copy: θ2c - θ2 = 0
            |    split θ1, θ2c | θ2
        "#]],
    );
}

/// What a `let` holds can't be told apart by its place; then the help says what to do.
#[test]
fn what_stands_in_a_definition_is_left_to_the_user() {
    let text = "
let b = [1, 2, 3]
var x, z: real[3]
let r = x - z
minimize sum_squares(x - b) + sum_squares(r) + norm1(z)
subject to x - z = 0
";
    let parsed = of_text(text);
    assert!(parsed.diags.iter().all(|diag| diag.code == Code::CoupledTerm && diag.fix.is_none()));
    expect![[r#"
        error E0401 coupled-term

          × this term touches `x` and `z`, which lie in different blocks
           ╭─[test.admm:5:31]
         2 │ let b = [1, 2, 3]
         3 │ var x, z: real[3]
           ·     ┬  ┬
           ·     │  ╰── `z` in the other
           ·     ╰── `x` is updated in one step
         4 │ let r = x - z
         5 │ minimize sum_squares(x - b) + sum_squares(r) + norm1(z)
           ·                               ───────┬──────
           ·                                      ╰── belongs to both blocks
         6 │ subject to x - z = 0
           ╰────
          help: each step of ADMM minimises over one block with the other held fixed, so a term may hold
                one block only; give the term a copy of `z`: declare another variable like `z`, write that
                here, and add the equation of the two to the constraints
    "#]]
    .assert_eq(&drawn(&parsed));
}

/// Chen, He, Ye and Yuan: taken in turn the three steps diverge at every ρ. The point is A⁻¹c = (1, −2, 3).
const THREE: &str = "
let A = [1, 1, 1; 1, 1, 2; 1, 2, 2]
var x1, x2, x3: real
minimize 0
subject to balance: A[:, 1]*x1 + A[:, 2]*x2 + A[:, 3]*x3 = [2, 5, 3]
";

#[test]
fn three_blocks_are_grouped() {
    expect![[r#"
        error E0403 third-block

          × `x1`, `x2` and `x3` meet in one constraint, and ADMM has two blocks
          ╰─▶ in turn, the 3 steps would make the distance to the solution 1.028 times as large in each
              iteration, at every ρ
           ╭─[test.admm:5:12]
         4 │ minimize 0
         5 │ subject to balance: A[:, 1]*x1 + A[:, 2]*x2 + A[:, 3]*x3 = [2, 5, 3]
           ·            ────────────────────────────┬────────────────────────────
           ·                                        ╰── needs a block for each
           ╰────
          help: steps over three blocks in turn can diverge at every ρ, even where there is nothing to
                minimise and one point alone meets the constraints (Chen, He, Ye and Yuan 2016)
                write `split x1, x2 | x3` (`admmc check --fix` does it)
    "#]]
    .assert_eq(&drawn(&of_text(THREE)));
    let mended = check(
        THREE,
        expect![[r#"
            |split x1, x2 | x3
        "#]],
    );
    let outcome = execute(&compiled(&mended));
    assert_eq!(outcome.status, Status::Solved);
    for (name, wanted) in [("x1", 1.0), ("x2", -2.0), ("x3", 3.0)] {
        let x = outcome.answer(name).expect("an answer").to_f64()[0];
        assert!((x - wanted).abs() < 1e-3, "{name} = {x}");
    }
}

#[test]
fn three_kinked_blocks_become_a_star() {
    let text = "
let A = [1, 1, 1; 1, 1, 2; 1, 2, 2]
var x, y, w: real[3]
minimize norm1(x) + norm2(y) + norm1(w)
subject to A*x + y - A'*w = [2, 5, 3]
solve admm { rho = 1 }
";
    let mended = check(
        text,
        expect![[r#"
            |var x, xc, y, yc, w, wc: real[3]
            |subject to A*xc + yc - A'*wc = [2, 5, 3], copy: xc - x = 0, copy2: yc - y = 0, copy3: wc - w = 0
            |split x, y, w | xc, yc, wc
        "#]],
    );
    let whole = "
let A = [1, 1, 1; 1, 1, 2; 1, 2, 2]
var v: real[9]
minimize norm1(v[1 to 3]) + norm2(v[4 to 6]) + norm1(v[7 to 9])
subject to A*v[1 to 3] + v[4 to 6] - A'*v[7 to 9] = [2, 5, 3]
";
    agree(&mended, whole, &[]);
}

#[test]
fn a_ring_is_cut() {
    let text = "
var x, y, z: real[3]
minimize sum_squares(x - 1) + sum_squares(y) + sum_squares(z + 1)
subject to
    a: x - y = 0
    b: y - z = 0
    c: x - z = 0
solve admm { rho = 1 }
";
    expect![[r#"
        error E0403 third-block

          × the constraints tie `x`, `y` and `z` in a ring, which takes three blocks
           ╭─[test.admm:6:5]
         4 │ subject to
         5 │     a: x - y = 0
           ·     ──────┬─────
           ·           ╰── `x` and `y` lie on opposite sides
         6 │     b: y - z = 0
           ·     ──────┬─────
           ·           ╰── so would `y` and `z`, and no side is left
         7 │     c: x - z = 0
           ·     ──────┬─────
           ·           ╰── `x` and `z` lie on opposite sides
         8 │ solve admm { rho = 1 }
           ╰────
          help: steps over three blocks in turn can diverge at every ρ, even where there is nothing to
                minimise and one point alone meets the constraints (Chen, He, Ye and Yuan 2016)
                write `split x, y | z` (`admmc check --fix` does it)
    "#]]
    .assert_eq(&drawn(&of_text(text)));
    let mended = check(
        text,
        expect![[r#"
            |split x, y | z
        "#]],
    );
    let whole = "var v: real[3]\nminimize sum_squares(v - 1) + sum_squares(v) + sum_squares(v + 1)\n";
    agree(&mended, whole, &[("x", "v"), ("y", "v"), ("z", "v")]);
    let kinked = text.replace("sum_squares(y)", "norm1(y)");
    let mended = check(
        &kinked,
        expect![[r#"
            |split x, z | y
        "#]],
    );
    agree(&mended, &whole.replace("sum_squares(v)", "norm1(v)"), &[("x", "v"), ("y", "v"), ("z", "v")]);
}

#[test]
fn kinks_move_behind_the_split() {
    let text = "
let X = normal(20, 3, seed = 1)
let y = sign(X[:, 1])
let D = [1, -1, 0; 0, 1, -1]
var x: real[3]
var z: real[2]
minimize logistic(y, X*x) + norm1(x) + norm1(D*x) + sum_squares(z)
subject to D*x - z = 0
solve admm { rho = 1, x_step = lbfgs(steps = 20) }
";
    expect![[r#"
        warning E0505 nonsmooth-in-gradient-step

          ⚠ `norm1` has a kink, and the step of `x` follows gradients
           ╭─[test.admm:7:29]
         6 │ var z: real[2]
         7 │ minimize logistic(y, X*x) + norm1(x) + norm1(D*x) + sum_squares(z)
           ·                             ────┬───
           ·                                 ╰── its slope jumps where its argument is 0
         8 │ subject to D*x - z = 0
           ╰────
          help: steps of a fixed length go to and fro across a kink, so the iterates settle near it and
                not at it; `norm1` of a variable of its own has a closed-form step in the other block
                write `xc` for `x`, write `s` for `D*x`, and add `copy: xc - x = 0` and `part: D*x - s =
                0` (`admmc check --fix` does it)

        warning E0505 nonsmooth-in-gradient-step

          ⚠ `norm1` has a kink, and the step of `x` follows gradients
           ╭─[test.admm:7:40]
         6 │ var z: real[2]
         7 │ minimize logistic(y, X*x) + norm1(x) + norm1(D*x) + sum_squares(z)
           ·                                        ─────┬────
           ·                                             ╰── its slope jumps where its argument is 0
         8 │ subject to D*x - z = 0
           ╰────
          help: steps of a fixed length go to and fro across a kink, so the iterates settle near it and
                not at it; `norm1` of a variable of its own has a closed-form step in the other block
                write `s` for `D*x`, write `xc` for `x`, and add `part: D*x - s = 0` and `copy: xc - x =
                0` (`admmc check --fix` does it)
    "#]]
    .assert_eq(&drawn(&of_text(text)));
    let mended = check(
        text,
        expect![[r#"
            |var x, xc: real[3]
            |var s: real[2]
            |minimize logistic(y, X*x) + norm1(xc) + norm1(s) + sum_squares(z)
            |subject to D*x - z = 0, copy: xc - x = 0, part: D*x - s = 0
        "#]],
    );
    let whole = "
let X = normal(20, 3, seed = 1)
let y = sign(X[:, 1])
let D = [1, -1, 0; 0, 1, -1]
var x: real[3]
minimize logistic(y, X*x) + norm1(x) + norm1(D*x) + sum_squares(D*x)
";
    agree(&mended, whole, &[("x", "x"), ("xc", "x")]);
}

#[test]
fn a_step_without_a_rule_gives_a_part_away() {
    let text = "
let A = [1, 2; 3, 4; 5, 6]
var x, z: real[2]
minimize sum_squares(A*x - 1) + norm1(A*x) + norm1(z)
subject to x - z = 0
norm2(x) <= 0.1
split x | z
";
    expect![[r#"
        error E0601 no-step-rule

          × no rule takes the step of `x`
          ├─▶ prox: term 1 is quadratic, and not diagonal
          ├─▶ quadratic: a constraint that is no equation lies on its variables
          ├─▶ linearised: term 1 is quadratic, and not diagonal
          ├─▶ newton: a constraint lies on its variables, which Newton's method does not keep to
          ├─▶ composite: KKᵀ is not diagonal in norm1(Kv + k)
          ╰─▶ gradient: a constraint lies on its variables, which plain descent does not keep to
           ╭─[test.admm:4:10]
         3 │ var x, z: real[2]
         4 │ minimize sum_squares(A*x - 1) + norm1(A*x) + norm1(z)
           ·          ──────────┬─────────
           ·                    ╰── no closed form, and no inner method is named
         5 │ subject to x - z = 0
           ╰────
          help: give a function or set a variable of its own in the other block, or name an inner method
                in the solve block, for example `x_step = gradient(rate = 0.1)`
                write `s` for `A*x`, write `xc` for `x`, and add `part: A*x - s = 0` and `copy: xc - x =
                0` (`admmc check --fix` does it)
    "#]]
    .assert_eq(&drawn(&of_text(text)));
    let mended = check(
        text,
        expect![[r#"
            |var x, xc, z: real[2]
            |var s: real[3]
            |minimize sum_squares(A*x - 1) + norm1(s) + norm1(z)
            |norm2(xc) <= 0.1
            |part: A*x - s = 0
            |copy: xc - x = 0
            |split x | z, s, xc
        "#]],
    );
    let whole = "
let A = [1, 2; 3, 4; 5, 6]
var x: real[2]
minimize sum_squares(A*x - 1) + norm1(A*x) + norm1(x)
subject to norm2(x) <= 0.1
";
    agree(&mended, whole, &[("x", "x"), ("z", "x")]);
}

/// The problem files that are there to be refused, and the failing block of every page.
fn refused() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut all: Vec<(PathBuf, String)> = Vec::new();
    for folder in ["model", "syntax"] {
        let entries = std::fs::read_dir(root.join(folder)).expect("the cases are there").flatten();
        let paths = entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|is| is == "admm"));
        all.extend(paths.map(|path| (path.clone(), std::fs::read_to_string(path).expect("a case is text"))));
    }
    for code in Code::ALL {
        let after = code.page().split("```admm failing\n").nth(1).expect("a page has a failing block");
        let text = after.split("```").next().expect("it ends");
        all.push((root.join(format!("model/{code}.admm")), text.to_owned()));
    }
    all.sort();
    all
}

/// A repair does away with what it is for, wherever one is offered, and repairs come to an end.
#[test]
fn every_repair_mends_what_it_is_for() {
    let mut told = std::collections::BTreeMap::<String, usize>::new();
    for (path, text) in refused() {
        let mut text = text;
        let mut rounds = 0;
        loop {
            let parsed = checked(&path, &text, &Disk);
            for diag in parsed.diags.iter().filter(|diag| diag.fix.is_some()) {
                let fix = diag.fix.clone().expect("it has one");
                let (id, file) = parsed.sources.iter().next().expect("there is a file");
                let next = fix::apply(&[fix], id, &file.text);
                let left = checked(&path, &next, &Disk);
                let of_code = |parsed: &Parsed| parsed.diags.iter().filter(|other| other.code == diag.code).count();
                // A chain of errors in one statement is found link by link.
                let fewer =
                    of_code(&left) < of_code(&parsed) || !left.diags.iter().any(|other| other.message == diag.message);
                assert!(fewer, "{}\n{next}\n{}", path.display(), drawn(&left));
                *told.entry(diag.code.to_string()).or_default() += 1;
            }
            let next = mended(&parsed);
            if next == text {
                break;
            }
            text = next;
            rounds += 1;
            assert!(rounds <= ROUNDS, "{} has no end", path.display());
        }
    }
    let codes: Vec<&str> = told.keys().map(String::as_str).collect();
    expect!["E0101 E0106 E0201 E0203 E0204 E0205 E0401 E0403 E0406 E0501 E0507 E0508 E0509 E0605"]
        .assert_eq(&codes.join(" "));
}
