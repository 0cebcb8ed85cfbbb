//! Whether a run leaves for infinity, from the rows of its trace alone: a run that was stopped and resumed is
//! judged like one in one go, and a row costs three logarithms.
//!
//! ```text
//! size² = max(ρ‖r‖², ‖s‖²/ρ), or |F| of a descent      both have the units of the objective
//! diverged:   size² > 1e12 · max over the first rows of size² and |F|,   and log size² rises over the last rows
//! ```
//!
//! Measured from the first rows, not from the least: a run may escape from a saddle where it began with residuals
//! of rounding, and all that is then in the objective is in it at the start. An iteration of exact convex steps is
//! nonexpansive, so that its residuals never pass; what can't be solved there has a certificate.

use super::outcome::{Growth, Row};
use crate::schedule::ir::Watched;

/// Rows that say how large things are at first.
const EARLY: usize = 10;

/// By how much size² exceeds that, as a logarithm: 1e12, six orders of magnitude in the residuals. It takes a
/// factor of 2 an iteration twenty of them, and one of 1.03 five hundred.
const FAR: f64 = 27.631;

/// Rows over which it has to rise.
const WINDOW: usize = 20;

/// What a run is measured by: a function of its first rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    /// ρ of the first row.
    rho: f64,
    /// The largest size² of the first rows, and where.
    level: f64,
    at: usize,
    /// The same with the objective's.
    most: f64,
}

impl Scale {
    /// Of a trace with rows enough to judge its last by; made once.
    pub(super) fn of(what: Watched, trace: &[Row]) -> Option<Scale> {
        if trace.len() < EARLY + WINDOW {
            return None;
        }
        let early = &trace[..EARLY];
        let rho = early[0].value("rho").unwrap_or(1.0);
        let sizes = early.iter().filter_map(|row| Some((row.iteration, size(what, row, rho)?)));
        let (at, level) = sizes.max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((0, f64::INFINITY));
        let objectives = early.iter().filter_map(|row| row.value("objective"));
        let most = objectives.map(|value| value.abs().ln()).fold(level, f64::max);
        Some(Scale { rho, level, at, most })
    }

    /// What there is to say of a trace's last row.
    pub(super) fn seen(&self, what: Watched, trace: &[Row]) -> Option<Growth> {
        let last = trace.last()?;
        let now = size(what, last, self.rho)?;
        if !(self.level.is_finite() && now - self.most > FAR) {
            return None;
        }
        let window = &trace[trace.len().saturating_sub(WINDOW)..];
        let rate = slope(window.iter().filter_map(|row| Some((row.iteration as f64, size(what, row, self.rho)?))));
        // Of squares, half the logarithm is that of the length.
        let half = if what == Watched::Residuals { 0.5 } else { 1.0 };
        (rate > 0.0).then(|| Growth {
            what,
            from: (self.at, (half * self.level).exp()),
            to: (last.iteration, (half * now).exp()),
            factor: (half * rate).exp(),
        })
    }
}

/// The logarithm of size². Where ρ changes, both parts are weighed by the less of it and of the first, so that a
/// ρ on its way up does not pass for growth.
fn size(what: Watched, row: &Row, first: f64) -> Option<f64> {
    match what {
        Watched::Objective => row.value("objective").map(|value| value.abs().ln()),
        Watched::Residuals => {
            let rho = row.value("rho")?;
            let [primal, dual] = ["primal", "dual"].map(|name| row.value(name).map(f64::ln));
            // A logarithm each, so that nothing overflows before it is seen.
            Some((2.0 * primal? + rho.min(first).ln()).max(2.0 * dual? - rho.max(first).ln()))
        }
    }
    .filter(|size| !size.is_nan())
}

/// The slope of the line of least squares.
fn slope(points: impl Iterator<Item = (f64, f64)> + Clone) -> f64 {
    let points = points.filter(|(_, y)| y.is_finite());
    let count = points.clone().count() as f64;
    let (x, y) = points.clone().fold((0.0, 0.0), |(x, y), (a, b)| (x + a / count, y + b / count));
    let (top, bottom) =
        points.fold((0.0, 0.0), |(top, bottom), (a, b)| (top + (a - x) * (b - y), bottom + (a - x) * (a - x)));
    top / bottom
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(trace: &[Row]) -> Option<Growth> {
        Scale::of(Watched::Residuals, trace)?.seen(Watched::Residuals, trace)
    }

    fn rows(count: usize, primal: impl Fn(usize) -> f64) -> Vec<Row> {
        let row = |at: usize| {
            let values = [("objective", 1.0), ("primal", primal(at)), ("dual", 0.0), ("rho", 1.0)];
            let values = values.map(|(name, value)| (name.to_string(), value)).to_vec();
            Row { epoch: None, iteration: at + 1, seconds: 0.0, values }
        };
        (0..count).map(row).collect()
    }

    #[test]
    fn growth_is_seen_and_measured() {
        let trace = rows(60, |at| 2f64.powi(at as i32));
        let first = (1..=60).find(|&count| seen(&trace[..count]).is_some());
        assert_eq!(first, Some(30), "as soon as there are rows enough");
        let growth = seen(&trace).expect("it doubles each time");
        assert!((growth.factor - 2.0).abs() < 1e-12 && growth.to.0 == 60, "{growth:?}");
    }

    #[test]
    fn what_is_large_once_or_begins_at_nothing_is_none() {
        // A leap that comes back; a saddle left behind; a slow rise.
        let cases: [&dyn Fn(usize) -> f64; 3] = [
            &|at| if at == 30 { 1e9 } else { 1e9 * 0.8f64.powi(at as i32) },
            &|at| (1e-16 * 2f64.powi(at as i32)).min(1.0),
            &|at| at as f64,
        ];
        for primal in cases {
            let trace = rows(200, primal);
            assert!((1..=200).all(|count| seen(&trace[..count]).is_none()));
        }
    }

    #[test]
    fn infinities_are_left_to_others() {
        let trace = rows(60, |at| if at < 40 { 1.0 } else { f64::INFINITY });
        assert!(seen(&trace).is_none());
    }
}
