//! Claims that are right pass without a word; misprints are refused in words that hold the remainder, and
//! what the fix writes is right.

use std::path::Path;

use expect_test::expect;

use crate::data::Memory;
use crate::diag::{Code, Severity, Style, fix, render};
use crate::model::Inputs;
use crate::pipeline::{self, Parsed};
use crate::source::FileId;

fn checked(text: &str) -> Parsed {
    let files = Memory::default();
    let mut parsed = pipeline::parse_text(Path::new("test.admm"), text, &files);
    pipeline::check_all(&mut parsed, &Inputs::new(&files));
    parsed
}

fn drawn(parsed: &Parsed) -> String {
    parsed.diags.iter().map(|diag| render(diag, &parsed.sources, Style::default())).collect()
}

/// `f(x) + g(z)`, `z - x = 0`, all of that length, and claims.
fn with(g: &str, n: usize, claims: &str) -> String {
    format!(
        "param w = 2\nlet b = linspace(1, 2, {n})\nvar x, z: real[{n}]\n\
         minimize sum_squares(x - b)/2 + {g}\nsubject to tie: z - x = 0\n{claims}\n"
    )
}

/// Codes and severities; that a gradient step meets a kink, or that no theory covers a network, is no matter here.
fn said(parsed: &Parsed) -> Vec<(Code, Severity)> {
    let said = parsed.diags.iter().map(|diag| (diag.code, diag.severity));
    said.filter(|(code, _)| ![Code::KinkInGradientStep, Code::OutsideTheory].contains(code)).collect()
}

#[track_caller]
fn right(text: &str) {
    let parsed = checked(text);
    assert_eq!(said(&parsed), [], "{text}\n{}", drawn(&parsed));
}

/// A claim that is refused; what is said of it.
#[track_caller]
fn wrong(text: &str) -> Parsed {
    let parsed = checked(text);
    assert_eq!(said(&parsed), [(Code::WrongClaim, Severity::Error)], "{text}\n{}", drawn(&parsed));
    parsed
}

/// The text after the fix.
fn mended(parsed: &Parsed, text: &str) -> String {
    let fixes: Vec<_> = parsed.diags.iter().filter_map(|diag| diag.fix.clone()).collect();
    assert_eq!(fixes.len(), 1, "{}", drawn(parsed));
    fix::apply(&fixes, FileId(0), text)
}

