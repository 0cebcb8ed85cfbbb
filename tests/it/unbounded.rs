//! Objectives without a least value are refused, E0501, and no others are: false alarms would be worse.

use std::path::{Path, PathBuf};

use admmc::data::{Disk, Memory};
use admmc::diag::{Code, Style, fix, render};
use admmc::model::Inputs;
use admmc::pipeline;
use admmc::source::FileId;
use expect_test::expect;

use crate::compile::{checked, drawn};

const NETWORKS: &str = "
let X = normal(12, 3, seed = 1)
let y = normal(12, seed = 2)
net D1(a): 3 -> dense 1
net D2(b): 3 -> dense 4 relu -> dense 1
net D3(c): 3 -> dense 4 leaky_relu(0.2) -> dense 4 relu -> dense 1
net T3(d): 3 -> dense 4 tanh -> dense 4 tanh -> dense 1
net M3(e): 3 -> dense 4 tanh -> dense 4 relu -> dense 1
net S2(f): 3 -> dense 4 relu -> dense 1 sigmoid
net B2(g): 3 -> dense 4 relu -> dense 1 tanh
sample u ~ normal(3) batch 5
";

/// The certificates of what E0501 says of a text.
fn found(text: &str) -> Vec<String> {
    let (mut parsed, model) = checked(Path::new("made.admm"), text, &Memory::default());
    let Some(model) = model else { panic!("{text}\n{}", drawn(&parsed)) };
    pipeline::split(&model, &mut parsed.diags);
    let own = parsed.diags.iter().filter(|diag| diag.code == Code::UnboundedObjective);
    own.map(|diag| diag.certificate.join(" | ")).collect()
}

