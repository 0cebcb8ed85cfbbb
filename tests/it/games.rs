//! Games that are written as one objective, E0510; and what looks like one, and is none.

use std::path::Path;

use admmc::data::Memory;
use admmc::diag::{Code, Severity};
use admmc::model::Inputs;
use admmc::pipeline::{self, Parsed};
use expect_test::expect;

use crate::compile::drawn;

const NETWORKS: &str = "
let X = normal(40, 2, seed = 1)
let U = normal(40, 2, seed = 2)
let y = sign(X[:, 1])
net G(g): 2 -> dense 4 relu -> dense 2
net D(d): 2 -> dense 4 relu -> dense 1
net S(s): 2 -> dense 4 relu -> dense 1 sigmoid
sample u ~ normal(2) batch 20
sample (Xb, yb) ~ draw(X, y) batch 20
";

fn of(text: &str) -> Parsed {
    let files = Memory::default();
    let mut parsed = pipeline::parse_text(Path::new("test.admm"), text, &files);
    if !parsed.diags.has_errors() {
        pipeline::check_all(&mut parsed, &Inputs::new(&files));
    }
    parsed
}

/// How an objective in θ, θ2 = θ and φ is taken: the severity of E0510.
fn severity(vars: &str, objective: &str) -> Option<Severity> {
    let text = format!("{NETWORKS}{vars}\n{objective}\nsolve adam {{ rate = 1e-3, iterations = 10 }}\n");
    let parsed = of(&text);
    let strange =
        parsed.diags.iter().find(|diag| diag.severity == Severity::Error && diag.code != Code::GameAsMinimise);
    assert!(strange.is_none(), "{}", drawn(&parsed));
    parsed.diags.iter().find(|diag| diag.code == Code::GameAsMinimise).map(|diag| diag.severity)
}

