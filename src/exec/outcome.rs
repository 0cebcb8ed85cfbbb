//! What a run ends with.

use std::fmt;

use crate::schedule::ir::{Role, Watched};
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
    /// No point meets the constraints.
    PrimalInfeasible(Contradiction),
    /// The objective falls without end.
    DualInfeasible(Ray),
    /// The iterates leave for infinity.
    Diverged(Growth),
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
            Status::DualInfeasible(_) => "dual-infeasible",
            Status::Diverged(_) => "diverged",
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

/// A proof that no point meets the constraints: rows that, added up by weight, leave `0 ≥ gap`.
#[derive(Debug, Clone, PartialEq)]
pub struct Contradiction {
    /// The rows, the heaviest first.
    pub rows: Vec<Weighed>,
    /// What they leave, above 0, with the weights of a vector of length 1.
    pub gap: f64,
}

/// A row of a contradiction.
#[derive(Debug, Clone, PartialEq)]
pub struct Weighed {
    /// Which of the couplings it is a row of.
    pub coupling: usize,
    /// `cap[3]`; of a constraint of one row its name alone.
    pub name: String,
    /// Its weight.
    pub weight: f64,
}

/// A direction along which the objective falls and no constraint is left.
#[derive(Debug, Clone, PartialEq)]
pub struct Ray {
    /// Each variable's part of it, by name; of length 1 together.
    pub moves: Vec<(String, Vec<f64>)>,
    /// By how much the objective falls along it.
    pub fall: f64,
}

/// How a run grew until it was stopped.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Growth {
    /// What grew.
    pub what: Watched,
    /// Iteration and size early in the run. The size of residuals is `√(ρ‖r‖² + ‖s‖²/ρ)`, by order.
    pub from: (usize, f64),
    /// The same at the end.
    pub to: (usize, f64),
    /// By how much an iteration multiplied it of late.
    pub factor: f64,
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
    /// What remarks on the run are made from.
    pub notes: Notes,
}

/// What a run notes of itself beside its answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Notes {
    /// Iterations after which the answer stood, where a number that is not finite appeared later.
    pub finite: Option<usize>,
    /// Inner searches that ended without a step, where the run came to no answer.
    pub searches: Vec<Search>,
    /// Where the balance of ρ ended, likewise.
    pub balance: Option<Balance>,
    /// The variables in the order of the model, likewise.
    pub variables: Vec<Tensor>,
}

/// A line search that found no step the last time.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    /// The variables of its step, as in `x,y`; `·whole` of a descent on the unsplit objective.
    pub of: String,
    /// How often it was made, how often it found no step, and how often in a row at the end.
    pub tally: Tally,
    /// The objective of the step where it stands.
    pub value: f64,
    /// Slope along the last direction.
    pub slope: f64,
    /// Length of the gradient.
    pub gradient: f64,
    /// The shortest step that was tried.
    pub shortest: f64,
    /// The unit of rounding it worked in.
    pub eps: f64,
}

/// Counts of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Searches.
    pub made: usize,
    /// Those without a step.
    pub failed: usize,
    /// Those since the last step.
    pub in_a_row: usize,
}

/// Where the balance of ρ ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Balance {
    /// ρ at the end.
    pub rho: f64,
    /// At the start.
    pub start: f64,
    /// The least it may be; 0 without such a bound.
    pub least: f64,
    /// `‖r‖` relative to what it is made of.
    pub primal: f64,
    /// `ρ‖B(z⁺ − z)‖` relative to `‖λ‖`.
    pub dual: f64,
}

impl Row {
    /// The value of a column.
    pub fn value(&self, column: &str) -> Option<f64> {
        self.values.iter().find(|(name, _)| name == column).map(|&(_, value)| value)
    }
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
        self.trace.iter().rev().find_map(|row| row.value(column))
    }
}
