//! Bytes of an iteration against the least that was counted by hand: every product reads its factors and writes its
//! result, and what is elementwise between two products is one sweep that reads and writes what it must.

use admmc::exec::cuda::PassLoad;

use super::{admmc, ended, libraries};
use crate::examples;

/// Numbers of a product of `rows × inner` with `inner × columns`.
fn product(rows: usize, inner: usize, columns: usize) -> usize {
    rows * inner + inner * columns + rows * columns
}

/// Numbers of a network's layer going forwards: the product, then a sweep from it and the biases to the activations.
fn forwards(batch: usize, inputs: usize, outputs: usize) -> usize {
    product(batch, inputs, outputs) + outputs + 2 * batch * outputs
}

/// Numbers of a layer going back from what is wanted of its outputs: the slope is that at the product, which is read
/// again with the biases. Then the gradients: of the biases a sum over the batch, of the weights a product, of the inputs
/// another.
fn slope(batch: usize, outputs: usize) -> usize {
    outputs + 3 * batch * outputs
}
fn to_weights(batch: usize, inputs: usize, outputs: usize) -> usize {
    product(inputs, batch, outputs) + batch * outputs + outputs
}
fn to_inputs(batch: usize, inputs: usize, outputs: usize) -> usize {
    product(batch, outputs, inputs)
}

/// A network of these widths from its inputs to its output, which is a number a row.
fn network(batch: usize, widths: &[usize]) -> usize {
    widths.windows(2).map(|pair| forwards(batch, pair[0], pair[1])).sum()
}

/// And back to its parameters. The slope at the output is part of the sweep that made it.
fn back(batch: usize, widths: &[usize]) -> usize {
    let layers: Vec<[usize; 2]> = widths.windows(2).map(|pair| [pair[0], pair[1]]).collect();
    let weights: usize = layers.iter().map(|&[inputs, outputs]| to_weights(batch, inputs, outputs)).sum();
    // The first layer's inputs are data.
    let inputs: usize = layers[1..].iter().map(|&[inputs, outputs]| to_inputs(batch, inputs, outputs)).sum();
    let slopes: usize = layers[..layers.len() - 1].iter().map(|&[_, outputs]| slope(batch, outputs)).sum();
    weights + inputs + slopes
}

/// Holds an example's bytes against a count by hand, in numbers of so many bytes.
fn check(name: &str, numbers: usize, bytes: usize) {
    let schedule = examples::compiled(name).schedule;
    let load = PassLoad::of(&schedule).expect("an example iterates").total();
    let ratio = load.bytes as f64 / (numbers * bytes) as f64;
    eprintln!("{name}: {} bytes, {} by hand: {ratio:.3}", load.bytes, numbers * bytes);
    assert!((0.95..1.2).contains(&ratio), "{name}: {ratio}");
}

#[test]
fn toy() {
    let (n, widths, parameters) = (64, [1, 16, 16, 1], 321);
    let gradient = network(n, &widths) + n + back(n, &widths);
    // A step reads θ1, its gradient, λ and θ2, and writes θ1. Behind ten of them: θ1, θ2 and λ are read for the
    // others, with the gradient for the residual; θ2 and λ are written.
    check("toy", 10 * (gradient + 5 * parameters) + gradient + 6 * parameters, 8);
}

#[test]
fn lasso() {
    let (m, n) = (100, 300);
    // K twice and half of its factor twice: by the matrix-inversion lemma.
    let matrices = 2 * m * n + m * (m + 1);
    // The right side is made of z, λ and p; t = Kq, s = (I + KKᵀ/ρ)⁻¹t, Kᵀs; then x and what over-relaxation makes of it
    // for the multipliers, with y read for the acceleration: x, Bz, r̂, λ̂ and y⁺ are written.
    let x_step = (3 + 1) * n + (n + m) + (m + m) + (m + n) + (1 + 1 + 3) * n + 5 * n;
    // r̂, λ, x, Bz and λ̂ are read, z, λ and Bz written.
    check("lasso", matrices + x_step + 8 * n, 8);
}

#[test]
fn gan() {
    let n = 64;
    let (g, d) = ([16, 64, 64, 64], [64, 64, 64, 1]);
    let parameters = |widths: &[usize]| -> usize { widths.windows(2).map(|pair| (pair[0] + 1) * pair[1]).sum() };
    // A batch of digits is gathered, noise is made.
    let draws = n + 2 * n * 64 + n * 16;
    let (x_step, z_step) = (network(n, &d) + back(n, &d), network(n, &d) + back(n, &d));
    // Both gradients, θ1, θ2, λ and what residuals are smoothed by are read; θ1, θ2, their average, λ, Bz and the
    // smoothed are written.
    let discriminator = 12 * parameters(&d);
    // Through the discriminator, whose parameters stand still, to the generator's.
    let through: usize = to_inputs(n, 64, 1) + 2 * (slope(n, 64) + to_inputs(n, 64, 64));
    let generator = network(n, &g) + network(n, &d) + through + slope(n, 64) + back(n, &g);
    // The gradient, φ and two moments are read, the last three written.
    let adam = 7 * parameters(&g);
    check("gan", draws + x_step + z_step + discriminator + generator + adam, 4);
}

/// What is counted from a plan is what the device's own counters find of a sweep.
#[test]
fn a_sweep_reads_and_writes_what_was_counted() {
    let Some(libraries) = libraries("bytes::a_sweep_reads_and_writes_what_was_counted") else { return };
    let place = tempfile::tempdir().expect("a folder for the test");
    let text = "let b = normal(50000, seed = 1)\nvar x: real[50000]\nminimize sum_squares(x - b) + sum_squares(x)\n\
                solve gd { rate = 0.1, iterations = COUNT }\n";
    let bytes = |count: &str| {
        std::fs::write(place.path().join("p.admm"), text.replace("COUNT", count)).expect("a file for the test");
        let mut command = admmc(&["run", "p.admm", "--device", "cuda", "--quiet", "--out", "out"], &libraries);
        let report = place.path().join("report.json");
        command.current_dir(place.path()).env("SWCUDA_REPORT", &report).env("XDG_CACHE_HOME", place.path());
        let (_, out, err) = ended(command);
        let Ok(report) = std::fs::read_to_string(report) else { return None };
        let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
        assert_eq!(report["faults"], serde_json::json!([]), "{out}{err}");
        let kernels = report["kernels"].as_object().expect("counters by kernel").values();
        let sectors = |kernel: &serde_json::Value, of: &str| kernel[of].as_u64().expect("a count");
        Some(
            kernels
                .map(|kernel| 32 * (sectors(kernel, "load_sectors") + sectors(kernel, "store_sectors")))
                .sum::<u64>(),
        )
    };
    let (Some(few), Some(many)) = (bytes("20"), bytes("60")) else {
        eprintln!("cuda::bytes counted nothing: the device is no software");
        return;
    };
    let mut explain = admmc(&["explain", "p.admm", "--device", "cuda"], &libraries);
    explain.current_dir(place.path());
    let (_, told, _) = ended(explain);
    let row = told.lines().find(|line| line.trim_start().starts_with("every time")).expect("a row of sums");
    // `every time  1  0  1 200 032  …`: the numbers stand two spaces or more apart.
    let counted: f64 = row
        .split("  ")
        .filter(|part| !part.trim().is_empty())
        .nth(3)
        .expect("a column")
        .replace(' ', "")
        .parse()
        .expect("a number");
    let ratio = (many - few) as f64 / 40.0 / counted;
    assert!((0.95..1.2).contains(&ratio), "{} bytes an iteration, {counted} counted", (many - few) / 40);
}
