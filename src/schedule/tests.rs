//! Inner methods: the first step of each is what its formula gives, written out here in plain numbers.

use std::path::Path;

use crate::data::Memory;
use crate::exec::{Cpu, Executor, Nobody, Reference, run};
use crate::host::Still;
use crate::model::Inputs;
use crate::pipeline;

/// `B`, `b`, `η`, `ρ`, `w` and the start of the problem below.
const B: [[f64; 2]; 3] = [[1.0, 2.0], [0.0, -1.0], [3.0, 0.5]];
const RIGHT: [f64; 3] = [1.0, -2.0, 0.5];
const ETA: f64 = 0.05;
const RHO: f64 = 2.0;
const WEIGHT: f64 = 0.7;
const START: [f64; 2] = [1.0, -0.5];
/// The diagonal of MᵀM.
const GRAM: [f64; 2] = [1.0, 4.0];

/// Rounding of the few sums of a step.
const ROUNDING: f64 = 1e-14;

/// `x` after one iteration of `½‖Bx − b‖² + w‖x‖₁ + ½‖z‖²`, `(x₁, 2x₂) = z`, by an inner method.
fn stepped(method: &str, coupling: &str, executor: &mut dyn Executor) -> Vec<f64> {
    let text = format!(
        "
let B = [1, 2; 0, -1; 3, 0.5]
let b = [1, -2, 0.5]
let s = [1, 2]
var x: real[2], init = [1; -0.5]
var z: real[2]
minimize sum_squares(B*x - b)/2 + {WEIGHT}*norm1(x) + sum_squares(z)/2
subject to {coupling} - z = 0
split x | z
solve admm {{ rho = {RHO}, relax = 1, iterations = 1, adapt = fixed, x_step = {method} }}
"
    );
    let files = Memory::default();
    let mut parsed = pipeline::parse_text(Path::new("test.admm"), &text, &files);
    let model = pipeline::check(&mut parsed, &Inputs::new(&files)).expect("the text is right");
    let compiled = pipeline::compile(model, None, &mut parsed.diags).expect("every step has a rule");
    let outcome = run(&compiled.schedule, executor, &Still::default(), &mut Nobody, 0).expect("no checkpoint");
    outcome.answer("x").expect("`x` is a result").to_f64().into_vec()
}

/// `Bᵀ(Bv − b)`
fn slope(v: [f64; 2]) -> [f64; 2] {
    let rows: Vec<f64> = B.iter().zip(RIGHT).map(|(row, b)| row[0] * v[0] + row[1] * v[1] - b).collect();
    [0, 1].map(|at| B.iter().zip(&rows).map(|(row, r)| row[at] * r).sum())
}

fn soft(x: f64, t: f64) -> f64 {
    x - x.clamp(-t, t)
}

fn close(found: &[f64], expected: [f64; 2], tolerance: f64) {
    for (a, b) in found.iter().zip(expected) {
        assert!((a - b).abs() <= tolerance * b.abs().max(1.0), "{found:?} and not {expected:?}");
    }
}

/// A gradient step in the metric `F = D/η + ρMᵀM`, D a number for each coordinate.
fn expected(d: [f64; 2], moved: [f64; 2]) -> [f64; 2] {
    [0, 1].map(|at| {
        let f = d[at] / ETA + RHO * GRAM[at];
        soft((d[at] * START[at] / ETA - moved[at]) / f, WEIGHT / f)
    })
}

#[test]
fn a_gradient_step_ends_in_the_map() {
    let g = slope(START);
    for executor in [&mut Cpu::new(1) as &mut dyn Executor, &mut Reference::new()] {
        let found = stepped(&format!("gradient(rate = {ETA})"), "s.*x", executor);
        close(&found, expected([1.0, 1.0], g), ROUNDING);
    }
}

/// At the first step m̂ = g and v̂ = g², so that D = |g| + ε: the thresholds differ from coordinate to coordinate.
#[test]
fn adams_metric_is_that_of_the_map() {
    let g = slope(START);
    let found = stepped(&format!("adam(rate = {ETA}, epsilon = 1e-8)"), "s.*x", &mut Cpu::new(1));
    close(&found, expected(g.map(|g| g.abs() + 1e-8), g), 1e-12);
}

/// Of a full MᵀM: `F = 1/η + ρκ` at `v − F⁻¹(∇s + ρMᵀMv)`, with κ no less than ‖M‖² = 13.09.
#[test]
fn a_full_penalty_is_linearised() {
    let found = stepped(&format!("gradient(rate = {ETA})"), "[1, 2; 3, 1]*x", &mut Cpu::new(1));
    let gram = [[10.0, 5.0], [5.0, 5.0]];
    let g = slope(START);
    let force = [0, 1].map(|at| g[at] + RHO * (gram[at][0] * START[0] + gram[at][1] * START[1]));
    // κ follows from the first coordinate, and gives the second.
    let kappas = (0..4000).map(|k| 13.0 + 0.001 * f64::from(k));
    let step = |kappa: f64| {
        let f = 1.0 / ETA + RHO * kappa;
        [0, 1].map(|at| soft(START[at] - force[at] / f, WEIGHT / f))
    };
    let off = |kappa: &f64| (step(*kappa)[0] - found[0]).abs();
    let kappa = kappas.min_by(|a, b| off(a).total_cmp(&off(b))).expect("some are tried");
    close(&found, step(kappa), 1e-5);
    // The largest eigenvalue of MᵀM by its characteristic polynomial.
    assert!(kappa > 0.5 * (15.0 + 125f64.sqrt()) - 1e-3, "{kappa}");
}

/// Many accelerated steps end at the minimiser of the step: a proximal gradient step from there stays there.
#[test]
fn accelerated_steps_minimise_the_step() {
    for (coupling, gram) in [("s.*x", [[1.0, 0.0], [0.0, 4.0]]), ("[1, 2; 3, 1]*x", [[10.0, 5.0], [5.0, 5.0]])] {
        let found = stepped("fista(steps = 1000, tol = 1e-12)", coupling, &mut Cpu::new(1));
        let v = [found[0], found[1]];
        let g = slope(v);
        let t = 0.01;
        let next = [0, 1].map(|at| {
            let whole = g[at] + RHO * (gram[at][0] * v[0] + gram[at][1] * v[1]);
            soft(v[at] - t * whole, t * WEIGHT)
        });
        close(&found, next, 1e-11);
    }
}
