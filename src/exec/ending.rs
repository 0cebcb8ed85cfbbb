//! The end of a run: results read and judged, the status, and what there is to remark on.

use super::outcome::{Answer, Balance, Notes, Outcome, Search, Share, Status};
use super::run::{Ended, Runner};
use super::safe_point::{first_not_finite, not_finite};
use super::verdict;
use crate::schedule::ir::{Penalty, Role, StateId};

impl Runner<'_> {
    /// The outcome of a run that ended so.
    pub(super) fn finish(mut self, ended: Ended) -> Outcome {
        self.straight(&self.bound.gathers);
        let schedule = self.schedule;
        let read = |state: usize| self.executor.read(self.bound.buffers[state]);
        let mut answers: Vec<Answer> = Vec::new();
        for published in &schedule.results {
            answers.push(Answer {
                name: published.name.clone(),
                role: published.role.clone(),
                tensor: read(published.state.0 as usize),
            });
        }
        let judged = verdict::judge(&schedule.verdict, self.executor, &self.bound.buffers);
        // What only follows from the variables may be infinite, as a quotient by a zero of theirs.
        let bad = answers
            .iter()
            .filter(|answer| answer.role != Role::Value)
            .find_map(|answer| Some(not_finite(&answer.name, first_not_finite(&answer.tensor)?)));
        let status = match ended {
            Ended::Early(status) => status,
            _ if bad.is_some() => bad.map_or(Status::Completed, Status::NonFinite),
            Ended::Completed => Status::Completed,
            Ended::LimitReached => Status::IterationLimit,
            Ended::Converged if !judged.holds => Status::SolvedInaccurate,
            // What was not verified is not called more than it is.
            Ended::Converged if schedule.verdict.stationarity.is_empty() => Status::SolvedInaccurate,
            Ended::Converged if schedule.verdict.convex => Status::Solved,
            Ended::Converged => Status::Stationary,
        };
        let notes = if status.exit_code() == 0 { Notes::default() } else { self.notes() };
        // What each part takes, a device that works on its own does not say.
        let known = self.bound.shares.iter().zip(&self.shares).filter(|_| !self.executor.is_remote());
        let shares = known.map(|(what, &(seconds, calls))| Share { what: what.clone(), seconds, calls }).collect();
        Outcome {
            name: schedule.name.clone(),
            status,
            iterations: self.iterations,
            epochs: self.epoch(),
            seconds: self.seconds(),
            terms: judged.terms,
            bound: judged.bound,
            constraints: judged.constraints,
            stationarity: judged.stationarity,
            answers,
            trace: self.trace,
            shares,
            notes,
        }
    }

    /// What a run without an answer says of itself.
    fn notes(&self) -> Notes {
        let item = |state: StateId| self.executor.item(self.bound.buffer(state));
        let searches = self.bound.searches.iter().zip(&self.searches).filter(|(_, tally)| tally.in_a_row > 0);
        let searches = searches.map(|(search, &tally)| {
            let name = &self.schedule.state(search.failed).name;
            let gradient = self.executor.read(self.bound.buffer(search.gradient)).to_f64();
            Search {
                of: name.strip_prefix("failed.").unwrap_or(name).to_string(),
                tally,
                value: item(search.value),
                slope: item(search.slope),
                gradient: gradient.iter().map(|x| x * x).sum::<f64>().sqrt(),
                shortest: item(search.step),
                eps: self.schedule.state(search.value).ty.dtype.eps(),
            }
        });
        Notes {
            finite: self.finite,
            searches: searches.collect(),
            balance: self.schedule.penalty.as_ref().map(|penalty| balance(penalty, item)),
            variables: self.schedule.variables.iter().map(|&var| self.executor.read(self.bound.buffer(var))).collect(),
        }
    }
}

/// The residuals that ρ is balanced by, from the sums of the last iteration.
fn balance(penalty: &Penalty, item: impl Fn(StateId) -> f64) -> Balance {
    let [r, ax, bz, moved] = penalty.squares.map(|state| item(state).sqrt());
    let rho = item(penalty.rho);
    let parts = ax.max(bz).max(penalty.constant.sqrt());
    let share = |a: f64, b: f64| if b > 0.0 { a / b } else { 0.0 };
    Balance {
        rho,
        start: penalty.start,
        least: penalty.least,
        primal: share(r, parts),
        dual: share(rho * moved, item(penalty.multiplier).sqrt()),
    }
}