#[test]
fn two_losses_in_one_objective_are_a_game() {
    let text = format!(
        "{NETWORKS}var θ: params(D)
var φ: params(G)
minimize real: -mean(log(sigmoid(D(Xb; θ)))) + fake: -mean(log(1 - sigmoid(D(G(u; φ); θ))))
    + fool: -mean(log(sigmoid(D(G(u; φ); θ)))) + 0.001*sum_squares(φ)
"
    );
    expect![[r#"
        error E0510 game-as-minimise

          × this is a game of `θ` against `φ`, written as one objective
          ├─▶ the derivative of `fake` in u = D(G(u; φ); θ) lies between 0 and 1
          ╰─▶ the derivative of `fool` in u = D(G(u; φ); θ) lies between −1 and 0
            ╭─[test.admm:12:54]
         11 │ var φ: params(G)
         12 │ minimize real: -mean(log(sigmoid(D(Xb; θ)))) + fake: -mean(log(1 - sigmoid(D(G(u; φ); θ))))
            ·                                                      ───────────────────┬──────────────────
            ·                                                                         ╰── wants `D` to be low on what `G` makes
         13 │     + fool: -mean(log(sigmoid(D(G(u; φ); θ)))) + 0.001*sum_squares(φ)
            ·             ─────────────────┬────────────────
            ·                              ╰── wants `D` to be high on what `G` makes
            ╰────
          help: minimised together, `θ` and `φ` each work for what the other wants too; a game has no
                Lagrangian that both sides minimise, so steps over blocks of one objective have nothing to
                converge to; on the smallest game, `θ*φ`, they circle for ever. Give each a player:
                player discriminator {
                    var θ: params(D)
                    minimize -mean(log(sigmoid(D(Xb; θ)))) - mean(log(1 - sigmoid(D(G(u; φ); θ))))
                }
                player generator {
                    var φ: params(G)
                    minimize -mean(log(sigmoid(D(G(u; φ); θ)))) + 0.001*sum_squares(φ)
                }
                solve play as game {
                    repeat 1000 times {
                        adam discriminator { rate = 1e-3 }
                        adam generator { rate = 1e-3 }
                    }
                }
    "#]].assert_eq(&drawn(&of(&text)));
}

#[test]
fn a_generator_among_the_variables_of_its_discriminator_is_a_game() {
    let text = format!(
        "{NETWORKS}var θ1, θ2: params(D)
var φ: params(G)
maximize mean(log(sigmoid(D(X; θ1)))) + mean(log(1 - sigmoid(D(G(u; φ); θ2))))
subject to θ1 - θ2 = 0
"
    );
    expect![[r#"
        error E0510 game-as-minimise

          × this is a game of `θ1` = `θ2` against `φ`, written as one objective
          ├─▶ the derivative of term 2 in u = D(G(u; φ); θ2) lies between −1 and 0
          ╰─▶ the derivative of term 1 in u = D(X; θ1) lies between 0 and 1
            ╭─[test.admm:12:41]
         11 │ var φ: params(G)
         12 │ maximize mean(log(sigmoid(D(X; θ1)))) + mean(log(1 - sigmoid(D(G(u; φ); θ2))))
            ·          ──────────────┬─────────────   ───────────────────┬──────────────────
            ·                        │                                   ╰── wants `D` to be low on what `G` makes
            ·                        ╰── wants `D` to be high on `X`
         13 │ subject to θ1 - θ2 = 0
            ╰────
          help: `φ`, minimised along with `θ1` = `θ2`, helps `D` instead of opposing it; a game has no
                Lagrangian that both sides minimise, so steps over blocks of one objective have nothing to
                converge to; on the smallest game, `θ*φ`, they circle for ever. Give each a player:
                player discriminator {
                    var θ1, θ2: params(D)
                    minimize -mean(log(sigmoid(D(X; θ1)))) - mean(log(1 - sigmoid(D(G(u; φ); θ2))))
                    subject to θ1 - θ2 = 0
                }
                player generator {
                    var φ: params(G)
                    minimize -mean(log(sigmoid(D(G(u; φ); θ2))))
                }
                solve play as game {
                    repeat 1000 times {
                        adam discriminator { rate = 1e-3 }
                        adam generator { rate = 1e-3 }
                    }
                }
    "#]]
    .assert_eq(&drawn(&of(&text)));
}

/// The players that the help writes are a game without fault.
#[test]
fn the_players_that_are_proposed_compile() {
    let objectives = [
        "var θ: params(D)\nvar φ: params(G)\nminimize real: -mean(log(sigmoid(D(Xb; θ)))) + fake: -mean(log(1 - sigmoid(D(G(u; φ); θ))))
    + fool: -mean(log(sigmoid(D(G(u; φ); θ)))) + 0.001*sum_squares(φ)\n",
        "var θ1, θ2: params(D)\nvar φ: params(G)\nmaximize mean(log(sigmoid(D(X; θ1)))) + mean(log(1 - sigmoid(D(G(u; φ); θ2))))
subject to θ1 - θ2 = 0\n",
    ];
    for objective in objectives {
        let parsed = of(&format!("{NETWORKS}{objective}"));
        let help = parsed.diags.iter().find_map(|diag| diag.help.clone()).expect("it helps");
        let (_, players) = help.split_once("Give each a player:\n").expect("with players");
        let codes = crate::remarks::codes(&format!("{NETWORKS}{players}\n"));
        assert!(codes.is_empty(), "{codes:?}\n{players}");
    }
}

#[test]
fn a_term_and_its_negative_are_a_game() {
    let text = "
let A = [1, 2; 3, 4]
var x, y: real[2]
minimize x'*A*y + sum_squares(x) - x'*A*y
";
    expect![[r#"
        error E0510 game-as-minimise

          × term 1 and term 3 are one function of `x` and `y` with opposite signs
          ├─▶ term 1 = xᵀA·y
          ╰─▶ term 3 = −xᵀA·y
           ╭─[test.admm:4:36]
         3 │ var x, y: real[2]
         4 │ minimize x'*A*y + sum_squares(x) - x'*A*y
           ·          ───┬──                    ───┬──
           ·             │                         ╰── undoes the other
           ·             ╰── the same, with the other sign
           ╰────
          help: added up they say nothing of what either wants; a game has no Lagrangian that both sides
                minimise, so steps over blocks of one objective have nothing to converge to; on the
                smallest game, `θ*φ`, they circle for ever. If two sides are meant, write a `player` block
                for each, with its variables and its own sign, and `solve play as game { … }`
    "#]]
    .assert_eq(&drawn(&of(text)));
}

#[test]
fn games_are_told_by_their_slopes() {
    let both = "var θ: params(D)\nvar φ: params(G)";
    let noise = [
        // Wasserstein, hinge, softplus, a sigmoid inside the network; signs from `maximize` and `-`.
        "minimize mean(D(G(u; φ); θ)) - mean(D(X; θ)) + 0.01*sum_squares(θ)^2 + norm2(φ)",
        "minimize mean(max(1 - D(X; θ), 0)) + mean(max(1 + D(G(u; φ); θ), 0))",
        "maximize -mean(softplus(-D(Xb; θ))) - mean(softplus(D(G(u; φ); θ)))",
        "minimize mean(softplus(D(G(u; φ); θ) - mean(D(X; θ)))) + sum_squares(θ)",
        "minimize -mean(log(1 - sigmoid(D(G(u; φ); θ)))) + 0.5*mean(log(1 - sigmoid(D(G(u; φ); θ))))",
    ];
    for objective in noise {
        assert_eq!(severity(both, objective), Some(Severity::Error), "{objective}");
    }
    let closed = "var θ: params(S)\nvar φ: params(G)";
    let objective = "maximize mean(log(S(X; θ))) + mean(log(1 - S(G(u; φ); θ)))";
    assert_eq!(severity(closed, objective), Some(Severity::Error));
    // Of data it may be a classifier behind an encoder.
    let objective = "maximize mean(log(sigmoid(D(X; θ)))) + mean(log(1 - sigmoid(D(G(U; φ); θ))))";
    assert_eq!(severity(both, objective), Some(Severity::Warning));
}

#[test]
fn what_has_one_aim_is_left_alone() {
    let both = "var θ: params(D)\nvar φ: params(G)";
    let left_alone = [
        // A classifier behind an encoder, its loss with labels, in one term or in two.
        "minimize mean(softplus(-yb.*D(G(Xb; φ); θ)))",
        "minimize -mean((1 + y).*log(sigmoid(D(G(X; φ); θ)))) - mean((1 - y).*log(1 - sigmoid(D(G(X; φ); θ))))",
        // An encoder of both classes, apart.
        "minimize mean(softplus(-D(G(X; φ); θ))) + mean(softplus(D(G(U; φ); θ)))",
        // What G makes is to be high alone; the squares have no sure slope.
        "minimize mean(softplus(-D(G(u; φ); θ))) + mse(D(X; θ), y)",
        "minimize mse(D(G(X; φ); θ), y) + mean(softplus(D(X; θ)))",
        // Noise without a generator: contrastive estimation.
        "minimize mean(softplus(-D(X; θ))) + mean(softplus(D(u; θ))) + sum_squares(φ)",
    ];
    for objective in left_alone {
        assert_eq!(severity(both, objective), None, "{objective}");
    }
    let plain = "var x, z: real[2]";
    let left_alone = [
        "minimize sum_squares(x) - 2*sum(x) + sum_squares(z)",
        "minimize sum_squares(x - 1) - sum(x) + sum(x) + sum_squares(z)",
        "minimize sum_squares(X*x - y) - 0.5*sum_squares(x) + sum_squares(z)",
        "minimize norm1(x) - 0.1*norm2(x) + sum_squares(x - z)",
        // A variable meets itself.
        "minimize 3*(x'*x) - x'*x + sum_squares(z)",
        "minimize sum_squares(x - z) + 2*sum_squares(x) + z'*x - 0.5*sum_squares(z)",
    ];
    for objective in left_alone {
        assert_eq!(severity(plain, objective), None, "{objective}");
    }
}

/// A player whose objective is bounded the other way is told so inside its braces.
#[test]
fn the_wrong_sign_of_a_player_is_mended() {
    let text = format!(
        "{NETWORKS}player discriminator {{
    var θ: params(D)
    minimize mean(log(sigmoid(D(Xb; θ)))) + mean(log(1 - sigmoid(D(G(u; φ); θ))))
}}
player generator {{
    var φ: params(G)
    maximize mean(log(sigmoid(D(G(u; φ); θ))))
}}
solve play as game {{
    repeat 10 times {{ adam discriminator {{ rate = 1e-3 }}, adam generator {{ rate = 1e-3 }} }}
}}
"
    );
    let parsed = of(&text);
    let codes: Vec<Code> = parsed.diags.iter().map(|diag| diag.code).collect();
    assert_eq!(codes, [Code::UnboundedObjective], "{}", drawn(&parsed));
    let fix = parsed.diags.iter().find_map(|diag| diag.fix.clone()).expect("it has a repair");
    let (id, file) = parsed.sources.iter().next().expect("there is a file");
    let mended = admmc::diag::fix::apply(&[fix], id, &file.text);
    assert_eq!(mended, text.replace("minimize mean", "maximize mean"));
    assert_eq!(crate::remarks::codes(&mended), []);
}
