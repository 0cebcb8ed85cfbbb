//! What a run ends with.

use std::fmt;

use crate::schedule::ir::Role;
use crate::tape::Tensor;

use super::NonFinite;

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Status {
    /// A convex problem whose answer was verified in f64 on the problem as written.
    Solved,
    /// A nonconvex problem whose first-order conditions were verified.
    Stationary,
    /// A fixed schedule ran to its end, as in games.
    Completed,
    /// The stopping test passed, the verification in f64 did not.
    SolvedInaccurate,
    /// No point meets the constraints: the rows that prove it, with their weights in the proof, the
    /// heaviest first.
    PrimalInfeasible(Vec<(String, f64)>),
    /// The objective falls without end.
    DualInfeasible,
    /// The iterations ran out before the stopping test passed.
    IterationLimit,
    /// The time ran out.
    TimeLimit,
    /// Stopped by the user.
    Interrupted,
    /// A number that is not finite appeared.
    NonFinite(Box<NonFinite>),
}

impl Status {
    /// The word that is shown.
    pub fn word(&self) -> &'static str {
        match self {
            Status::Solved => "solved",
            Status::Stationary => "stationary",
            Status::Completed => "completed",
            Status::SolvedInaccurate => "solved-inaccurate",
            Status::PrimalInfeasible(_) => "primal-infeasible",
            Status::DualInfeasible => "dual-infeasible",
            Status::IterationLimit => "iteration-limit",
            Status::TimeLimit => "time-limit",
            Status::Interrupted => "interrupted",
            Status::NonFinite(_) => "non-finite",
        }
    }

    /// Exit code of the command: 0 with an answer, 1 without, 130 interrupted.
    pub fn exit_code(&self) -> u8 {
        match self {
            Status::Solved | Status::Stationary | Status::Completed => 0,
            Status::Interrupted => 130,
            _ => 1,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A row of the trace.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Epochs begun, where there are any.
    pub epoch: Option<usize>,
    /// Iterations (or batches) done since the start.
    pub iteration: usize,
    /// Seconds since the start.
    pub seconds: f64,
    /// Columns, in the order of the record that made the row.
    pub values: Vec<(String, f64)>,
}

/// A picture that is due.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// Name of the file without its ending; carries the epoch.
    pub name: String,
    /// `[n, pixels]` or `[n, height, width]`.
    pub images: Tensor,
    /// Rows of the grid.
    pub rows: usize,
    /// Columns of the grid.
    pub columns: usize,
}

/// A named result.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Name.
    pub name: String,
    /// What it is.
    pub role: Role,
    /// Its numbers.
    pub tensor: Tensor,
}

/// A recomputed quantity.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// Label.
    pub label: String,
    /// Value.
    pub value: f64,
    /// What it is compared with, where it is.
    pub bound: Option<f64>,
}

/// Time spent under one heading.
#[derive(Debug, Clone, PartialEq)]
pub struct Share {
    /// What: `x-step`, `z-step`, …
    pub what: String,
    /// Seconds.
    pub seconds: f64,
    /// Times run.
    pub calls: usize,
}

/// What a run ends with.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Name of the solve block.
    pub name: String,
    /// How it ended.
    pub status: Status,
    /// Iterations (or batches) done.
    pub iterations: usize,
    /// Epochs done, where there are any.
    pub epochs: Option<usize>,
    /// Seconds of the run, set-up included.
    pub seconds: f64,
    /// Objective terms as written, by label, in f64.
    pub terms: Vec<Checked>,
    /// What the objective can't be better than, near the answer, by the multipliers: a lower bound of what is
    /// minimised, an upper one of what is maximised. None where the problem is not known to be convex.
    pub bound: Option<f64>,
    /// Constraint residuals, by label, in f64.
    pub constraints: Vec<Checked>,
    /// Stationarity residuals, by block, in f64.
    pub stationarity: Vec<Checked>,
    /// Variables and multipliers.
    pub answers: Vec<Answer>,
    /// Trace.
    pub trace: Vec<Row>,
    /// Where the time went.
    pub shares: Vec<Share>,
}

impl Outcome {
    /// Sum of the objective's terms.
    pub fn objective(&self) -> f64 {
        self.terms.iter().map(|term| term.value).sum()
    }

    /// The result of that name.
    pub fn answer(&self, name: &str) -> Option<&Tensor> {
        self.answers.iter().find(|answer| answer.name == name).map(|answer| &answer.tensor)
    }

    /// The last recorded value of a column.
    pub fn last(&self, column: &str) -> Option<f64> {
        self.trace.iter().rev().flat_map(|row| &row.values).find(|(name, _)| name == column).map(|&(_, value)| value)
    }
}
