//! What is said of a plan that can be executed, or of one that only a larger ρ would make so.

use std::path::{Path, PathBuf};

use admmc::data::{Disk, Files, Memory};
use admmc::diag::{Code, Severity, fix};
use admmc::exec::Status;
use admmc::linalg::{Matrix, factor};
use admmc::model::Inputs;
use admmc::pipeline::{self, Compiled, Parsed};
use admmc::report::explain::{Subject, explain};
use admmc::source::FileId;
use admmc::steps::Script;
use expect_test::{Expect, expect};

use crate::compile::{compiled, drawn, end, model};

/// A file with all its solve blocks checked, as `admmc check` does.
pub(crate) fn remarked(path: &Path, text: &str, files: &dyn Files) -> Parsed {
    let mut parsed = pipeline::parse_text(path, text, files);
    if !parsed.diags.has_errors() {
        pipeline::check_all(&mut parsed, &Inputs::new(files));
    }
    parsed
}

/// The same of a text that reads no file.
pub(crate) fn remarked_text(text: &str) -> Parsed {
    remarked(Path::new("test.admm"), text, &Memory::default())
}

pub(crate) fn check(text: &str, expected: Expect) {
    expected.assert_eq(&drawn(&remarked_text(text)));
}

/// Codes and severities; but not the note that a loss is rewritten, which asks for nothing.
pub(crate) fn codes(text: &str) -> Vec<(Code, Severity)> {
    let parsed = remarked_text(text);
    let all = parsed.diags.iter().filter(|diag| diag.code != Code::RewrittenLoss);
    all.map(|diag| (diag.code, diag.severity)).collect()
}

/// No false alarm: whatever is shipped, and every case that has an answer, passes without a word but notes.
#[test]
fn what_is_well_posed_is_left_alone() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut alarms = Vec::new();
    let mut seen = 0;
    for folder in ["examples", "tests/cases/convex", "tests/cases/networks"] {
        for path in files_below(&root.join(folder)) {
            let text = std::fs::read_to_string(&path).expect("a file is text");
            let parsed = remarked(&path, &text, &Disk);
            let loud = parsed.diags.iter().any(|diag| diag.severity > Severity::Note);
            if loud && !ILL_POSED.iter().any(|name| path.ends_with(name)) {
                alarms.push(drawn(&parsed));
            }
            seen += 1;
        }
    }
    assert!(seen > 80, "the files are found: {seen}");
    assert_eq!(alarms, Vec::<String>::new());
}

/// A case that is there to be refused, and declarations that others use.
const ILL_POSED: &[&str] = &["inconsistent_constraint.admm", "data/digits.admm"];

/// The problem files of a folder and of those in it.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder is there").flatten().map(|entry| entry.path());
    let mut files = Vec::new();
    for path in entries {
        if path.is_dir() {
            files.extend(files_below(&path));
        } else if path.extension().is_some_and(|extension| extension == "admm") {
            files.push(path);
        }
    }
    files.sort();
    files
}

const CONCAVE: &str = "
let q = [0.3, -0.2, 0.1]
var x, z: real[3]
minimize q'*x - sum_squares(x)
subject to x - z = 0, -1 <= z <= 1
solve admm { rho = 1 }
";

