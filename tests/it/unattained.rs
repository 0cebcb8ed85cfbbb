//! E0511: terms that fall for ever along a shift of what they are of.

use admmc::diag::{Code, Severity};
use expect_test::expect;

use crate::remarks::{check, remarked_text};

const NETWORK: &str = "
let X = normal(12, 3, seed = 1)
let F = normal(12, 3, seed = 2)
net D(θ): 3 -> dense 4 relu -> dense 1
net S(θ): 3 -> dense 4 relu -> dense 1 sigmoid
net T(θ): 3 -> dense 4 relu -> dense 1 relu
";

/// What E0511 says of a text: severity and message.
fn found(text: &str) -> Vec<(Severity, String)> {
    let parsed = remarked_text(text);
    assert!(!parsed.diags.has_errors(), "{text}\n{}", crate::compile::drawn(&parsed));
    let own = parsed.diags.iter().filter(|diag| diag.code == Code::UnattainedStep);
    own.map(|diag| (diag.severity, diag.message.clone())).collect()
}

#[test]
fn a_class_for_each_block_is_held_by_the_penalty() {
    check(
        &format!(
            "{NETWORK}var θ1, θ2: params(D)
maximize on_real: mean(log(sigmoid(D(X; θ1)))) + on_fake: mean(log(1 - sigmoid(D(F; θ2))))
subject to tie: θ2 - θ1 = 0
solve admm {{ rho = auto, x_step = gradient(rate = 0.1), z_step = gradient(rate = 0.1), iterations = 10 }}
"
        ),
        expect![[r#"
            note E0603 rewritten-loss

              ☞ 2 losses are computed in a form that does not round to 0 or infinity
              ├─▶ log(sigmoid(u)) → −softplus(−u)
              ╰─▶ 1 − sigmoid(u) → sigmoid(−u)
               ╭─[test.admm:8:24]
             7 │ var θ1, θ2: params(D)
             8 │ maximize on_real: mean(log(sigmoid(D(X; θ1)))) + on_fake: mean(log(1 - sigmoid(D(F; θ2))))
               ·                        ───────────┬──────────                  ─────────────┬────────────
               ·                                   │                                         ╰── and this
               ·                                   ╰── computed in another form
             9 │ subject to tie: θ2 - θ1 = 0
               ╰────
              help: the values are the same, without overflow; `losses = literal` computes what is written

            note E0511 unattained-step

              ☞ `on_real` and `on_fake` have infima that no point reaches, each in its own step: the penalty
              │ alone makes a minimiser
              ╰─▶ each of them falls strictly along that shift, from wherever one stands, and is bounded below
               ╭─[test.admm:8:19]
             7 │ var θ1, θ2: params(D)
             8 │ maximize on_real: mean(log(sigmoid(D(X; θ1)))) + on_fake: mean(log(1 - sigmoid(D(F; θ2))))
               ·                   ──────────────┬─────────────            ────────────────┬───────────────
               ·                                 │                                         ╰── falls for ever as the last bias of `D` in `θ2` falls
               ·                                 ╰── falls for ever as the last bias of `D` in `θ1` rises
             9 │ subject to tie: θ2 - θ1 = 0
               ╰────
              help: where such a step ends is for λ and ρ to say, not for the data it sees, of one class alone
                    for example; a split whose blocks hold each other bears that, but not a ρ near 0, where
                    they drift apart: `rho = auto` keeps the balance
        "#]],
    );
}

#[test]
fn one_class_and_nothing_else() {
    check(
        &format!(
            "{NETWORK}var θ: params(D)\nminimize mean(softplus(-D(X; θ)))\nsolve adam {{ rate = 0.1, iterations = 10 }}\n"
        ),
        expect![[r#"
            warning E0511 unattained-step

              ⚠ term 1 has an infimum that no point reaches, and nothing else holds `θ`
              ╰─▶ it falls strictly along that shift, from wherever one stands, and is bounded below
               ╭─[test.admm:8:10]
             7 │ var θ: params(D)
             8 │ minimize mean(softplus(-D(X; θ)))
               ·          ────────────┬───────────
               ·                      ╰── falls for ever as the last bias of `D` in `θ` rises
             9 │ solve adam { rate = 0.1, iterations = 10 }
               ╰────
              help: every step finds a lower value further out, so `θ` grows until the iterations run out, and
                    where it stops means nothing; give it a term that rises, such as `0.01*sum_squares(θ)`, or
                    data of the other class
        "#]],
    );
}

#[test]
fn by_table() {
    let of = |net: &str, objective: &str| {
        let text = format!(
            "{NETWORK}let y = ones(12)\nlet m = sign(X[:, 1])\nvar θ: params({net})\nvar w: real[3]\nvar b: real\nminimize {objective}\nsolve gd {{ rate = 0.1, iterations = 10 }}\n"
        );
        found(&text).len()
    };
    let falls = [
        ("D", "mean(softplus(-D(X; θ)))"),
        ("D", "-mean(log(sigmoid(D(X; θ))))"),
        ("S", "-mean(log(S(X; θ)))"),
        ("S", "-mean(log(1 - S(X; θ)))"),
        ("D", "mean(exp(-D(X; θ)))"),
        ("D", "logistic(y, D(X; θ))/12"),
        ("D", "logistic(-2*y, D(X; θ)) + 0.1*sum_squares(w - 1)"),
        ("D", "mean(softplus(-D(X; θ))) + mean(softplus(1 - 2*D(F; θ)))"),
        ("D", "mean(softplus(-(X*w + b))) + 0.1*sum_squares(w)"),
        ("D", "sum(exp(w)) + 0.1*square(b)"),
    ];
    let stays = [
        ("D", "mean(softplus(-D(X; θ))) + mean(softplus(D(F; θ)))"),
        ("D", "mean(softplus(-D(X; θ))) + 0.01*sum_squares(θ)"),
        ("D", "logistic(m, D(X; θ))/12"),
        ("D", "mean(max(0, 1 - D(X; θ)))"),
        ("T", "mean(softplus(-T(X; θ)))"),
        ("D", "mse(D(X; θ), y)"),
        ("D", "mean(softplus(-X*w)) + 0.1*sum_squares(w)"),
        ("D", "mean(softplus(-(X*w + b))) + 0.1*square(b)"),
        ("D", "sum(exp(w)) + sum(exp(-w))"),
    ];
    for (net, objective) in falls {
        assert_eq!(of(net, objective), 1, "{objective}");
    }
    for (net, objective) in stays {
        assert_eq!(of(net, objective), 0, "{objective}");
    }
}

/// A penalty that does not move the shift is none.
#[test]
fn a_penalty_on_the_weights_alone_does_not_hold_the_bias() {
    let text = format!(
        "{NETWORK}var θ: params(D)\nvar W: real[4, 3]\nminimize mean(softplus(-D(X; θ))) + norm1(W)\n\
         subject to θ.layer1.weight - W = 0\nsolve admm {{ x_step = gradient(rate = 0.1), iterations = 10 }}\n"
    );
    assert_eq!(found(&text).len(), 1);
    assert_eq!(found(&text)[0].0, Severity::Warning);
    let whole = text.replace("θ.layer1.weight - W", "θ - W").replace("W: real[4, 3]", "W: params(D)");
    assert_eq!(found(&whole)[0].0, Severity::Note);
}
