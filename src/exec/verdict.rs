//! The answer re-checked: objective, constraints and stationarity recomputed in f64 from the
//! variables alone, on the problem as written. Only this gives the word "solved".

use super::outcome::Checked;
use super::{Buffer, Executor, Slot};
use crate::schedule::ir::{Arg, Check, Schedule, Verdict};

/// How much looser than the stopping test the re-check is: the test reads norms in the working
/// precision, and one more iteration can move the point by its own residual.
const SLACK: f64 = 10.0;

/// The share of the heaviest row that a row of a certificate must have to be named: less is what the
/// iteration has not settled yet.
const COUNTS: f64 = 1e-3;

/// What the re-check found.
pub(super) struct Judged {
    pub terms: Vec<Checked>,
    pub constraints: Vec<Checked>,
    pub stationarity: Vec<Checked>,
    /// The dual bound of the objective.
    pub bound: Option<f64>,
    /// Whether every residual is within its bound.
    pub holds: bool,
}

/// Recomputes everything from the states, of which `buffers` holds one each.
pub(super) fn judge(verdict: &Verdict, executor: &mut dyn Executor, buffers: &[Buffer]) -> Judged {
    let mut evaluate = |check: &Check| evaluate(check, executor, buffers);
    let terms: Vec<Checked> = verdict
        .terms
        .iter()
        .map(|check| Checked { label: check.label.clone(), value: evaluate(check)[0], bound: None })
        .collect();
    // Outside the domain of a term, a hair beyond it too, there is no objective to speak of.
    let mut holds = terms.iter().all(|term| term.value.is_finite());
    let bound = verdict.bound.as_ref().map(|bound| {
        let part = |part: &Check| {
            let sums = evaluate(part);
            sums[0] - (sums[1] * sums[2]).sqrt()
        };
        let least: f64 = bound.parts.iter().map(part).sum();
        if bound.maximize { -least } else { least }
    });
    let mut residuals = |checks: &[Check]| -> Vec<Checked> {
        checks
            .iter()
            .map(|check| {
                let outputs = evaluate(check);
                let value = outputs[0].sqrt();
                let bound = verdict.tol.map(|tol| SLACK * tol * outputs[1].sqrt());
                if let Some(bound) = bound {
                    // An infinite residual is within no bound, not even an infinite one.
                    holds &= value.is_finite() && value <= bound;
                }
                Checked { label: check.label.clone(), value, bound }
            })
            .collect()
    };
    let constraints = residuals(&verdict.constraints);
    let stationarity = residuals(&verdict.stationarity);
    Judged { bound: bound.filter(|bound| bound.is_finite()), terms, constraints, stationarity, holds }
}

/// The rows of a proof that no point meets the constraints, those that weigh most first.
pub(super) fn certificate(schedule: &Schedule, executor: &dyn Executor, buffers: &[Buffer]) -> Vec<(String, f64)> {
    let mut rows: Vec<(String, f64)> = Vec::new();
    for (name, state) in &schedule.certificate {
        let weights = executor.read(buffers[state.0 as usize]).to_f64();
        let named = |row: usize| if weights.len() == 1 { name.clone() } else { format!("{name}[{}]", row + 1) };
        rows.extend(weights.iter().enumerate().map(|(row, &weight)| (named(row), weight)));
    }
    rows.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
    let most = rows.first().map_or(0.0, |row| row.1.abs());
    rows.retain(|row| row.1.abs() > COUNTS * most);
    rows
}

/// Runs a check in f64, summing its outputs over the members.
fn evaluate(check: &Check, executor: &mut dyn Executor, buffers: &[Buffer]) -> Vec<f64> {
    let slot = |arg: &Arg| Slot { buffer: buffers[arg.state.0 as usize], member: arg.member };
    let inputs: Vec<Slot> = check.inputs.iter().map(slot).collect();
    let outputs: Vec<Slot> =
        check.program.outputs.iter().map(|output| executor.buffer(check.program.ty(output.value)).into()).collect();
    let call = executor.bind(&check.program, &inputs, &outputs);
    let mut sums = vec![0.0; outputs.len()];
    for member in 0..check.over.unwrap_or(1) {
        executor.run(call, member);
        for (sum, output) in sums.iter_mut().zip(&outputs) {
            *sum += executor.item(output.buffer);
        }
    }
    sums
}