#[test]
fn networks_fall_as_fast_as_their_layers_make_them() {
    let cases = [
        ("D1", "mean(log(sigmoid(D1(X; θ))))"),
        ("D2", "mean(log(sigmoid(D2(X; θ))))"),
        ("D3", "mean(log(sigmoid(D3(X; θ))))"),
        ("D3", "mean(log(1 - sigmoid(D3(u; θ))))"),
        ("D3", "-mean(softplus(D3(u; θ)))"),
        ("T3", "mean(log(sigmoid(T3(X; θ))))"),
        ("M3", "mean(log(sigmoid(M3(X; θ))))"),
        ("S2", "mean(log(S2(X; θ)))"),
        ("S2", "mean(log(1 - S2(X; θ)))"),
        ("D2", "mean(D2(X; θ))"),
        ("D2", "-mse(D2(X; θ), y)"),
        ("D3", "mean(log(sigmoid(D3(X; θ)))) + 0.5*sum_squares(θ)"),
        ("D2", "mean(log(sigmoid(D2(X; θ)))) + norm1(θ)"),
    ];
    let said: Vec<String> = cases
        .iter()
        .map(|(net, objective)| {
            let text = format!("{NETWORKS}var θ: params({net})\nminimize {objective}\n");
            let [certificate] = &found(&text)[..] else { panic!("{objective} is refused once") };
            format!("{objective}\n    {certificate}\n")
        })
        .collect();
    expect![[r#"
        mean(log(sigmoid(D1(X; θ))))
            log(sigmoid(u)) → −∞ as u → −∞, as fast as u | `D1` has 1 layer of weights: along tθ, t → ∞, its outputs can go like t
        mean(log(sigmoid(D2(X; θ))))
            log(sigmoid(u)) → −∞ as u → −∞, as fast as u | `D2` has 2 layers of weights: along tθ, t → ∞, its outputs can go like t^2
        mean(log(sigmoid(D3(X; θ))))
            log(sigmoid(u)) → −∞ as u → −∞, as fast as u | `D3` has 3 layers of weights: along tθ, t → ∞, its outputs can go like t^3
        mean(log(1 - sigmoid(D3(u; θ))))
            log(1 − sigmoid(u)) → −∞ as u → ∞, as fast as −u | `D3` has 3 layers of weights: along tθ, t → ∞, its outputs can go like t^3
        -mean(softplus(D3(u; θ)))
            `D3` has 3 layers of weights: along tθ, t → ∞, its outputs can go like t^3
        mean(log(sigmoid(T3(X; θ))))
            log(sigmoid(u)) → −∞ as u → −∞, as fast as u | `T3` has 3 layers of weights: along tθ, t → ∞, its outputs can go like t
        mean(log(sigmoid(M3(X; θ))))
            log(sigmoid(u)) → −∞ as u → −∞, as fast as u | `M3` has 3 layers of weights: along tθ, t → ∞, its outputs can go like t^2
        mean(log(S2(X; θ)))
            log(sigmoid(u)) → −∞ as u → −∞, as fast as u | `S2` has 2 layers of weights: along tθ, t → ∞, its outputs can go like t^2
        mean(log(1 - S2(X; θ)))
            log(1 − sigmoid(u)) → −∞ as u → ∞, as fast as −u | `S2` has 2 layers of weights: along tθ, t → ∞, its outputs can go like t^2
        mean(D2(X; θ))
            `D2` has 2 layers of weights: along tθ, t → ∞, its outputs can go like t^2
        -mse(D2(X; θ), y)
            `D2` has 2 layers of weights: along tθ, t → ∞, its outputs can go like t^2, the term like −t^4
        mean(log(sigmoid(D3(X; θ)))) + 0.5*sum_squares(θ)
            log(sigmoid(u)) → −∞ as u → −∞, as fast as u | `D3` has 3 layers of weights: along tθ, t → ∞, its outputs can go like t^3
        mean(log(sigmoid(D2(X; θ)))) + norm1(θ)
            log(sigmoid(u)) → −∞ as u → −∞, as fast as u | `D2` has 2 layers of weights: along tθ, t → ∞, its outputs can go like t^2
    "#]].assert_eq(&said.concat());
}

#[test]
fn networks_that_something_stops_pass() {
    let cases = [
        ("D2", "-mean(log(sigmoid(D2(X; θ))))", ""),
        ("D2", "mean(log(sigmoid(D2(X; θ)))) + 0.5*sum_squares(θ)", ""),
        ("D1", "mean(log(sigmoid(D1(X; θ)))) + norm1(θ)", ""),
        ("D3", "mean(log(sigmoid(D3(X; θ))))", "subject to -1 <= θ <= 1"),
        ("D3", "mean(log(sigmoid(D3(X; θ))))", "subject to θ in ball2(1)"),
        ("D3", "mean(D3(X; θ)) - mean(D3(u; θ))", ""),
        ("D3", "mse(D3(X; θ), y)", ""),
        ("D3", "norm1(D3(X; θ) - y) + 0.1*sum_squares(θ)", ""),
        ("S2", "mean(S2(X; θ))", ""),
        ("B2", "mean(B2(X; θ))", ""),
        ("B2", "mean(log(sigmoid(B2(X; θ))))", ""),
        ("D3", "mean(max(0, 1 - D3(X; θ))) + mean(max(0, 1 + D3(u; θ)))", ""),
        ("D3", "mean(D3(X; θ)) + mean(exp(-D3(u; θ)))", ""),
    ];
    for (net, objective, rest) in cases {
        let text = format!("{NETWORKS}var θ: params({net})\nminimize {objective}\n{rest}\n");
        assert_eq!(found(&text), Vec::<String>::new(), "{objective} {rest}");
    }
}

/// The first GAN: its generator minimises log(1 − D(G(u))), which falls as long as the discriminator lets it.
#[test]
fn the_generator_of_the_first_gan_passes() {
    let text = "
let X = normal(12, 3, seed = 1)
net G(φ): 2 -> dense 8 relu -> dense 3
net D(θ): 3 -> dense 8 relu -> dense 1
sample u ~ normal(2) batch 5
player discriminator {
    var θ: params(D)
    maximize mean(log(sigmoid(D(X; θ)))) + mean(log(1 - sigmoid(D(G(u; generator.φ); θ))))
}
player generator {
    var φ: params(G)
    minimize mean(log(1 - sigmoid(D(G(u; φ); discriminator.θ))))
}
solve play as game {
    repeat 3 times {
        gd discriminator { rate = 0.1, iterations = 1 }
        gd generator { rate = 0.1, iterations = 1 }
    }
}
";
    assert_eq!(found(text), Vec::<String>::new());
}

#[test]
fn numbers_that_nothing_stops_are_refused() {
    let cases = [
        "sum(x)",
        "c'*x",
        "-sum_squares(x)",
        "x[1]*x[2]",
        "sum_squares(x[1] - x[2]) + x[1]",
        "sum(log(x))",
        "sum(log(x)) + sum_squares(x)",
        "-sum_squares(x) + 5*norm1(x)",
        "sum(exp(-x)) - sum(x)",
        "-sum(sqrt(x))",
        "-sum(abs(x))",
        "-sum(exp(x)) + sum_squares(x)",
        "x[1]*x[2] + 5*norm1(x)",
        "square(x[1]) - 0.5*square(x[2]) + 3*huber(x) + sum(tanh(x))",
        "c'*x + sum(tanh(x))",
    ];
    let said: Vec<String> = cases
        .iter()
        .map(|objective| {
            let text = format!("data c = [1; -2; 0]\nvar x: real[3]\nminimize {objective}\n");
            let [certificate] = &found(&text)[..] else { panic!("{objective} is refused once") };
            format!("{objective}\n    {certificate}\n")
        })
        .collect();
    expect![[r#"
        sum(x)
            with every element of `x` at −t it falls like −t as t → ∞
        c'*x
            the direction is −0.5·x[1] + x[2] | t times along it the objective changes like −2.5 t
        -sum_squares(x)
            with every element of `x` at t it falls like −t^2 as t → ∞
        x[1]*x[2]
            the direction is −x[1] + x[2] | t times along it the objective changes like −1 t²
        sum_squares(x[1] - x[2]) + x[1]
            the direction is −x[1] − x[2] | t times along it the objective changes like −1 t
        sum(log(x))
            log(u) → −∞ as u → 0 | with every element of `x` at 1/t it falls like −log t as t → ∞
        sum(log(x)) + sum_squares(x)
            log(u) → −∞ as u → 0 | with every element of `x` at 1/t it falls like −log t as t → ∞
        -sum_squares(x) + 5*norm1(x)
            with every element of `x` at t it falls like −t^2 as t → ∞
        sum(exp(-x)) - sum(x)
            with every element of `x` at t it falls like −t as t → ∞
        -sum(sqrt(x))
            with every element of `x` at t it falls like −t^0.5 as t → ∞
        -sum(abs(x))
            with every element of `x` at t it falls like −t as t → ∞
        -sum(exp(x)) + sum_squares(x)
            with every element of `x` at t it falls like −exp(t) as t → ∞
        x[1]*x[2] + 5*norm1(x)
            the direction is −x[1] + x[2] | t times along it the objective changes like −1 t²
        square(x[1]) - 0.5*square(x[2]) + 3*huber(x) + sum(tanh(x))
            the direction is x[2] | t times along it the objective changes like −0.5 t²
        c'*x + sum(tanh(x))
            the direction is −0.5·x[1] + x[2] | t times along it the objective changes like −2.5 t
    "#]]
    .assert_eq(&said.concat());
}

#[test]
fn numbers_that_something_stops_pass() {
    let cases = [
        ("c'*x + norm1(x)", ""),
        ("c'*x + sum_squares(x)", ""),
        ("c'*x", "subject to x >= 0"),
        ("c'*x", "subject to sum(x) = 1"),
        ("-sum_squares(x)", "subject to -1 <= x <= 1"),
        ("-sum_squares(x) + sum(x.^4)", ""),
        ("sum(x.^2) - sum(log(x))", ""),
        ("sum(x) - sum(log(x))", ""),
        ("sum(exp(x)) - sum(x)", ""),
        ("logsumexp(x) - x[1]", ""),
        ("sum_squares(A*x - c)", ""),
        ("sum_squares(A*x - c)/2 + 0.001*sum(x)", "subject to x >= 0"),
        ("x'*A'*A*x - 2*c'*A*x", ""),
        ("sum_squares(x - z) - 0.1*sum_squares(z) + sum_squares(z - c)", ""),
        ("sum(x .* log(x))", ""),
        ("sum(tanh(x))", ""),
        ("x[1]*x[2] + sum(x.^4)", ""),
        ("x[1]*x[2] + sum(exp(x))", ""),
        ("c'*x + 0.1*norm2(x)", ""),
    ];
    for (objective, rest) in cases {
        let z = if objective.contains('z') { ", z" } else { "" };
        let text = format!(
            "data c = [1; -2; 0]\ndata A = [1, 2, 3; 2, 4, 6.000001; 0, 0, 1]\nvar x{z}: real[3]\nminimize {objective}\n{rest}\n"
        );
        assert_eq!(found(&text), Vec::<String>::new(), "{objective} {rest}");
    }
}

/// Without its data a file lacks terms, maybe those that bound the others.
#[test]
fn files_without_their_data_pass() {
    let text = "data A = csv(\"A.csv\")\nvar x: real[3]\nminimize sum(x) + sum_squares(A*x)\n";
    let files = Memory::default();
    let mut parsed = pipeline::parse_text(Path::new("made.admm"), text, &files);
    pipeline::check_all(&mut parsed, &Inputs { bind: false, ..Inputs::new(&files) });
    assert!(parsed.diags.iter().all(|diag| diag.code != Code::UnboundedObjective), "{}", drawn(&parsed));
}

/// What the fix writes passes.
#[test]
fn maximising_mends_it() {
    let text = "
let X = normal(20, 3, seed = 1)
net D(θ): 3 -> dense 8 relu -> dense 1
player teacher {
    var θ1, θ2: params(D)
    minimize real: mean(log(sigmoid(D(X; θ1)))) + fake: mean(log(1 - sigmoid(D(2*X; θ2))))
    subject to θ1 - θ2 = 0
}
";
    let (mut parsed, model) = checked(Path::new("made.admm"), text, &Memory::default());
    pipeline::split(&model.expect("it is well formed"), &mut parsed.diags);
    let fixes: Vec<_> = parsed.diags.iter().filter_map(|diag| diag.fix.clone()).collect();
    let fixed = fix::apply(&fixes, FileId(0), text);
    assert_eq!(fixed, text.replace("minimize", "maximize"));
    assert_eq!(found(&fixed), Vec::<String>::new());
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the folder is there").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "admm") {
            found.push(path);
        }
    }
}

/// Every example and every case with a trusted answer.
#[test]
fn nothing_that_is_solved_is_refused() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = Vec::new();
    ["examples", "tests/cases/convex", "tests/cases/networks"]
        .iter()
        .for_each(|name| files(&root.join(name), &mut all));
    assert!(all.len() > 80, "{}", all.len());
    for path in all {
        let mut parsed = pipeline::parse(&path, &Disk).expect("it can be read");
        let Some(model) = pipeline::check(&mut parsed, &Inputs::new(&Disk)) else { continue };
        pipeline::split(&model, &mut parsed.diags);
        let said: Vec<String> = parsed
            .diags
            .iter()
            .filter(|diag| diag.code == Code::UnboundedObjective)
            .map(|diag| render(diag, &parsed.sources, Style::default()))
            .collect();
        assert!(said.is_empty(), "{}", said.concat());
    }
}
