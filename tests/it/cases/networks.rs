//! Networks at given weights, `tests/cases/networks/`: objectives and gradients against those of
//! backpropagation written by hand.
//!
//! One step of descent at rate 1 moves the weights by the gradient; the one at rate 1e-300 leaves them,
//! and its terms are the objectives.

use std::path::PathBuf;

use admmc::data::{Disk, read_named};
use admmc::exec::Outcome;
use admmc::pipeline::Compiled;

use super::arrays::Array;
use super::compile;
use crate::compile::execute;

/// Relative, of an objective.
const OBJECTIVE: f64 = 1e-9;

/// Relative, of a gradient.
const GRADIENT: f64 = 1e-8;

fn file(case: &str, name: &str) -> PathBuf {
    super::root().join("networks").join(case).join(name)
}

/// How a compiled file is run.
type Execute<'a> = &'a dyn Fn(&Compiled) -> Outcome;

fn solve(execute: Execute, case: &str, solve: &str, rate: &str) -> Outcome {
    let compiled = compile(&file(case, &format!("{case}.admm")), &[("rate", rate)], Some(solve));
    execute(&compiled.unwrap_or_else(|errors| panic!("{errors:?}")))
}

/// The objective of that label at the given weights.
fn holds_objective(execute: Execute, case: &str, block: &str, label: &str, expected: f64) {
    let outcome = solve(execute, case, block, "1e-300");
    let term = outcome.terms.iter().find(|term| term.label == label).expect("the term has that label");
    assert!((term.value - expected).abs() <= OBJECTIVE * expected, "{label}: {} and {expected}", term.value);
}

/// The gradient with respect to a network's parameters; of two layers, W1, b1, W2, b2.
fn holds_gradient(execute: Execute, case: &str, block: &str, variable: &str, weights: &str, prefix: &str) {
    let outcome = solve(execute, case, block, "1");
    let after = outcome.answer(variable).expect("the parameters are an answer").to_f64();
    let named = read_named(&Disk, &file(case, weights)).expect("the weights are there");
    let mut at = 0;
    for (name, entry) in
        [("layer1.weight", "W1"), ("layer1.bias", "b1"), ("layer2.weight", "W2"), ("layer2.bias", "b2")]
    {
        let (_, before) = named.iter().find(|(found, _)| found == name).expect("the layer is there");
        let n = before.numel();
        let moved: Vec<f64> =
            before.to_f64().iter().zip(&after[at..at + n]).map(|(before, after)| before - after).collect();
        at += n;
        let expected = Array::read(&file(case, &format!("expected/{prefix}{entry}.csv")));
        // Weights are stored [out, in]; the expected ones multiply rows of data from the right.
        let gradient = if entry.starts_with('W') {
            Array::new(expected.cols, expected.rows, moved).transpose()
        } else {
            Array::column(moved)
        };
        let off = gradient.minus(&expected).squares().sqrt() / expected.squares().sqrt();
        assert!(off <= GRADIENT, "{case} {entry}: {off:.2e}");
    }
    assert_eq!(at, after.len());
}

pub(crate) fn check_mlp(execute: Execute) {
    holds_objective(execute, "net_mlp_4_32_1", "step", "loss", 0.5889369069360432);
    holds_gradient(execute, "net_mlp_4_32_1", "step", "θ", "weights.safetensors", "grad_");
}

pub(crate) fn check_gan(execute: Execute) {
    holds_objective(execute, "net_gan_8x8", "teach", "loss_D", 1.2529733371019323);
    holds_objective(execute, "net_gan_8x8", "learn", "loss_G", 0.6720302473803157);
    holds_gradient(execute, "net_gan_8x8", "teach", "θ", "D.safetensors.gz", "grad_D_");
    holds_gradient(execute, "net_gan_8x8", "learn", "φ", "G.safetensors.gz", "grad_G_");
}

#[test]
fn net_mlp_4_32_1() {
    check_mlp(&execute);
}

#[test]
fn net_gan_8x8() {
    check_gan(&execute);
}
