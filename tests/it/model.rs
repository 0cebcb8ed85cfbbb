//! Files that parse and are wrong: each under `tests/cases/model/` with its expected rendering, and
//! its mended twin, which passes. Set `UPDATE_EXPECT=1` to write renderings anew, and read them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use admmc::data::{Disk, Memory};
use admmc::diag::Code;
use admmc::model::{Inputs, fold};
use admmc::pipeline;
use expect_test::{expect, expect_file};

use crate::compile::{checked, drawn};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder is there").flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "admm")).collect();
    files.sort();
    files
}

#[test]
fn every_example_passes() {
    for path in files(&folder("examples")) {
        let text = std::fs::read_to_string(&path).expect("it can be read");
        let (parsed, model) = checked(&path, &text, &Disk);
        assert!(parsed.diags.is_empty(), "{}\n{}", path.display(), drawn(&parsed));
        assert!(model.is_some_and(|model| model.players.iter().all(|player| !player.terms.is_empty())));
    }
}

#[test]
fn wrong_files_are_refused_in_words() {
    let cases = files(&folder("tests/cases/model"));
    assert!(cases.len() >= 35);
    let mut codes = BTreeSet::new();
    for path in cases {
        let text = std::fs::read_to_string(&path).expect("a case is text");
        // Named from the package's root, where tests run: lines break alike wherever that is.
        let place = Path::new("tests/cases/model").join(path.file_name().expect("a file"));
        let (mut parsed, model) = checked(&place, &text, &Disk);
        if let Some(model) = model {
            pipeline::split(&model, &mut parsed.diags);
        }
        let said = drawn(&parsed).replace("tests/cases/model/", "");
        assert!(parsed.diags.has_errors(), "{} is refused", path.display());
        codes.extend(parsed.diags.iter().map(|diag| diag.code.number()));
        expect_file![path.with_extension("expected")].assert_eq(&said);
    }
    let all = Code::ALL
        .iter()
        .map(|code| code.number())
        .filter(|number| number.starts_with("E02") || number.starts_with("E03"));
    assert_eq!(
        all.filter(|number| !codes.contains(number)).collect::<Vec<_>>(),
        Vec::<&str>::new(),
        "each code has a case"
    );
}

#[test]
fn each_wrong_file_has_a_twin_that_passes() {
    let root = folder("tests/cases/model");
    for path in files(&root) {
        let mended = root.join("mended").join(path.file_name().expect("a file"));
        let text = std::fs::read_to_string(&mended).expect("each case has its twin");
        // Data lies beside the wrong file.
        let (mut parsed, model) = checked(&path, &text, &Disk);
        assert!(parsed.diags.is_empty(), "{}", drawn(&parsed));
        // Of the others a twin is well formed, whether or not its problem makes sense.
        let said = std::fs::read_to_string(path.with_extension("expected")).expect("each case has its rendering");
        let of_split = [Code::CoupledTerm, Code::ThirdBlock, Code::UnboundedObjective, Code::GameAsMinimise];
        if of_split.iter().any(|code| said.contains(code.number())) {
            pipeline::split(&model.expect("it has no errors"), &mut parsed.diags);
            assert!(parsed.diags.is_empty(), "{}", drawn(&parsed));
        }
    }
}

/// The text of a model, as `emit --model` prints it.
#[test]
fn models_are_printed() {
    for name in ["toy", "gan", "gan_many", "consensus"] {
        let path = folder("examples").join(name).with_extension("admm");
        let text = std::fs::read_to_string(&path).expect("it can be read");
        let (_, model) = checked(&path, &text, &Disk);
        let printed = model.expect("an example passes").to_string();
        expect_file![folder("tests/cases/model").join(name).with_extension("model")].assert_eq(&printed);
    }
}

