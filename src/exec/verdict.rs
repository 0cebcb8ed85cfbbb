//! The answer re-checked: objective, constraints and stationarity recomputed in f64 from the
//! variables alone, on the problem as written. Only this gives the word "solved".

use super::outcome::{Checked, Contradiction, Ray, Weighed};
use super::{Buffer, Cpu, Executor, Slot};
use crate::schedule::ir::{Arg, Check, Schedule, StateId, Verdict};

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

/// Recomputes everything from the states, of which `buffers` holds one each. The answer of a device that is
/// far from the host is judged on the processor, which had no part in it.
pub(super) fn judge(verdict: &Verdict, executor: &mut dyn Executor, buffers: &[Buffer]) -> Judged {
    if !executor.is_remote() {
        return judge_here(verdict, executor, buffers);
    }
    let mut cpu = Cpu::new(1);
    let copy = |&buffer: &Buffer| {
        let tensor = executor.read(buffer);
        let copy = cpu.buffer(&tensor.ty());
        cpu.write(copy, &tensor);
        copy
    };
    let copies: Vec<Buffer> = buffers.iter().map(copy).collect();
    judge_here(verdict, &mut cpu, &copies)
}

fn judge_here(verdict: &Verdict, executor: &mut dyn Executor, buffers: &[Buffer]) -> Judged {
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
pub(super) fn contradiction(schedule: &Schedule, executor: &dyn Executor, buffers: &[Buffer]) -> Contradiction {
    let Some(certificate) = &schedule.certificate else { unreachable!("a stop on a certificate has one") };
    let mut rows: Vec<Weighed> = Vec::new();
    for (coupling, (name, state)) in certificate.rows.iter().enumerate() {
        let weights = executor.read(buffers[state.0 as usize]).to_f64();
        let named = |row: usize| if weights.len() == 1 { name.clone() } else { format!("{name}[{}]", row + 1) };
        let own = weights.iter().enumerate();
        rows.extend(own.map(|(row, &weight)| Weighed { coupling, name: named(row), weight }));
    }
    rows.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
    let most = rows.first().map_or(0.0, |row| row.weight.abs());
    rows.retain(|row| row.weight.abs() > COUNTS * most);
    Contradiction { rows, gap: executor.item(buffers[certificate.gap.0 as usize]) }
}

/// The direction along which the objective falls without end.
pub(super) fn ray(schedule: &Schedule, executor: &dyn Executor, buffers: &[Buffer]) -> Ray {
    let Some(certificate) = &schedule.certificate else { unreachable!("a stop on a certificate has one") };
    let read = |state: StateId| executor.read(buffers[state.0 as usize]).to_f64();
    let mut moves: Vec<(String, Vec<f64>)> = Vec::new();
    for (name, now, kept) in &certificate.moves {
        let step = read(*now).iter().zip(read(*kept).iter()).map(|(now, kept)| now - kept).collect();
        moves.push((name.clone(), step));
    }
    let length = moves.iter().flat_map(|(_, step)| step).map(|x| x * x).sum::<f64>().sqrt();
    moves.iter_mut().flat_map(|(_, step)| step).for_each(|x| *x /= length);
    Ray { moves, fall: executor.item(buffers[certificate.fall.0 as usize]) }
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
