//! Random batches: how much of a multiplier is noise.

use admmc::schedule::ir::title;

use crate::compile::{compiled, end};

const NOISY: &str = "
let X = normal(50, 2, seed = 1)
sample a ~ draw(X) batch 5
var x, z: real[2]
minimize mean(square(a*x - 1)) + sum_squares(z)
subject to link: x - z = 0
solve admm { iterations = ITERATIONS, rho = 1, precision = f64, x_step = gradient(rate = 0.1) }
";

/// λ after every iteration, by runs of that many; what the last row of the trace says is what follows from them.
#[test]
fn the_mean_of_a_multiplier_over_its_deviation() {
    let (mut mean, mut variance) = ([0.0, 0.0], 0.0);
    for iterations in 1..=130 {
        let outcome = end(&compiled(&NOISY.replace("ITERATIONS", &iterations.to_string())));
        let mut duals = outcome.answers.iter().filter(|answer| title(&answer.name, &answer.role) == "dual(link)");
        let lambda = duals.next().expect("it has a multiplier").tensor.to_f64().into_vec();
        let count = f64::min(iterations as f64, 100.0);
        let away = [lambda[0] - mean[0], lambda[1] - mean[1]];
        mean = [mean[0] + away[0] / count, mean[1] + away[1] / count];
        variance += (away[0] * away[0] + away[1] * away[1] - variance) / count;
        let expected = mean[0].hypot(mean[1]) / variance.sqrt();
        let row = outcome.trace.last().expect("it is recorded");
        let (_, found) = row.values.iter().find(|(name, _)| name == "lambda_over_sd").expect("it is recorded");
        assert!((found - expected).abs() <= 1e-9 * expected, "{iterations}: {found} {expected}");
    }
    // Over all rows at once nothing is random, and nothing of the kind is recorded.
    let whole = NOISY.replace("sample a ~ draw(X) batch 5\n", "let a = X\n").replace("ITERATIONS", "10");
    let outcome = end(&compiled(&whole));
    assert!(outcome.trace.iter().flat_map(|row| &row.values).all(|(name, _)| name != "lambda_over_sd"));
}