#[test]
fn expressions_are_printed_as_mathematics() {
    let text = "
data A = [1, 2; 3, 4]
param mu = 0.5
net D(θ): 2 -> dense 3 relu -> dense 1
sample u ~ normal(2) batch 4
var x, z: real[2]
var θ1, θ2: params(D)
minimize sum_squares(A*x - [1, 2])/2 + mu*norm1(z) + quad_form(x, A) + x'*A*z - 3*norm2(x)^2 + mean(log(1 - sigmoid(D(u; θ1))))
    + sum(exp(-(x + z)./2)) + 0.1*sum_squares(weights(θ2)) + sum(square(θ1.layer1.bias)) + (2 - x[1])*(x[2] - 1)
    + logsumexp(-x) - (x[1] - (x[2] - 1))^2 + huber(x, M = 1e-5) + sum(D(u, until = 1; θ2))
subject to x - z = 0
claim z = (x - λ)/(1 + ρ)
";
    let (parsed, model) = checked(Path::new("made.admm"), text, &Disk);
    let Some(model) = model else { panic!("{}", drawn(&parsed)) };
    let terms: Vec<String> = model.players[0].terms.iter().map(|term| model.unicode(&term.expr)).collect();
    let claim = model.unicode(&model.players[0].claims[0].value);
    expect![[r#"
        ‖Ax − [1, 2]‖²/2
        0.5‖z‖₁
        xᵀAx
        xᵀA·z
        −3‖x‖₂²
        E[log (1 − σ(D(u; θ₁)))]
        Σ (exp ((−(x + z))/2))
        0.1‖weights(θ₂)‖²
        Σ (θ₁[7 to 9]²)
        (2 − x[1])(x[2] − 1)
        logsumexp(−x)
        −(x[1] − (x[2] − 1))²
        huber(x, 1e-5)
        Σ D⁽¹⁾(u; θ₂)
        (x − λ)/(1 + ρ)
    "#]]
    .assert_eq(&format!("{}\n{claim}\n", terms.join("\n")));
}

#[test]
fn memberships_are_printed() {
    let text = "
data l = [0, 1]
param r = 2
let ls = [1, 2, 3]
var x: real[2]
var w[i in 1 to 3]: real[2]
minimize sum_squares(x) + sum(i in 1 to 3: sum_squares(w[i]))
subject to
    x - l in box(l, upper = inf)
    near: x in ball2(r/4)
    0 <= x <= 1, x in nonneg
    each[i in 1 to 3]: w[i] in ball_inf(ls[i])
    all[i in 1 to 3]: w[i] in ball_inf(numel(x))
";
    let (parsed, model) = checked(Path::new("made.admm"), text, &Disk);
    let Some(model) = model else { panic!("{}", drawn(&parsed)) };
    let printed: Vec<String> = model
        .to_string()
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("subject"))
        .map(str::to_owned)
        .collect();
    expect![[r#"
        subject to x − l ∈ box(l, ∞)
        subject to near: x ∈ ball2(0.5)
        subject to −x ≤ 0
        subject to x − 1 ≤ 0
        subject to x ∈ nonneg
        subject to each: wᵢ ∈ ball_inf(lsᵢ), i to 3
        subject to all: wᵢ ∈ ball_inf(2), i to 3"#]]
    .assert_eq(&printed.join("\n"));
}

/// What an expression of known numbers is worth.
fn value(expression: &str) -> f64 {
    let text = format!("{KNOWN}minimize {expression}\n");
    let (parsed, model) = checked(Path::new("made.admm"), &text, &Disk);
    let Some(model) = model else { panic!("{}", drawn(&parsed)) };
    let terms = model.players[0].terms.iter().map(|term| fold(&model, &term.expr).and_then(|value| value.item()));
    terms.map(|term| term.expect("all of it is known")).sum()
}

const KNOWN: &str = "
let A = [1, 2; 3, 4; 5, 6]
let S = [2, 1; 1, 3]
let v = [3, -4]
let w = [0.5, 2]
let scores = [1, 3, 2; 0, -1, 5; 4, 4, 1]
let labels = [1, 2, 1]
net D(θ): 2 -> dense 2 leaky_relu(0.5) -> dense 1
data θ: params(D) = [1, 0, 0, -1, 0.5, 0, 2, 3, 10]
";

#[test]
fn functions_have_their_values() {
    let e = std::f64::consts::E;
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let logsumexp = |x: &[f64]| x.iter().map(|x| x.exp()).sum::<f64>().ln();
    let cross =
        [logsumexp(&[1.0, 3.0, 2.0]) - 3.0, logsumexp(&[0.0, -1.0, 5.0]) - 5.0, logsumexp(&[4.0, 4.0, 1.0]) - 4.0];
    let table: &[(&str, f64)] = &[
        ("2^3 + 2^-1 + 2^0.5", 8.5 + 2f64.sqrt()),
        ("-2^2", -4.0),
        ("v'*w", -6.5),
        ("sum(v*w')", -2.5),
        ("sum(A*v)", -5.0 - 7.0 - 9.0),
        ("sum(A'*A)", 35.0 + 44.0 + 44.0 + 56.0),
        ("sum(v./w) + sum(v.*w) + sum(v.^2)", 6.0 - 2.0 - 6.5 + 25.0),
        ("norm1(v) + norm2(v) + norm_inf(v) + norm_fro(S)", 7.0 + 5.0 + 4.0 + 15f64.sqrt()),
        ("sum_squares(A) + mean(A) + max(A) + min(A)", 91.0 + 3.5 + 6.0 + 1.0),
        ("sum(max(v, 1)) + sum(min(v, w, 0))", 4.0 - 4.0),
        ("quad_form(v, S)", 18.0 - 24.0 + 48.0),
        ("dot(v, w)", -6.5),
        ("huber([0.5, -3], M = 2)", 0.125 + 4.0),
        ("huber(0.5) + huber(3)", 0.125 + 2.5),
        ("logistic([1, -1], [2, 2])", (1.0 + (-2f64).exp()).ln() + (1.0 + 2f64.exp()).ln()),
        ("hinge([1, -1], [0.25, -3])", 0.75),
        ("mse(v, w)", (6.25 + 36.0) / 2.0),
        ("cross_entropy(scores, labels)", cross.iter().sum::<f64>() / 3.0),
        // At the tie of the third row the first column counts, and the label is the second.
        ("accuracy(scores, labels)", 2.0 / 3.0),
        ("coverage(scores)", 3.0),
        ("sum(logsumexp(scores))", cross.iter().sum::<f64>() + 12.0),
        ("sum(softmax(scores))", 3.0),
        ("sum(log_softmax([0, 0]))", -2.0 * 2f64.ln()),
        ("logsumexp([1000, 1000])", 1000.0 + 2f64.ln()),
        ("sum(exp([0, 1])) + log(2) + expm1(1) + log1p(1)", 1.0 + e + 2f64.ln() + e - 1.0 + 2f64.ln()),
        ("sqrt(9) + abs(-2) + square(3) + sign(-5)", 3.0 + 2.0 + 9.0 - 1.0),
        ("sin(pi/2) + cos(π) + tanh(0.5)", 0.5f64.tanh()),
        ("sigmoid(0.3) + softplus(-0.7)", sigmoid(0.3) + (1.0 + (-0.7f64).exp()).ln()),
        ("pos(-2) + pos(3) + neg_part(-2) + relu(0.5)", 0.0 + 3.0 + 2.0 + 0.5),
        ("leaky_relu(-2) + leaky_relu(-2, slope = 0.2) + elu(-1, 2)", -0.02 - 0.4 + 2.0 * (1.0 / e - 1.0)),
        ("elu(1000) + selu(1)", 1000.0 + 1.0507009873554805),
        ("silu(2) + gelu(0)", 2.0 * sigmoid(2.0)),
        ("sum(average(v, w, [1, 1]))", 4.5 / 3.0 - 1.0 / 3.0),
        ("sum(D([1, 1]; θ))", 2.0 * 1.5 + 3.0 * -0.5 + 10.0),
        ("sum(D(A, until = 1; θ)) - sum(D(A[2, :], until = 1; θ))", 1.5 - 1.0 + 5.5 - 3.0),
        ("sum(weights(θ)) + θ.layer2.bias[1] + sum(θ.layer1.weight)", 5.0 + 10.0 + 0.0),
        ("nrows(A) + ncols(A) + numel(A) + nrows(v)", 3.0 + 2.0 + 6.0 + 2.0),
        ("sum(linspace(0, 1, 5)) + sum(range(1, 3)) + sum(range(0, 1, 0.25)) + sum(eye(3))", 2.5 + 6.0 + 2.5 + 3.0),
        ("sum(zeros(3)) + sum(ones(2, 3)) + sum(shard(A, 1, 2)) + sum(concat(v, w, 7))", 6.0 + 10.0 + 8.5),
        ("sum(i in 1 to 3: i*A[i, 1]) + sum(i in 1 to 2: sum(j in 1 to 2: S[i, j]*(i - j)^2))", 22.0 + 2.0),
        ("A[3, 2] + sum(A[1 to 2, :]) + sum(reshape(A, 2, 3)[2, :])", 6.0 + 10.0 + 15.0),
    ];
    for &(expression, expected) in table {
        let found = value(expression);
        assert!((found - expected).abs() <= 1e-12 * (1.0 + expected.abs()), "{expression} is {expected}, not {found}");
    }
}

/// The distance of one normal distribution from another, in closed form: of shifted data the shift
/// squared, of scaled data `(s − 1)²` times the variance.
#[test]
fn the_frechet_distance_is_that_of_normals() {
    let near = |expression: &str, expected: f64| {
        let found = value(expression);
        assert!((found - expected).abs() < 1e-6 * (1.0 + expected), "{expression} is {expected}, not {found}");
    };
    near("frechet(A, A)", 0.0);
    near("frechet(A, A + 2)", 8.0);
    // Means (3, 4), variances 4 and 4.
    near("frechet(A, 3*A)", 36.0 + 64.0 + 4.0 * 8.0);
}

/// Seeds decide, and rows are only put in another order.
#[test]
fn splits_and_random_numbers_repeat() {
    let text = |seed: u32| {
        format!(
            "let (a, b) = split(linspace(1, 100, 100), 30, seed = {seed})\nminimize sum_squares(a) + 1e6*a[1] + sum_squares(b)\n"
        )
    };
    let terms = |seed: u32| {
        let (parsed, model) = checked(Path::new("made.admm"), &text(seed), &Disk);
        let Some(model) = model else { panic!("{}", drawn(&parsed)) };
        model.players[0]
            .terms
            .iter()
            .map(|term| fold(&model, &term.expr).and_then(|v| v.item()).expect("known"))
            .collect::<Vec<f64>>()
    };
    assert_eq!(terms(1), terms(1));
    assert_ne!(terms(1)[1], terms(2)[1]);
    assert_eq!(terms(1)[0] + terms(1)[2], (1..=100).map(|i| f64::from(i * i)).sum::<f64>());
    assert_eq!(value("sum(normal(50, seed = 3) - normal(50, seed = 3))"), 0.0);
    let mean = value("mean(uniform(10000, low = 2, high = 4, seed = 5))");
    assert!((mean - 3.0).abs() < 0.03, "{mean}");
}

/// Overrides of the command line.
#[test]
fn the_command_line_overrides() {
    let text = "param λ = 1\ndata b = csv(\"data/b.csv\")\nvar x: real[numel(b)]\nminimize λ*sum_squares(x - b)\n";
    let path = folder("tests/cases/model").join("made.admm");
    let check = |set: &[(&str, &str)], data: &[(&str, &str)]| {
        let mut parsed = pipeline::parse_text(&path, text, &Disk);
        let mut inputs = Inputs::new(&Disk);
        inputs.set = set.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        inputs.data =
            data.iter().map(|(name, file)| (name.to_string(), folder("tests/cases/model/data").join(file))).collect();
        let model = pipeline::check(&mut parsed, &inputs);
        model.map_or_else(
            || {
                parsed
                    .diags
                    .iter()
                    .map(|diag| format!("{}: {}", diag.code, diag.message))
                    .collect::<Vec<_>>()
                    .join("\n")
            },
            |model| model.to_string().lines().take(4).map(str::trim).collect::<Vec<_>>().join("; "),
        )
    };
    expect!["data b: f64[5]; problem; var x: real[5], init zeros; minimize 1‖x − b‖²"].assert_eq(&check(&[], &[]));
    expect!["data b: f64[4]; problem; var x: real[4], init zeros; minimize 0.5‖x − b‖²"]
        .assert_eq(&check(&[("lambda", "0.5")], &[("b", "short.csv")]));
    expect![[r#"
        E0201: `--set` names `lamda`, and the file has no such parameter
        E0201: `--data` names `c`, and the file has no such data
        E0204: `--set λ=big` gives no number"#]]
    .assert_eq(&check(&[("lamda", "1"), ("λ", "big")], &[("c", "b.csv")]));
}

/// Chains and towers end in one error each, whatever stack the caller has.
#[test]
fn what_grows_without_end_is_refused() {
    let lets = |n: usize, body: fn(usize) -> String| {
        let lets: String = (1..n).map(|k| format!("let a{k} = {}\n", body(k - 1))).collect();
        format!("let a0 = x[1]\n{lets}var x: real[3]\nminimize a{}\n", n - 1)
    };
    let backwards: String = (0..5000).map(|k| format!("let b{k} = b{} + 1\n", k + 1)).collect();
    let texts = [
        lets(60, |k| format!("a{k} + a{k}")),
        lets(5000, |k| format!("a{k} + 1")),
        format!("{backwards}let b5000 = 1\nvar x: real[3]\nminimize sum_squares(x - b0)\n"),
        format!("var x: real[3]\nlet a = {}1\nminimize sum(x)*a\n", "x[1] + ".repeat(900)),
        format!("var x: real[3]\nminimize {}x[1]{}\n", "exp(".repeat(190), ")".repeat(190)),
        "let v = ones(100000)\nvar x: real[3]\nminimize sum(v*v')*sum(x)\n".to_owned(),
        "let v = ones(99999, 99999, 99999)\nvar x: real[3]\nminimize sum(v)*sum(x)\n".to_owned(),
        "var x: real[999999999, 999999999]\nminimize sum(x)\n".to_owned(),
        "sample u ~ normal(999999999, 999999999) batch 999999999\nvar x: real[3]\nminimize sum(u)*sum(x)\n".to_owned(),
        "net f(θ): 1000000 -> dense 1000000\nvar θ: params(f)\nminimize sum(θ)\n".to_owned(),
        "var w[i in 1 to 4000000000]: real[999]\nminimize sum(i in 1 to 9: sum(w[i]))\n".to_owned(),
        "var x: real[3]\nminimize sum(i in 1 to 900000000: i*x[1])\n".to_owned(),
    ];
    for (at, text) in texts.into_iter().enumerate() {
        let (parsed, model) = checked(Path::new("made.admm"), &text, &Disk);
        match at {
            // Deep, but not too deep.
            4 => assert!(model.is_some(), "{}", drawn(&parsed)),
            _ => assert_eq!(parsed.diags.len(), 1, "{}", drawn(&parsed)),
        }
    }
}

#[test]
fn a_table_of_one_column_is_the_matrix_that_is_declared() {
    let files = Memory::default().with("column.csv", "1\n2\n3\n").with("row.csv", "1,NA,3\n");
    let text = "
data B: real[3, 1] = csv(\"column.csv\")
data R: real[1, 3] = csv(\"column.csv\")
data v: real[3] = csv(\"row.csv\", missing = \"NA\")
var U: real[2, 1]
minimize sum_squares(U*B' - ones(2)*R) + sum(known(v) .* v)
";
    let (parsed, model) = checked(Path::new("made.admm"), text, &files);
    let Some(model) = model else { panic!("{}", drawn(&parsed)) };
    let shapes: Vec<&[usize]> = model.data[..3].iter().map(|data| &data.tensor.shape.0[..]).collect();
    assert_eq!(shapes, [&[3, 1][..], &[1, 3], &[3]]);
}