#[test]
fn a_concave_step_names_its_threshold() {
    check(
        CONCAVE,
        expect![[r#"
            error E0502 concave-step

              × the step of `x` is concave at ρ = 1
              ├─▶ the step is convex for ρ > ρ* = 2
              ╰─▶ at ρ = 1 it curves by -1 along x[1]
               ╭─[test.admm:4:17]
             3 │ var x, z: real[3]
             4 │ minimize q'*x - sum_squares(x)
               ·                 ───────┬──────
               ·                        ╰── curves downwards
             5 │ subject to x - z = 0, -1 <= z <= 1
               ╰────
              help: a step of ADMM minimises over `x` with nothing but the penalty to hold it, and this ρ is
                    too weak: the iterates would leave for infinity; write `rho = auto`, which finds ρ*, or
                    more than 2ρ* = 4, which convergence asks for
        "#]],
    );
    for (rho, severity) in [("2", Some(Severity::Error)), ("2.5", Some(Severity::Warning)), ("4", None), ("100", None)]
    {
        let found = codes(&CONCAVE.replace("rho = 1", &format!("rho = {rho}")));
        assert_eq!(
            found,
            severity.map(|severity| (Code::ConcaveStep, severity)).into_iter().collect::<Vec<_>>(),
            "{rho}"
        );
    }
    check(
        &CONCAVE.replace("rho = 1", "rho = auto"),
        expect![[r#"
            note E0502 concave-step

              ☞ the step of `x` is convex by the penalty alone
              ├─▶ the step is convex for ρ > ρ* = 2
              ╰─▶ at ρ = 4 it curves by 2 along x[1]
               ╭─[test.admm:4:17]
             3 │ var x, z: real[3]
             4 │ minimize q'*x - sum_squares(x)
               ·                 ───────┬──────
               ·                        ╰── curves downwards
             5 │ subject to x - z = 0, -1 <= z <= 1
               ╰────
              help: ρ starts at 4 and goes no lower; the iteration settles from 2ρ* = 4 on
        "#]],
    );
}

/// Large steps, whose thresholds are known: the differences of n numbers have λ_max(DᵀD) = 4cos²(π/2n), and against
/// 2(x − z) that is a quarter of it; of a full matrix it is compared with the eigenvalues of a small one beside zeros.
#[test]
fn thresholds_of_large_steps() {
    let least = |text: &str| {
        let parsed = remarked_text(text);
        let lines = parsed.diags.iter().flat_map(|diag| &diag.certificate);
        let line = lines.clone().find_map(|line| line.split_once("ρ* = ")).expect("it is concave");
        assert!(lines.clone().count() == 2, "with its direction: {}", drawn(&parsed));
        line.1.parse::<f64>().expect("a number")
    };
    let text = |n: usize, link: &str| {
        format!(
            "var x, z: real[{n}]\nminimize -0.5*sum_squares(diff(x))\nsubject to {link}, -1 <= z <= 1\nsolve admm {{ rho = 0.5 }}\n"
        )
    };
    let exact = |n: usize| 4.0 * (std::f64::consts::PI / (2.0 * n as f64)).cos().powi(2);
    for n in [50, 300, 3000, 50_000] {
        let found = least(&text(n, "x - z = 0"));
        assert!((found / exact(n) - 1.0).abs() < 1e-6, "{n}: {found} {}", exact(n));
    }
    assert!((least(&text(3000, "2*x - 2*z = 0")) / (exact(3000) / 4.0) - 1.0).abs() < 1e-6);
    // Against DᵀD itself, whose null vector nothing holds but the sum.
    let tied = "var x: real[500]\nvar z: real[499]\nminimize 0.5*square(sum(x)) - 0.5*sum_squares(diff(x))\nsubject to diff(x) - z = 0, -1 <= z <= 1\nsolve admm { rho = 0.5 }\n";
    assert!((least(tied) - 1.0).abs() < 1e-6, "{}", least(tied));
    let full = |n: usize| {
        format!(
            "let A = normal(40, {n}, seed = 3)\nvar x, z: real[{n}]\nminimize -0.5*sum_squares(A*x)\nsubject to x - z = 0, -1 <= z <= 1\nsolve admm {{ rho = 10 }}\n"
        )
    };
    // λ_max(AᵀA) = λ_max(AAᵀ), which is small.
    for n in [300, 1500] {
        let text = full(n);
        let a = model(Path::new("test.admm"), &text, &Memory::default()).data[0].tensor.to_f64().into_vec();
        let product = |i: usize, j: usize| (0..n).map(|k| a[i * n + k] * a[j * n + k]).sum::<f64>();
        let outer = Matrix::new(40, 40, (0..1600).map(|at| product(at / 40, at % 40)).collect::<Vec<f64>>());
        let exact = *factor::eigen(&outer).expect("it is finite").values.last().expect("there are 40");
        let found = least(&text);
        assert!((found / exact - 1.0).abs() < 1e-6, "{n}: {found} {exact}");
    }
}

/// With over-relaxation the iteration settles above 2ρ*/(2 − α), 10 here, and where that is said it does.
#[test]
fn over_relaxation_asks_for_more() {
    let at = |settings: &str| CONCAVE.replace("rho = 1", &format!("{settings}, adapt = fixed, iterations = 3000"));
    let warned = [(Code::ConcaveStep, Severity::Warning)];
    let ended = |text: &str| end(&compiled(text)).status;
    let [below, above] = ["rho = 9.8, relax = 1.6", "rho = 10.2, relax = 1.6"].map(at);
    assert_eq!(codes(&below), warned);
    assert_eq!(codes(&above), []);
    assert_eq!(ended(&below), Status::IterationLimit);
    assert_eq!(ended(&above), Status::Stationary);
    // It is 1 where nothing is written.
    assert_eq!(ended(&at("rho = 4.2")), Status::Stationary);
}

/// P = −[2, 1; 1, 3] against MᵀM = I: ρ* = (5 + √5)/2 = 3.618034, along (0.5257, 0.8507).
#[test]
fn the_threshold_is_an_eigenvalue() {
    let text = "
var x, z: real[2]
minimize quad_form(x, [-1, -0.5; -0.5, -1.5])
subject to x - z = 0, -1 <= z <= 1
solve admm { rho = 3.6 }
";
    check(
        text,
        expect![[r#"
            error E0502 concave-step

              × the step of `x` is concave at ρ = 3.6
              ├─▶ the step is convex for ρ > ρ* = 3.618034
              ╰─▶ at ρ = 3.6 it curves by -0.01803399 along 0.525731·x[1] + 0.850651·x[2]
               ╭─[test.admm:3:10]
             2 │ var x, z: real[2]
             3 │ minimize quad_form(x, [-1, -0.5; -0.5, -1.5])
               ·          ──────────────────┬─────────────────
               ·                            ╰── curves downwards
             4 │ subject to x - z = 0, -1 <= z <= 1
               ╰────
              help: a step of ADMM minimises over `x` with nothing but the penalty to hold it, and this ρ is
                    too weak: the iterates would leave for infinity; write `rho = auto`, which finds ρ*, or
                    more than 2ρ* = 7.236068, which convergence asks for
        "#]],
    );
    assert_eq!(codes(&text.replace("3.6", "3.618033"))[0], (Code::ConcaveStep, Severity::Error));
    assert_eq!(codes(&text.replace("3.6", "3.618035"))[0], (Code::ConcaveStep, Severity::Warning));
}

/// The constraint does not move x₂, along which the step falls.
#[test]
fn no_penalty_reaches_everywhere() {
    let text = "
var x: real[2]
var z: real
minimize -sum_squares(x) + abs(z)
subject to x[1] - z = 0
split x | z
solve admm { rho = 10 }
";
    check(
        text,
        expect![[r#"
            error E0502 concave-step

              × the step of `x` is concave at every ρ
              ╰─▶ at ρ = 10 it curves by -2 along x[2]
               ╭─[test.admm:4:10]
             3 │ var z: real
             4 │ minimize -sum_squares(x) + abs(z)
               ·          ───────┬───────
               ·                 ╰── curves downwards where no constraint holds it
             5 │ subject to x[1] - z = 0
               ╰────
              help: the penalty holds only what the constraint moves, so no ρ makes this step bounded; tie the
                    direction by a constraint, bound it, or give it a term that curves upwards
        "#]],
    );
}

#[test]
fn kinks_linearised_steps_and_a_rho_that_is_far_off() {
    let kink = "
let A = [1, 2; 3, 4; 5, 6]
var x, z: real[2]
minimize reg: norm1(exp(A*x) - 1) + sum_squares(z)
subject to x - z = 0
solve admm { x_step = gradient(rate = 0.001), iterations = 10 }
";
    check(
        kink,
        expect![[r#"
            warning E0505 nonsmooth-in-gradient-step

              ⚠ `norm1` has a kink, and the step of `x` follows gradients
               ╭─[test.admm:4:15]
             3 │ var x, z: real[2]
             4 │ minimize reg: norm1(exp(A*x) - 1) + sum_squares(z)
               ·               ─────────┬─────────
               ·                        ╰── its slope jumps where its argument is 0
             5 │ subject to x - z = 0
               ╰────
              help: steps of a fixed length go to and fro across a kink, so the iterates settle near it and
                    not at it; give what stands inside `norm1` a variable of its own in the other block, `s`,
                    tied by an equation: `norm1` of a variable has a closed-form step

            note E0603 rewritten-loss

              ☞ this is computed in a form that does not round to 0 or infinity
              ╰─▶ exp(u) − 1 → expm1(u)
               ╭─[test.admm:4:21]
             3 │ var x, z: real[2]
             4 │ minimize reg: norm1(exp(A*x) - 1) + sum_squares(z)
               ·                     ──────┬─────
               ·                           ╰── computed in another form
             5 │ subject to x - z = 0
               ╰────
              help: the values are the same, without overflow; `losses = literal` computes what is written
        "#]],
    );
    let linearised = "
let K = [1, 2; 3, 4; 5, 7]
let b = [1, 0, 2]
var x: real[2]
var z: real[3]
minimize norm1(x) + sum_squares(z - b)
subject to K*x - z = 0
split x | z
";
    check(
        linearised,
        expect![[r#"
            note E0602 linearised-step

              ☞ the step of `x` is linearised
              ├─▶ the penalty is taken at the last point with κ = 104 ≥ ‖M‖², where the diagonal of MᵀM is 52
              │   in the mean: steps are shorter by their ratio
              ╰─▶ prox: MᵀM is not diagonal
               ╭─[test.admm:6:10]
             5 │ var z: real[3]
             6 │ minimize norm1(x) + sum_squares(z - b)
               ·          ────┬───
               ·              ╰── has a proximal map, of another argument than the constraint holds
             7 │ subject to K*x - z = 0
               ╰────
              help: it converges, in more iterations than a closed form takes; for one, tie a variable of its
                    own to `x` by a plain equation, `s - x = 0`, and give the function `s`
        "#]],
    );
    let far = "
let A = [1, 2; 3, 4; 5, 7]
let b = [1, 0, 2]
var x, z: real[2]
minimize sum_squares(A*x - b) + norm1(z)
subject to x - z = 0
solve admm { rho = 1e-5 }
";
    check(
        far,
        expect![[r#"
            warning E0604 rho-far-off

              ⚠ ρ = 1e-5 is far below what the data ask for
              ╰─▶ the curvatures balance at ρ = 98.2853: 9828530 times below
               ╭─[test.admm:7:1]
             6 │ subject to x - z = 0
             7 │ solve admm { rho = 1e-5 }
               · ────────────┬────────────
               ·             ╰── stays at 1e-5
               ╰────
              help: ADMM converges at any ρ here, in some thousand iterations for each digit so far off; write
                    `rho = auto`, or `adapt = balanced` to start from this one
        "#]],
    );
    assert_eq!(codes(&far.replace("rho = 1e-5", "rho = 1e-5, adapt = balanced")), []);
    assert_eq!(codes(&far.replace("rho = 1e-5", "rho = 1")), []);
}

/// Batches and a fixed ρ: κ = ρ·rate.
#[test]
fn kappa_has_a_range() {
    let text = |rho: &str| {
        format!(
            "
let X = normal(100, 3, seed = 1)
net f(θ): 3 -> dense 4 tanh -> dense 1
sample x ~ draw(X) batch 10
var θ1, θ2: params(f)
minimize mean(square(f(x; θ1))) + 0.5*sum_squares(θ2)
subject to θ1 - θ2 = 0
solve admm {{ rho = {rho}, x_step = gradient(rate = 0.01), iterations = 5 }}
"
        )
    };
    check(
        &text("1"),
        expect![[r#"
        warning E0604 rho-far-off

          ⚠ κ = ρ·rate is 0.01 here, and does well from 0.1 to 3
          ╰─▶ copies come together in 1/κ = 100 iterations, and move at rate/(2 + κ) = 0.004975124
           ╭─[test.admm:8:1]
         7 │ subject to θ1 - θ2 = 0
         8 │ solve admm { rho = 1, x_step = gradient(rate = 0.01), iterations = 5 }
           · ───────────────────────────────────┬──────────────────────────────────
           ·                                    ╰── ρ = 1, rate 0.01
           ╰────
          help: so weak a penalty lets the copies drift apart under the noise of the batches; write `rho =
                auto`, or `kappa = 1`
    "#]],
    );
    assert_eq!(codes(&text("1000")), [(Code::RhoFarOff, Severity::Warning)]);
    for fine in ["100", "auto", "1, adapt = balanced"] {
        assert_eq!(codes(&text(fine)), [], "{fine}");
    }
}

const TWO_SAMPLES: &str = "
let X = normal(100, 3, seed = 1)
let y = normal(100, seed = 2)
net f(θ): 3 -> dense 4 tanh -> dense 1
sample (Xa, ya) ~ draw(X, y) batch 10
sample (Xb, yb) ~ draw(X, y) batch 10
var θ1, θ2: params(f)
minimize mean(square(f(Xa; θ1) - ya)) + mean(square(f(Xb; θ2) - 2*yb))
subject to tie: θ1 - θ2 = 0
solve admm { iterations = 5, x_step = gradient(rate = 0.01), z_step = gradient(rate = 0.01) }
";

#[test]
fn blocks_that_read_different_batches() {
    check(
        TWO_SAMPLES,
        expect![[r#"
            warning E0508 disagreeing-samples

              ⚠ `Xa` and `Xb` are different batches of `X`, in terms that a constraint ties
              ╰─▶ two draws of 10 and 10 of 100 rows have 1 in common on average
                ╭─[test.admm:8:55]
              4 │ net f(θ): 3 -> dense 4 tanh -> dense 1
              5 │ sample (Xa, ya) ~ draw(X, y) batch 10
                ·         ─┬
                ·          ╰── 10 rows an iteration
              6 │ sample (Xb, yb) ~ draw(X, y) batch 10
                ·         ─┬
                ·          ╰── 10 others
              7 │ var θ1, θ2: params(f)
              8 │ minimize mean(square(f(Xa; θ1) - ya)) + mean(square(f(Xb; θ2) - 2*yb))
                ·                        ─┬                             ─┬
                ·                         │                              ╰── the other block reads `Xb`
                ·                         ╰── one block reads `Xa`
              9 │ subject to tie: θ1 - θ2 = 0
                ·            ────────┬───────
                ·                    ╰── ties the two
             10 │ solve admm { iterations = 5, x_step = gradient(rate = 0.01), z_step = gradient(rate = 0.01) }
                ╰────
              help: the constraint asks both blocks for one value, and each is pulled to what its own rows
                    want: the difference of the two batches goes into λ at every iteration; read `Xa` in both,
                    which is drawn once an iteration, or write `fresh` in an inner method where batches of
                    their own are meant
                    write `Xa` for `Xb` (`admmc check --fix` does it)
        "#]],
    );
    let mended = mended(TWO_SAMPLES);
    assert!(mended.contains("mean(square(f(Xa; θ2) - 2*ya))"), "{mended}");
    assert_eq!(codes(&mended), []);
}

/// What is said to be meant, or is no difference, is left alone.
#[test]
fn batches_that_may_differ() {
    let changed = |from: &str, to: &str| {
        assert!(TWO_SAMPLES.contains(from), "{from}");
        codes(&TWO_SAMPLES.replace(from, to))
    };
    let loud = [(Code::DisagreeingSamples, Severity::Warning)];
    assert_eq!(changed("x_step = gradient(rate = 0.01)", "x_step = gradient(rate = 0.01, fresh)"), []);
    assert_eq!(changed("sample (Xb, yb) ~ draw(X, y) batch 10", "sample (Xb, yb) ~ draw(X, y) fixed 10"), []);
    assert_eq!(changed("f(Xb; θ2) - 2*yb", "f(Xa; θ2) - ya)) + mean(square(f(Xb; θ2) - 2*yb"), []);
    // Other rows of the same table, another table.
    assert_eq!(changed("draw(X, y) batch 10\nvar", "draw(X, 2*y) batch 10\nvar"), loud);
    assert_eq!(changed("draw(X, y) batch 10\nvar", "draw(2*X, 2*y) batch 10\nvar"), []);
    // Another size has no fix.
    let text = TWO_SAMPLES.replace("draw(X, y) batch 10\nvar", "draw(X, y) batch 20\nvar");
    let parsed = remarked(Path::new("test.admm"), &text, &Memory::default());
    assert!(parsed.diags.iter().all(|diag| diag.code == Code::DisagreeingSamples && diag.fix.is_none()));
    assert_eq!(parsed.diags.len(), 1);
}

const BATCH_SUM: &str = "
let X = normal(100, 3, seed = 1)
net f(θ): 3 -> dense 4 tanh -> dense 1
sample x ~ draw(X) batch 10
var θ1, θ2: params(f)
minimize fit: 0.5*sum_squares(f(x; θ1) - 1) + size: 0.5*sum_squares(θ2)
subject to θ1 - θ2 = 0
solve admm { rho = 50, x_step = gradient(rate = 0.01), iterations = 5 }
";

#[test]
fn a_sum_over_a_batch_beside_a_written_rho() {
    check(
        BATCH_SUM,
        expect![[r#"
            warning E0509 sum-with-numeric-rho

              ⚠ ρ = 50 suits a sum over 10 rows, and no other batch
              ╰─▶ κ = ρ·rate = 50·0.01 = 0.5; at ten times the rows a gradient step is as stable at a tenth of
                  the rate, where this ρ has κ = 0.05
               ╭─[test.admm:8:14]
             3 │ net f(θ): 3 -> dense 4 tanh -> dense 1
             4 │ sample x ~ draw(X) batch 10
               ·        ┬
               ·        ╰── 10 rows a batch
             5 │ var θ1, θ2: params(f)
             6 │ minimize fit: 0.5*sum_squares(f(x; θ1) - 1) + size: 0.5*sum_squares(θ2)
               ·                   ────────────┬────────────
               ·                               ╰── 5 times the mean of its rows
             7 │ subject to θ1 - θ2 = 0
             8 │ solve admm { rho = 50, x_step = gradient(rate = 0.01), iterations = 5 }
               ·              ────┬───
               ·                  ╰── stays when the batch changes
               ╰────
              help: the slopes of a sum grow with its rows, and the ρ that balances them with it; `kappa =
                    0.5` is this ρ in units of 1/rate, and moves with the rate that another batch asks for; or
                    take the `mean`, which is another problem: its term weighs 5 times less against the others
                    write `kappa = 0.5` (`admmc check --fix` does it)
        "#]],
    );
    let mended = mended(BATCH_SUM);
    assert!(mended.contains("solve admm { kappa = 0.5, x_step"), "{mended}");
    assert_eq!(codes(&mended), []);
    let changed = |from: &str, to: &str| {
        assert!(BATCH_SUM.contains(from), "{from}");
        codes(&BATCH_SUM.replace(from, to))
    };
    let loud = [(Code::SumWithNumericRho, Severity::Warning)];
    // (Which has an infimum that no point reaches.)
    let held = (Code::UnattainedStep, Severity::Note);
    assert_eq!(changed("0.5*sum_squares(f(x; θ1) - 1)", "sum(log(1 + exp(-f(x; θ1))))/5"), [loud[0], held]);
    // A mean, however it is written.
    assert_eq!(changed("0.5*sum_squares(f(x; θ1) - 1)", "mean(square(f(x; θ1) - 1))"), []);
    assert_eq!(changed("0.5*sum_squares(f(x; θ1) - 1)", "sum_squares(f(x; θ1) - 1)/10"), []);
    assert_eq!(changed("rho = 50", "rho = auto"), []);
    assert_eq!(changed("rho = 50", "rho = 50, adapt = balanced"), []);
    assert_eq!(changed("batch 10", "fixed 10"), []);
    assert_eq!(changed("f(x; θ1)", "f(X; θ1)"), []);
    // Far off is far off: one cause, one code.
    assert_eq!(changed("rho = 50", "rho = 1"), [(Code::RhoFarOff, Severity::Warning)]);
}

/// The text after the only fix.
fn mended(text: &str) -> String {
    let parsed = remarked(Path::new("test.admm"), text, &Memory::default());
    let fixes: Vec<_> = parsed.diags.iter().filter_map(|diag| diag.fix.clone()).collect();
    assert_eq!(fixes.len(), 1, "{}", drawn(&parsed));
    fix::apply(&fixes, FileId(0), text)
}

/// What would make a step a closed form is said where it is asked for.
#[test]
fn explain_names_the_change_that_would_help() {
    let compiled = compiled(
        "let A = normal(30, 4, seed = 1)\nlet y = sign(normal(30, seed = 2))\nvar x, z: real[4]\n\
         minimize logistic(y, A*x) + norm1(z)\nsubject to x - z = 0\n",
    );
    let Compiled { model, split, plan, schedule, .. } = &compiled;
    let text = explain(Subject { model, split, plan, schedule }, Script::Unicode);
    let line = "a variable of its own for Ax, tied by an equation, would give `logistic` a closed form";
    assert!(text.lines().any(|found| found.trim() == line), "{text}");
}

/// Blocks that nothing ties are separate problems, whether the file states them or the solve block asks for a split.
#[test]
fn blocks_that_nothing_ties() {
    check(
        "
var x, z: real[3]
minimize sum_squares(x - 1) + norm1(z)
split x | z
",
        expect![[r#"
            error E0404 unlinked-block

              × no constraint ties `x` to `z`
               ╭─[test.admm:2:8]
             1 │
             2 │ var x, z: real[3]
               ·     ┬  ┬
               ·     │  ╰── in the other block
               ·     ╰── in one block
             3 │ minimize sum_squares(x - 1) + norm1(z)
               ╰────
              help: these are separate problems, each solved by itself: there is no multiplier, and no
                    iteration; tie the blocks by an equation, such as `x - z = 0`
        "#]],
    );
    let copies = "
let X = normal(50, 4, seed = 1)
let y = X[:, 1]
net f(θ): 4 -> dense 8 tanh -> dense 1
var θ1, θ2: params(f)
minimize sum_squares(f(X; θ1) - y) + 0.5*sum_squares(θ2)
solve admm { rho = 1, x_step = gradient(rate = 0.002, steps = 10) }
";
    check(
        copies,
        expect![[r#"
        error E0404 unlinked-block

          × no constraint ties `θ1` to `θ2`
           ╭─[test.admm:5:9]
         4 │ net f(θ): 4 -> dense 8 tanh -> dense 1
         5 │ var θ1, θ2: params(f)
           ·     ─┬  ─┬
           ·      │   ╰── in the other block
           ·      ╰── in one block
         6 │ minimize sum_squares(f(X; θ1) - y) + 0.5*sum_squares(θ2)
           ╰────
          help: these are separate problems, each solved by itself: there is no multiplier, and no
                iteration; tie the blocks by an equation, such as `θ1 - θ2 = 0`
    "#]],
    );
    let tied = copies.replace("solve", "subject to θ1 - θ2 = 0\nsolve");
    assert_eq!(codes(&tied), [(Code::OutsideTheory, Severity::Note)]);
    // What is written without a split and without a wish for one is solved part by part.
    assert_eq!(codes("var x, z: real[3]\nminimize sum_squares(x - 1) + norm1(z)\n"), []);
    // Of members that are tied to each other it is said once that they are not executed yet.
    let chain = "
let X = normal(50, 4, seed = 1)
var w[i in 1 to 4]: real[4]
minimize sum(i in 1 to 4: sum_squares(X*w[i] - 1))
subject to link[i in 1 to 3]: w[i] - w[i+1] = 0
";
    assert_eq!(codes(chain), [(Code::NotYet, Severity::Error)]);
}