#[test]
fn the_misprint_is_right_at_one_rho() {
    let text = with("sum_squares(z)/2", 3, "claim z = (x - λ)/(1 + ρ)");
    let parsed = wrong(&text);
    expect![[r#"
        error E0605 wrong-claim

          × the claimed update of `z` is not the minimiser of its step unless ρ = 1
          ├─▶ substituted into the gradient of the step's problem it leaves (1 − ρ)·x, not 0
          ├─▶ the minimiser less the claim is (ρ − 1)·x/(1 + ρ)
          ├─▶ tried at ρ = 2 and random values of the rest: the gradient there is not 0, but up to 54 % of
          │   its parts
          ├─▶ of 11 values of ρ from 0.001 to 1000 it is the minimiser at ρ = 1 only
          ├─▶ every step is quadratic here: with this update ADMM diverges at ρ = 10, 100, 1000, by a
          │   factor of 1.249 to 1.614 an iteration
          ╰─▶ derived: z = (ρx − λ)/(1 + ρ)
           ╭─[test.admm:6:11]
         4 │ minimize sum_squares(x - b)/2 + sum_squares(z)/2
         5 │ subject to tie: z - x = 0
           ·            ───────┬──────
           ·                   ╰── λ multiplies z − x
         6 │ claim z = (x - λ)/(1 + ρ)
           ·           ───────┬───────
           ·                  ╰── right at ρ = 1 only
           ╰────
          help: ADMM ends at a solution only if each step is the minimiser; with another update it ends
                elsewhere, or not at all. Compare its source with the derived update, and the constraint's
                sign with it
                write `(ρ*x - λ)/(1 + ρ)` (`admmc check --fix` does it)
    "#]]
    .assert_eq(&drawn(&parsed));
    let mended = mended(&parsed, &text);
    assert!(mended.contains("claim z = (ρ*x - λ)/(1 + ρ)"), "{mended}");
    right(&mended);
}

#[test]
fn the_minimiser_of_a_square_passes() {
    let text = "var x, z: real\nminimize (x - 1)^2 + 0.5*z^2\nsubject to z - x = 0\nclaim z = (ρ*x - λ)/(1 + ρ)\n";
    right(text);
    right(&with("0.5*sum_squares(z)", 3, "claim z = (ρ*x - λ)/(1 + ρ)"));
    right(&with("w*sum_squares(z - b)", 3, "claim z = (4*b + rho*x - lambda)/(4 + rho)"));
    right(&with("w*sum_squares(z)", 3, "claim z = (ρ*x - dual(tie))/(2*w + ρ)"));
    // Both blocks, the other one's step as well.
    right(&with("sum_squares(z)/2", 3, "claim x = (b + ρ*z + λ)/(1 + ρ)\nclaim z = (ρ*x - λ)/(1 + ρ)"));
    // No terms at all: the constraint alone.
    right(&with("0*sum(z)", 3, "claim z = x - λ/ρ"));
}

#[test]
fn other_misprints_of_a_square_are_mended() {
    for (g, claim) in [
        ("sum_squares(z)", "(ρ*x - λ)/(1 + ρ)"),
        ("sum_squares(z)/2", "(x - λ)/2"),
        ("sum_squares(z - b)/2", "(ρ*x - λ)/(1 + ρ)"),
        ("sum_squares(z)/2 - sum(z)", "(ρ*x - lambda)/(1 + rho)"),
        ("sum_squares(z)/2", "(ρ*x - dual(tie))/ρ"),
        ("sum_squares(z)/2", "x"),
    ] {
        let text = with(g, 3, &format!("claim z = {claim}"));
        let parsed = wrong(&text);
        right(&mended(&parsed, &text));
    }
}

#[test]
fn parameters_of_a_network() {
    let text = |claim: &str| {
        format!(
            "let X = reshape(linspace(-1, 1, 8), 8, 1)\nnet f(θ): 1 -> dense 3 tanh -> dense 1\nvar θ1, θ2: params(f)\n\
             minimize sum_squares(f(X; θ1) - linspace(0, 1, 8)) + 0.5*sum_squares(θ2)\nsubject to tie: θ2 - θ1 = 0\n\
             claim θ2 = {claim}\nsolve admm {{ rho = 1, x_step = gradient(rate = 1e-2) }}\n"
        )
    };
    right(&text("(ρ*θ1 - λ)/(1 + ρ)"));
    let misprint = text("(θ1 - λ)/(1 + ρ)");
    let parsed = wrong(&misprint);
    let mended = mended(&parsed, &misprint);
    assert!(mended.contains("claim θ2 = (ρ*θ1 - λ)/(1 + ρ)"), "{mended}");
    right(&mended);
}

#[test]
fn the_two_meanings_of_a_multiplier() {
    let said = |claim: &str| {
        let parsed = wrong(&with("sum_squares(z)/2", 3, claim));
        parsed.diags.iter().next().and_then(|diag| diag.help.clone()).expect("it helps")
    };
    assert!(said("claim z = (ρ*x + λ)/(1 + ρ)").contains("λ of the other sign"));
    assert!(said("claim z = ρ*(x - λ)/(1 + ρ)").contains("scaled multiplier"));
    assert!(said("claim z = (x - λ)/(1 + ρ)").contains("Compare its source"));
}

#[test]
fn steps_that_are_proximal_maps() {
    let soft = "sign(x - λ/ρ) .* pos(abs(x - λ/ρ) - w/ρ)";
    right(&with("w*norm1(z)", 3, &format!("claim z = {soft}")));
    right(&with("w*norm1(z)", 3, "claim z = pos(x - λ/ρ - w/ρ) - pos(λ/ρ - x - w/ρ)"));
    // A threshold without its weight, and one that ρ does not divide.
    let parsed = wrong(&with("w*norm1(z)", 3, "claim z = sign(x - λ/ρ) .* pos(abs(x - λ/ρ) - 1/ρ)"));
    expect![[r#"
        error E0605 wrong-claim

          × the claimed update of `z` is not the minimiser of its step
          ├─▶ tried at ρ = 2 and random values of the rest: it differs from the minimiser by up to 42 % of
          │   their lengths
          ├─▶ of 11 values of ρ from 0.001 to 1000 it is the minimiser at none
          ╰─▶ derived: z = prox[2/(ρ) norm1]((ρx − λ)/ρ)
           ╭─[test.admm:6:11]
         4 │ minimize sum_squares(x - b)/2 + w*norm1(z)
         5 │ subject to tie: z - x = 0
           ·            ───────┬──────
           ·                   ╰── λ multiplies z − x
         6 │ claim z = sign(x - λ/ρ) .* pos(abs(x - λ/ρ) - 1/ρ)
           ·           ────────────────────┬───────────────────
           ·                               ╰── not the minimiser
           ╰────
          help: ADMM ends at a solution only if each step is the minimiser; with another update it ends
                elsewhere, or not at all. Compare its source with the derived update, and the constraint's
                sign with it
    "#]]
    .assert_eq(&drawn(&parsed));
    wrong(&with("w*norm1(z)", 3, "claim z = sign(x - λ/ρ) .* pos(abs(x - λ/ρ) - w)"));
    // A projection, alone and on top of a square.
    let bounded = |claim: &str| {
        format!(
            "var x, z: real[3]\nminimize sum_squares(x - 1)/2 + sum_squares(z)/2\nsubject to tie: z - x = 0\nz >= 0\n{claim}\n"
        )
    };
    right(&bounded("claim z = pos((ρ*x - λ)/(1 + ρ))"));
    wrong(&bounded("claim z = pos(x - λ/ρ)"));
}

#[test]
fn steps_without_a_closed_form() {
    // A matrix in the constraint.
    let text = |claim: &str| {
        format!(
            "let A = [2, 1; 0, 1; 1, 3]\nvar x: real[3]\nvar z: real[2]\nminimize sum_squares(x)/2 + sum_squares(z)/2\n\
             subject to tie: A*z - x = 0\nclaim x = {claim}\n"
        )
    };
    right(&text("(λ + ρ*A*z)/(1 + ρ)"));
    wrong(&text("(λ + A*z)/(1 + ρ)"));
    // Two kinks: values around the claim are compared.
    let kinked = |claim: &str| {
        with("sum(abs(z - 1)) + sum(abs(z + 1))", 3, &format!("claim z = {claim}\nsolve admm {{ z_step = lbfgs() }}"))
    };
    let inside = "(x - λ/ρ) - pos(x - λ/ρ - 1) + pos(λ/ρ - x - 1)";
    right(&kinked(&format!("{inside} + pos(x - λ/ρ - 1 - 2/ρ) - pos(λ/ρ - x - 1 - 2/ρ)")));
    wrong(&kinked(&format!("{inside} + pos(x - λ/ρ - 1 - 1/ρ) - pos(λ/ρ - x - 1 - 1/ρ)")));
}

#[test]
fn copies_of_many() {
    let text = |claim: &str| {
        format!(
            "let b = [1, 2; 3, 4; 5, 6]\nvar w[i in 1 to 3]: real[2]\nvar z: real[2]\n\
             minimize sum(i in 1 to 3: sum_squares(w[i] - b[i, :])) + sum_squares(z)/2\n\
             subject to link[i in 1 to 3]: w[i] - z = 0\nclaim z = {claim}\n"
        )
    };
    right(&text("sum(i in 1 to 3: dual(link)[i] + ρ*w[i])/(1 + 3*ρ)"));
    wrong(&text("sum(i in 1 to 3: dual(link)[i] + w[i])/(1 + 3*ρ)"));
}

#[test]
fn what_is_not_checked_says_why() {
    let said = |text: &str| {
        let parsed = checked(text);
        let all: Vec<_> = parsed.diags.iter().collect();
        assert!(matches!(all[..], [diag] if diag.code == Code::WrongClaim && diag.severity == Severity::Note));
        all[0].message.clone()
    };
    let all = [
        said(&with("sum_squares(z)/2", 3, "claim z = z - 0.1*(z + λ)")),
        said(&with("sum_squares(z)/2", 3, "claim z = (ρ*x - λ)/(1 + ρ)\nsolve lbfgs { }")),
        said(
            "let X = normal(9, 2, seed = 1)\nsample r ~ draw(X) batch 3\nvar x, z: real[2]\n\
              minimize mean(softplus(r*x)) + sum_squares(z)\nsubject to x - z = 0\nclaim x = z\n\
              solve admm { rho = 1, iterations = 9, x_step = gradient(rate = 0.1) }\n",
        ),
    ];
    expect![[r#"
        the claimed update of `z` is not checked: it begins at the last `z`, as a gradient step does, and states no minimiser
        the claimed update of `z` is not checked: no solve block takes `admm` on it
        the claimed update of `x` is not checked: it depends on a sample, which a run draws"#]].assert_eq(&all.join("\n"));
}

/// A file whose only diagnostic has that severity; it.
#[track_caller]
fn only(text: &str, severity: Severity) -> Parsed {
    let parsed = checked(text);
    assert_eq!(said(&parsed), [(Code::WrongClaim, severity)], "{text}\n{}", drawn(&parsed));
    parsed
}

/// `f(x) + g(z)` with an update of z that runs.
fn stated(g: &str, settings: &str) -> String {
    with(g, 3, &format!("solve admm {{ {settings} }}"))
}

#[test]
fn a_stated_update_is_judged_in_warnings() {
    let text = stated("sum_squares(z)/2", "rho = 2, z_step = given((x - λ)/(1 + ρ))");
    let parsed = only(&text, Severity::Warning);
    expect![[r#"
        warning E0605 wrong-claim

          ⚠ the stated update of `z` is not the minimiser of its step unless ρ = 1
          ├─▶ substituted into the gradient of the step's problem it leaves (1 − ρ)·x, not 0
          ├─▶ the minimiser less the stated update is (ρ − 1)·x/(1 + ρ)
          ├─▶ tried at ρ = 2 and random values of the rest: the gradient there is not 0, but up to 54 % of
          │   its parts
          ├─▶ of 11 values of ρ from 0.001 to 1000 it is the minimiser at ρ = 1 only
          ├─▶ every step is quadratic here: with this update ADMM diverges at ρ = 10, 100, 1000, by a
          │   factor of 1.249 to 1.614 an iteration
          ╰─▶ derived: z = (ρx − λ)/(1 + ρ)
           ╭─[test.admm:6:38]
         4 │ minimize sum_squares(x - b)/2 + sum_squares(z)/2
         5 │ subject to tie: z - x = 0
           ·            ───────┬──────
           ·                   ╰── λ multiplies z − x
         6 │ solve admm { rho = 2, z_step = given((x - λ)/(1 + ρ)) }
           ·                                      ───────┬───────
           ·                                             ╰── right at ρ = 1 only
           ╰────
          help: ADMM ends at a solution only if each step is the minimiser; with another update it ends
                elsewhere, or not at all. The run takes it as it stands, and its end says what it leaves.
                Compare its source with the derived update, and the constraint's sign with it
                write `(ρ*x - λ)/(1 + ρ)` (`admmc check --fix` does it)
    "#]]
    .assert_eq(&drawn(&parsed));
    let mended = mended(&parsed, &text);
    assert!(mended.contains("z_step = given((ρ*x - λ)/(1 + ρ))"), "{mended}");
    right(&mended);
    right(&stated("w*norm1(z)", "rho = 2, z_step = given(sign(x - λ/ρ) .* pos(abs(x - λ/ρ) - w/ρ))"));
    right(&stated("sum_squares(z)/2", "rho = 2, x_step = given((b + ρ*z + λ)/(1 + ρ))"));
    only(&stated("w*norm1(z)", "rho = 2, z_step = given(x - λ/ρ)"), Severity::Warning);
}

/// Where ρ stays at the value that the update is right at, the run is right; where it moves, it is not.
#[test]
fn a_stated_update_may_be_right_where_rho_stays() {
    let at = |settings: &str| stated("sum_squares(z)/2", &format!("{settings}, z_step = given((x - λ)/(1 + ρ))"));
    let parsed = only(&at("rho = 1"), Severity::Note);
    let first = parsed.diags.iter().next().expect("there is one");
    expect!["the stated update of `z` is the minimiser of its step at ρ = 1, where ρ stays, and not at every ρ"]
        .assert_eq(&first.message);
    assert_eq!(first.fix, None, "what is right where it runs is left as it is written");
    only(&at("rho = 1, adapt = balanced"), Severity::Warning);
    only(&at("rho = auto"), Severity::Warning);
}

#[test]
fn a_stated_update_that_is_not_compared_runs() {
    let parsed = only(&stated("sum_squares(z)/2", "z_step = given(z - 0.1*(z + λ + ρ*(z - x)))"), Severity::Note);
    expect![[r#"
        note E0605 wrong-claim

          ☞ the stated update of `z` is not checked: it begins at the last `z`, as a gradient step does,
          │ and states no minimiser
           ╭─[test.admm:6:29]
         5 │ subject to tie: z - x = 0
         6 │ solve admm { z_step = given(z - 0.1*(z + λ + ρ*(z - x))) }
           ·                             ─────────────┬─────────────
           ·                                          ╰── runs as it stands
           ╰────
          help: it is not compared with the minimiser of its step; the end of the run says what it leaves
    "#]]
    .assert_eq(&drawn(&parsed));
}

#[test]
fn a_stated_update_that_cannot_run_says_why() {
    let drawn = |text: &str| drawn(&checked(text));
    let two = "var x: real[2]\nvar z, w: real[2]\nminimize sum_squares(x - 1) + sum_squares(z) + sum_squares(w)\n\
               subject to a: x - z = 0, b: x - w = 0\nsplit x | z, w\nsolve admm { z_step = given(x) }\n";
    let whole = "var x: real[2]\nminimize sum_squares(x - 1)\nsolve admm { x_step = given(x) }\n";
    let anew = "var x: real[2]\nminimize sum_squares(x - [1, 2]) + norm1(x)\nsolve admm { z_step = given(x) }\n";
    let all = [
        drawn(&stated("sum_squares(z)", "z_step = given(sum(x))")),
        drawn(two),
        drawn(whole),
        drawn(anew),
        drawn(&stated("sum_squares(z)", "relax = 1.6, z_step = given((ρ*x - λ)/(2 + ρ))")),
    ];
    expect![[r#"
        error E0203 shape-mismatch

          × `z` is of shape [3], and its stated update a number
           ╭─[test.admm:6:29]
         2 │ let b = linspace(1, 2, 3)
         3 │ var x, z: real[3]
           ·        ┬
           ·        ╰── of shape [3]
         4 │ minimize sum_squares(x - b)/2 + sum_squares(z)
         5 │ subject to tie: z - x = 0
         6 │ solve admm { z_step = given(sum(x)) }
           ·                             ───┬──
           ·                                ╰── a number
           ╰────
          help: an update gives the variable itself: every operand has its shape or is a number

        error E0107 not-yet

          × block z takes 2 steps, and a stated update is that of one, for now
           ╭─[test.admm:6:29]
         5 │ split x | z, w
         6 │ solve admm { z_step = given(x) }
           ·                             ┬
           ·                             ╰── one update
           ╰────
          help: leave the update to the compiler, or hold it against the derived one by a `claim`

        error E0601 no-step-rule

          × `x_step` states an update, and no step is left as written
          ╰─▶ there is one step, and no block to state the update of
           ╭─[test.admm:3:29]
         2 │ minimize sum_squares(x - 1)
         3 │ solve admm { x_step = given(x) }
           ·                             ┬
           ·                             ╰── the update of no step
           ╰────
          help: a stated update is that of a variable in a split that the file writes and whose every step
                has a rule: give each function and set a variable of its own, tied by an equation such as
                `x - z = 0`

        error E0601 no-step-rule

          × `z_step` states an update, and no step is left as written
          ╰─▶ there is one step, and no block to state the update of
           ╭─[test.admm:3:29]
         2 │ minimize sum_squares(x - [1, 2]) + norm1(x)
         3 │ solve admm { z_step = given(x) }
           ·                             ┬
           ·                             ╰── the update of no step
           ╰────
          help: a stated update is that of a variable in a split that the file writes and whose every step
                has a rule: give each function and set a variable of its own, tied by an equation such as
                `x - z = 0`

        error E0205 wrong-arguments

          × `relax` is 1.6 beside a stated z-step
           ╭─[test.admm:6:22]
         5 │ subject to tie: z - x = 0
         6 │ solve admm { relax = 1.6, z_step = given((ρ*x - λ)/(2 + ρ)) }
           ·                      ───                 ────────┬────────
           ·                       │                          ╰── reads the other block as it is
           ╰────
          help: over-relaxation hands the z-step αAx⁺ − (1 − α)(Bz − c) in the place of Ax⁺, which a
                stated update knows nothing of; leave `relax` out, or write `relax = 1`
                write `1` (`admmc check --fix` does it)
    "#]]
    .assert_eq(&all.join("\n"));
}

#[test]
fn the_update_of_a_multiplier() {
    for claim in ["λ = λ + ρ*(z - x)", "dual(tie) = dual(tie) - rho*x + rho*z", "λ = lambda + rho*(z - x)"] {
        right(&with("norm1(z)", 3, &format!("claim {claim}")));
    }
    let text = with("sum_squares(z)/2", 3, "claim λ = λ - ρ*(z - x)");
    let parsed = wrong(&text);
    expect![[r#"
        error E0605 wrong-claim

          × the claimed update of `λ` goes against the constraint
          ├─▶ it moves λ by -1 times ρ·r, r = z − x
          ├─▶ the claim less the update is 2·ρ·x − 2·ρ·z, not 0
          ├─▶ tried at ρ = 2 and random values of the rest: the two moves of λ differ by up to 100 % of
          │   their lengths
          ├─▶ every step is quadratic here: with this update ADMM diverges at each of these ρ, by a factor
          │   of 1.002 to 2 an iteration
          ╰─▶ derived: λ ← λ + ρ(z − x)
           ╭─[test.admm:6:11]
         4 │ minimize sum_squares(x - b)/2 + sum_squares(z)/2
         5 │ subject to tie: z - x = 0
           ·            ───────┬──────
           ·                   ╰── λ multiplies z − x
         6 │ claim λ = λ - ρ*(z - x)
           ·           ──────┬──────
           ·                 ╰── lowers λ where it should rise
           ╰────
          help: λ rises along what the constraint is off by, as in L = f + g + ⟨λ, …⟩; the claim is right
                for a Lagrangian with −⟨λ, …⟩, or for the constraint with its sides exchanged, and then
                every λ in the other updates has the other sign too
                write `λ + ρ*(z - x)` (`admmc check --fix` does it)
    "#]]
    .assert_eq(&drawn(&parsed));
    let mended = mended(&parsed, &text);
    assert!(mended.contains("claim λ = λ + ρ*(z - x)"), "{mended}");
    right(&mended);
}

#[test]
fn other_updates_of_a_multiplier() {
    let message = |parsed: &Parsed| parsed.diags.iter().next().map(|diag| diag.message.clone()).expect("there is one");
    let mut all = Vec::new();
    for claim in ["λ = λ + (z - x)", "dual(tie) = dual(tie) + 3*ρ*(z - x)", "λ = λ + ρ*x", "λ = λ + rho^2*(z - x)"]
    {
        let text = with("sum_squares(z)/2", 3, &format!("claim {claim}"));
        let parsed = wrong(&text);
        all.push(message(&parsed));
        right(&mended(&parsed, &text));
    }
    let harmless = only(&with("sum_squares(z)/2", 3, "claim λ = λ + 1.5*ρ*(z - x)"), Severity::Note);
    all.push(message(&harmless));
    let matrix = |claim: &str| {
        format!(
            "let A = [2, 1; 0, 1; 1, 3]\nvar x: real[3]\nvar z: real[2]\nminimize sum_squares(x)/2 + sum_squares(z)/2\n\
             subject to tie: A*z - x = [1, 0, 2]\nclaim λ = {claim}\n"
        )
    };
    right(&matrix("λ + ρ*(A*z - x - [1, 0, 2])"));
    all.push(message(&wrong(&matrix("λ + ρ*(A*z - x)"))));
    all.push(message(&only(&with("sum_squares(z)", 3, "claim λ = λ - ρ*(z - x)\nsolve lbfgs { }"), Severity::Note)));
    expect![[r#"
        the claimed update of `λ` is not the one that ADMM takes unless ρ = 1
        the claimed update of `λ` takes 3 times the step
        the claimed update of `λ` is not the one that ADMM takes
        the claimed update of `λ` is not the one that ADMM takes unless ρ = 1
        the claimed update of `λ` takes 1.5 times the step
        the claimed update of `λ` is not the one that ADMM takes
        the claimed update of `λ` is not checked: no solve block takes `admm` on it"#]]
    .assert_eq(&all.join("\n"));
}

/// The scalar quadratic (a/2)θ², (b/2)θ², of which the radii are known: with the misprint z = (x − λ)/(1 + ρ) it
/// diverges above ((4 + a) + √((4 + a)² + 8a))/2, 5.37 at a = 1, and with a flipped dual sign at every ρ.
#[test]
fn the_radius_of_a_quadratic() {
    let said = |claim: &str| {
        let text = format!("var x, z: real\nminimize (x - 1)^2/2 + z^2/2\nsubject to tie: z - x = 0\nclaim {claim}\n");
        let parsed = wrong(&text);
        let lines = parsed.diags.iter().flat_map(|diag| diag.certificate.clone());
        lines.filter(|line| line.contains("every step is quadratic")).collect::<Vec<_>>().join("")
    };
    let all = [said("z = (x - λ)/(1 + ρ)"), said("λ = λ - ρ*(z - x)"), said("z = x")];
    expect![[r#"
        every step is quadratic here: with this update ADMM diverges at ρ = 10, 100, 1000, by a factor of 1.249 to 1.614 an iteration
        every step is quadratic here: with this update ADMM diverges at each of these ρ, by a factor of 1.002 to 2 an iteration
        every step is quadratic here: with this update ADMM still settles at each of these ρ, so that ‖r‖ alone does not tell"#]].assert_eq(&all.join("\n"));
}
