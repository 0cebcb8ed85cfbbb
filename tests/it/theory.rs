//! E0504: nonconvex problems outside the theory, and what brings them in.

use admmc::diag::{Code, Severity};
use expect_test::expect;

use crate::remarks::{check, remarked_text};

const SPARSE: &str = "
let A = normal(12, 3, seed = 1)
let b = normal(12, seed = 2)
var x, z: real[3]
minimize sum_squares(A*x - b)
subject to x - z = 0, z in sparse(1)
split x | z
solve admm { rho = 100 }
";

/// What is said beside notes of concave steps.
fn found(text: &str) -> Option<Severity> {
    let parsed = remarked_text(text);
    assert!(!parsed.diags.has_errors(), "{text}\n{}", crate::compile::drawn(&parsed));
    let mut own = parsed.diags.iter().filter(|diag| diag.code == Code::OutsideTheory);
    let first = own.next().map(|diag| diag.severity);
    assert!(own.next().is_none(), "it is said once: {text}");
    first
}

#[test]
fn a_set_in_the_block_that_is_updated_last() {
    check(
        SPARSE,
        expect![[r#"
        warning E0504 outside-theory

          ⚠ what is known of nonconvex ADMM does not cover this: a set in the block that is updated last,
          │ `z`, has no Lipschitz gradient
          ╰─▶ λ follows the gradient of the last block: where that jumps, λ may jump in every iteration
           ╭─[test.admm:6:23]
         5 │ minimize sum_squares(A*x - b)
         6 │ subject to x - z = 0, z in sparse(1)
           ·                       ───────┬──────
           ·                              ╰── a set: its gradient is 0 inside and none outside
         7 │ split x | z
         8 │ solve admm { rho = 100 }
           · ────────────┬───────────
           ·             ╰── the step of `z` is not known to be convex
           ╰────
          help: convergence is not assured: with ρ fixed nothing watches the iterates, which may cycle;
                write the split so that the block that is updated last has smooth terms alone, as `split z
                | x` does where x has
    "#]],
    );
    assert_eq!(found(&SPARSE.replace("rho = 100", "rho = auto")), Some(Severity::Note));
    assert_eq!(found(&SPARSE.replace("rho = 100", "rho = 100, adapt = balanced")), Some(Severity::Note));
    assert_eq!(found(&SPARSE.replace("sparse(1)", "simplex")), None);
}

/// 2·λ_max(AᵀA) = 24.70716, and √2 times that is 34.94119.
#[test]
fn the_smooth_block_last_and_a_large_rho_are_covered() {
    let turned = SPARSE.replace("split x | z", "split z | x");
    for (rho, said) in [("34.941", Some(Severity::Note)), ("34.942", None), ("auto", None)] {
        assert_eq!(found(&turned.replace("rho = 100", &format!("rho = {rho}"))), said, "{rho}");
    }
    check(
        &turned.replace("rho = 100", "rho = 10"),
        expect![[r#"
        note E0504 outside-theory

          ☞ what is known of nonconvex ADMM does not cover this: ρ = 10 is below what is known to make
          │ every iteration a descent
          ╰─▶ the augmented Lagrangian is sure to fall for ρ > √2·L = 34.94119, L the largest curvature of
              the block updated last
           ╭─[test.admm:5:10]
         4 │ var x, z: real[3]
         5 │ minimize sum_squares(A*x - b)
           ·          ──────────┬─────────
           ·                    ╰── curves by L = 24.70716 at the most
         6 │ subject to x - z = 0, z in sparse(1)
         7 │ split z | x
         8 │ solve admm { rho = 10 }
           · ───────────┬───────────
           ·            ╰── the step of `z` is not known to be convex
           ╰────
          help: convergence is not assured: with ρ fixed nothing watches the iterates, which may cycle;
                that is sufficient and not necessary: many such runs end well; `rho = auto` or a ρ above
                34.94119 is safe
    "#]],
    );
}

#[test]
fn a_block_that_can_not_follow() {
    let text = "
var x: real[3]
var z: real
minimize sum_squares(tanh(x) - 0.5) + square(z)
subject to x - [1; 2; 3]*z = 0
split x | z
solve admm { rho = 4 }
";
    check(
        text,
        expect![[r#"
        warning E0504 outside-theory

          ⚠ what is known of nonconvex ADMM does not cover this: its first block can move the constraint
          │ where the second can't follow
          ╰─▶ along −x[1] + 0.153846·x[2] + 0.230769·x[3] the first block moves a combination of rows that
              no move of the second changes
           ╭─[test.admm:5:12]
         4 │ minimize sum_squares(tanh(x) - 0.5) + square(z)
         5 │ subject to x - [1; 2; 3]*z = 0
           ·            ─────────┬─────────
           ·                     ╰── im A is not within im B
         6 │ split x | z
         7 │ solve admm { rho = 4 }
           · ───────────┬──────────
           ·            ╰── the step of `x` is not known to be convex
           ╰────
          help: convergence is not assured: with ρ fixed nothing watches the iterates, which may cycle;
                the block that is updated last has to follow the other wherever it goes: turn them round,
                `split z | x`
    "#]],
    );
    assert_eq!(found(&text.replace("split x | z", "split z | x")), None);
}

/// A last block of members that follow one by one, or all alike.
#[test]
fn consensus() {
    let text = "
data a[i in 1 to 3] = [0.1; 0.2]
var x[i in 1 to 3]: real[2]
var z: real[2]
minimize sum(i in 1 to 3: sum_squares(tanh(x[i]) - a[i])) + 0.1*sum_squares(z)
subject to link[i in 1 to 3]: x[i] - z = 0
split x | z
solve admm { rho = 8 }
";
    check(
        text,
        expect![[r#"
        warning E0504 outside-theory

          ⚠ what is known of nonconvex ADMM does not cover this: `link` lets its first block move where
          │ the second can't follow
          ╰─▶ a member moved by itself, the others at rest: the second block moves all members alike
           ╭─[test.admm:6:12]
         5 │ minimize sum(i in 1 to 3: sum_squares(tanh(x[i]) - a[i])) + 0.1*sum_squares(z)
         6 │ subject to link[i in 1 to 3]: x[i] - z = 0
           ·            ───────────────┬───────────────
           ·                           ╰── im A is not within im B
         7 │ split x | z
         8 │ solve admm { rho = 8 }
           · ───────────┬──────────
           ·            ╰── the step of `x` is not known to be convex
           ╰────
          help: convergence is not assured: with ρ fixed nothing watches the iterates, which may cycle;
                the block that is updated last has to follow the other wherever it goes: turn them round,
                `split z | x`
    "#]],
    );
    assert_eq!(found(&text.replace("split x | z", "split z | x")), None);
}

/// What E0502 has compared with ρ is not said again.
#[test]
fn a_known_modulus_is_known() {
    let text = "
var x, z: real[3]
minimize sum(x) - sum_squares(x)
subject to x - z = 0, -1 <= z <= 1
solve admm { rho = 4 }
";
    assert_eq!(found(text), None);
}

/// A turn of a game has no limit that is claimed, and batches no theorem.
#[test]
fn fixed_schedules_are_left_alone() {
    let text = "
let X = normal(100, 3, seed = 1)
net f(θ): 3 -> dense 4 tanh -> dense 1
sample x ~ draw(X) batch 10
var θ1, θ2: params(f)
minimize mean(square(f(x; θ1))) + 0.01*sum_squares(θ1)
subject to θ1 - θ2 = 0, θ2 in sparse(5)
solve admm { rho = 10, x_step = gradient(rate = 0.01), iterations = 5 }
";
    assert_eq!(found(text), None);
    assert_eq!(found(&text.replace("f(x;", "f(X;")), Some(Severity::Warning));
}
