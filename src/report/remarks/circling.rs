//! E0702 as a warning: a run at the end of its iterations whose residuals neither fall nor grow, but come back again
//! and again. Read off the rows of the trace.
//!
//! Over the second half of the rows, `c² = ρ‖r‖² + ‖s‖²/ρ`: the line of least squares through log c changes by less
//! than a factor of 2, and what is left of log c looks like itself after some number of rows, of which there are
//! three at least. Where it does not, but a cause is measured, it is said as well: what overshoots may wander.

use super::{Ran, causes};
use crate::diag::{Code, Diag, Severity, digits};
use crate::exec::outcome::Row;

/// Rows that there have to be, and that are looked at.
const FEWEST: usize = 40;
const MOST: usize = 2000;

/// By how much the line may change.
const LEVEL: f64 = 2.0;

/// How alike a series and itself some rows later are.
const ALIKE: f64 = 0.5;

/// Times that it has to come back.
const TIMES: usize = 3;

/// How much it has to swing, the largest over the least: less is no circle but a standstill.
const SWING: f64 = 1.02;

pub(super) fn remark(ran: &Ran) -> Option<Diag> {
    // Exact convex steps don't stay on a circle: of these slowness is all there is to see.
    ran.admm().filter(|plan| plan.is_tested() && !plan.is_nonexpansive())?;
    let trace = &ran.outcome.trace;
    let rows = &trace[trace.len() - (trace.len() / 2).min(MOST)..];
    if rows.len() < FEWEST {
        return None;
    }
    let logs: Vec<f64> = rows.iter().filter_map(combined).filter(|log| log.is_finite()).collect();
    if logs.len() < rows.len() {
        return None;
    }
    let (flat, change) = levelled(&logs);
    if change.abs() > LEVEL.ln() {
        return None;
    }
    // Residuals may stay as they are while everything else swings.
    let objectives: Vec<f64> = rows.iter().filter_map(|row| row.value("objective")).collect();
    let swings = |series: &[f64], least: f64| {
        let (low, high) = ends(series.iter().copied());
        high - low > least
    };
    let size = objectives.iter().fold(0.0f64, |size, x| size.max(x.abs()));
    let by_residuals = swings(&flat, SWING.ln()).then(|| period(&flat)).flatten();
    let by_objective = swings(&objectives, (SWING - 1.0) * size).then(|| period(&levelled(&objectives).0)).flatten();
    let period = by_residuals.or(by_objective);
    let causes = causes::all(ran);
    let wanders = swings(&flat, SWING.ln()) && causes.first().is_some_and(|cause| cause.measured);
    if period.is_none() && !wanders {
        return None;
    }
    let apart = rows[1].iteration - rows[0].iteration;
    let span = |name: &str| {
        let (low, high) = ends(rows.iter().filter_map(|row| row.value(name)));
        format!("between {} and {}", digits(low, 4), digits(high, 4))
    };
    let how = if period.is_some() { "the iteration goes round" } else { "the iteration comes no nearer" };
    let words = match period {
        Some(period) => format!("comes back about every {} iterations", period * apart),
        None => "wanders".to_string(),
    };
    let message = format!("{how}: for {} iterations the residuals neither fall nor grow", rows.len() * apart);
    let mut diag = ran.at_solve(Code::Diverging, message).severity(Severity::Warning).here(words).certify(format!(
        "‖r‖ swings {}, ‖s‖ {}, the objective {}",
        span("primal"),
        span("dual"),
        span("objective")
    ));
    for cause in &causes {
        diag = diag.certify(cause.shown.clone());
    }
    for (at, words) in causes.iter().filter_map(|cause| cause.at.clone()) {
        diag = diag.label(at, words);
    }
    let stays = "more iterations go the same way";
    Some(match causes.first() {
        Some(cause) => diag.help(format!("{stays}; {}", cause.instead)),
        None => diag.help(format!("{stays}; write another `rho`, or `rho = auto`, or less of `relax`")),
    })
}

/// log c of a row.
fn combined(row: &Row) -> Option<f64> {
    let (primal, dual, rho) = (row.value("primal")?, row.value("dual")?, row.value("rho")?);
    Some(0.5 * (rho * primal * primal + dual * dual / rho).ln())
}

/// The least and the largest.
fn ends(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)))
}

/// What is left beside the line of least squares, and by how much the line changes.
fn levelled(logs: &[f64]) -> (Vec<f64>, f64) {
    let count = logs.len() as f64;
    let middle = (count - 1.0) / 2.0;
    let mean = logs.iter().sum::<f64>() / count;
    let centred = || logs.iter().enumerate().map(|(at, log)| (at as f64 - middle, log - mean));
    let (top, bottom) = centred().fold((0.0, 0.0), |(top, bottom), (t, y)| (top + t * y, bottom + t * t));
    let slope = top / bottom;
    (centred().map(|(t, y)| y - slope * t).collect(), slope * count)
}

/// After how many rows a series comes back to itself: where its correlation with itself is largest, once it has been
/// below nothing.
fn period(series: &[f64]) -> Option<usize> {
    let all: f64 = series.iter().map(|x| x * x).sum();
    let alike = |lag: usize| {
        let product: f64 = series.iter().zip(&series[lag..]).map(|(a, b)| a * b).sum();
        product / all * series.len() as f64 / (series.len() - lag) as f64
    };
    let longest = series.len() / TIMES;
    let turned = (1..=longest).find(|&lag| alike(lag) < 0.0)?;
    let (lag, best) = (turned..=longest).map(|lag| (lag, alike(lag))).max_by(|a, b| a.1.total_cmp(&b.1))?;
    // A multiple of the period is as good: the first that is nearly so.
    let first = (turned..=lag).find(|&lag| alike(lag) > 0.9 * best && (lag == longest || alike(lag) >= alike(lag + 1)));
    (best > ALIKE).then(|| first.unwrap_or(lag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods() {
        let wave = |period: f64| -> Vec<f64> {
            (0..200).map(|at| (std::f64::consts::TAU * f64::from(at) / period).sin()).collect()
        };
        assert_eq!(period(&wave(20.0)), Some(20));
        assert_eq!(period(&wave(2.5)).map(|period| period % 5), Some(0));
        assert_eq!(period(&[1.0, -1.0].repeat(50)), Some(2));
        let falling: Vec<f64> = (0..200).map(|at| (-0.01 * f64::from(at)).exp()).collect();
        assert_eq!(period(&levelled(&falling).0), None);
    }
}
