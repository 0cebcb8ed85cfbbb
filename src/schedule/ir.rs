//! The schedule: a structured program over tape programs. State buffers, a loop nest, stopping
//! tests, draws, records; its text reads like the algorithm in a paper.
//!
//! Control flow runs on the host and looks at the device only where a statement says so: [`Stmt::Stop`],
//! [`Stmt::If`], [`Stmt::Pick`], [`Stmt::Record`] and [`Stmt::LineSearch`] read scalars, everything else is enqueued.

use std::sync::Arc;

use crate::tape::{Dtype, Program, Tensor, Type};

/// A buffer of the schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StateId(pub u32);

/// A program of the schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProgramId(pub u32);

/// A sampler of the schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SamplerId(pub u32);

/// One solve block, ready to be executed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Schedule {
    /// Name of the solve block.
    pub name: String,
    /// Buffers.
    pub states: Vec<State>,
    /// Programs.
    pub programs: Vec<Program>,
    /// Samplers.
    pub samplers: Vec<Sampler>,
    /// What is executed.
    pub body: Vec<Stmt>,
    /// Straight-line statements that are executed at the end however the body was left, so that what is
    /// reported belongs to the variables reached.
    pub tail: Vec<Stmt>,
    /// Solution and multipliers, in the order they are reported.
    pub results: Vec<Published>,
    /// The penalty of each player that has one.
    pub rho: Vec<StateId>,
    /// The programs that recompute the answer on the problem as written, in f64.
    pub verdict: Verdict,
    /// What a proof that there is no solution is read from, where one is looked for.
    pub certificate: Option<Certificate>,
    /// The variables, in the order of the model.
    pub variables: Vec<StateId>,
    /// Which columns of the trace tell a run that leaves for infinity.
    pub watched: Option<Watched>,
    /// What the end of a balanced ρ is read from.
    pub penalty: Option<Penalty>,
}

/// The states that hold a certificate at the pass where it was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Certificate {
    /// What weighs the rows of each coupling in a proof that no point meets them all, in the order of the
    /// couplings.
    pub rows: Vec<(String, StateId)>,
    /// By how much the rows so weighed contradict each other.
    pub gap: StateId,
    /// Name of each variable that moves, where it is and where it was: the difference is the direction along
    /// which the objective falls.
    pub moves: Vec<(String, StateId, StateId)>,
    /// By how much it falls for a direction of length 1.
    pub fall: StateId,
}

/// What grows without bound where a run diverges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watched {
    /// `primal` and `dual`, of a split iteration.
    Residuals,
    /// `objective`, of a descent.
    Objective,
}

/// The states of the balance that ρ is held in.
#[derive(Debug, Clone, PartialEq)]
pub struct Penalty {
    /// ρ
    pub rho: StateId,
    /// What it starts at.
    pub start: f64,
    /// What it goes no lower than; 0 without such a bound.
    pub least: f64,
    /// `‖r‖², ‖Ax‖², ‖Bz‖², ‖B(z⁺ − z)‖²` in the norm that ρ is balanced in.
    pub squares: [StateId; 4],
    /// `‖c‖²`
    pub constant: f64,
    /// `‖λ‖²`
    pub multiplier: StateId,
}

impl Penalty {
    /// By how much ρ may be off before it is changed.
    pub const OFF: f64 = 2.0;

    /// Most that one change does.
    pub const MOST: f64 = 100.0;
}

/// A buffer.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// Unique name: `θ1`, `λ.tie`, `rho`.
    pub name: String,
    /// Type of one member.
    pub ty: Type,
    /// Members, where it is a family (along a first axis of the buffer).
    pub family: Option<usize>,
    /// Where it starts.
    pub init: Start,
    /// Constant data, which a checkpoint leaves out.
    pub constant: bool,
}

impl State {
    /// Type of the whole buffer.
    pub fn buffer(&self) -> Type {
        let mut ty = self.ty.clone();
        if let Some(members) = self.family {
            ty.shape.0.insert(0, members);
        }
        ty
    }
}

/// Where a state starts.
#[derive(Debug, Clone, PartialEq)]
pub enum Start {
    /// Zeros.
    Zeros,
    /// One number everywhere.
    Fill(f64),
    /// These numbers.
    Given(Arc<Tensor>),
    /// Random segments of a vector, each `(offset, length, law)`, from that stream of the run's seed;
    /// what no segment covers is zero. All members differ.
    Random { stream: u32, segments: Vec<(usize, usize, Law)> },
}

/// A law of starting values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Law {
    /// `shift + scale · N(0, 1)`
    Normal { scale: f64, shift: f64 },
    /// Uniform on `[low, high]`.
    Uniform { low: f64, high: f64 },
}

/// How a batch is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Sampler {
    /// As the user named it.
    pub name: String,
    /// Its stream of the run's seed.
    pub stream: u32,
    /// What.
    pub source: Source,
    /// Drawn once, before the body.
    pub fixed: bool,
    /// Members, where it is a family; each draws on its own.
    pub family: Option<usize>,
}

/// What a sampler draws.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// Row numbers without replacement, reshuffled each epoch. The host writes them into `rows`
    /// (`index[batch]`), then the gathers run.
    Rows {
        /// Rows there are, an entry a member.
        of: Vec<usize>,
        /// Rows a batch.
        batch: usize,
        /// Whether a batch that the epoch can't fill is filled from the next one; else it is left out.
        keep: bool,
        /// Where the numbers go.
        rows: StateId,
        /// What fetches the rows.
        gathers: Vec<CallStmt>,
    },
    /// A program that makes the numbers from `key: index[2]` and `step: index`.
    Program {
        /// Where the seed goes.
        key: StateId,
        /// Where the count of draws goes.
        step: StateId,
        /// What makes the numbers.
        call: CallStmt,
    },
}

/// An argument: a state, or the member of the loop around.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Arg {
    /// The state.
    pub state: StateId,
    /// Whether the member of [`CallStmt::over`] picks a slice.
    pub member: bool,
}

impl From<StateId> for Arg {
    fn from(state: StateId) -> Arg {
        Arg { state, member: false }
    }
}

/// Running a program.
#[derive(Debug, Clone, PartialEq)]
pub struct CallStmt {
    /// Which.
    pub program: ProgramId,
    /// Its inputs.
    pub inputs: Vec<Arg>,
    /// Its outputs.
    pub outputs: Vec<Arg>,
    /// Once for each of so many members.
    pub over: Option<usize>,
    /// What it is, in a few words of mathematics: shown in the schedule's text and timed under.
    pub what: String,
}

/// A statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Stmt {
    /// Run a program.
    Call(CallStmt),
    /// Repeat.
    Loop(LoopStmt),
    /// Draw a batch.
    Draw(SamplerId),
    /// Leave the innermost loop when the scalar is not zero.
    Stop {
        /// The scalar.
        when: StateId,
        /// What leaving means.
        status: StopStatus,
    },
    /// Run the body when the scalar is not zero.
    If {
        /// The scalar.
        when: StateId,
        /// The body.
        body: Vec<Stmt>,
    },
    /// Run a program once, on the member of its families that the scalar says.
    Pick {
        /// The member, from 0.
        member: StateId,
        /// The program; it is not run over all members.
        call: CallStmt,
    },
    /// Run the body on the passes that are due.
    When {
        /// Which passes.
        when: Due,
        /// The body.
        body: Vec<Stmt>,
    },
    /// Write a row of the trace.
    Record(RecordStmt),
    /// Write a grid of images.
    Save(SaveStmt),
    /// Step length along a direction.
    LineSearch(LineSearch),
}

/// What leaving a loop means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopStatus {
    /// The stopping test of the outer iteration passed.
    Converged,
    /// A certificate shows that no point meets the constraints.
    PrimalInfeasible,
    /// A certificate shows that the objective falls without end.
    DualInfeasible,
    /// An inner method is done; the outer iteration goes on.
    Inner,
}

/// Repetition.
#[derive(Debug, Clone, PartialEq)]
pub struct LoopStmt {
    /// At most so many passes.
    pub count: usize,
    /// What a pass is called: `epoch`, `batch`, `iteration`, `step`.
    pub unit: LoopUnit,
    /// The body.
    pub body: Vec<Stmt>,
}

/// What a pass of a loop is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoopUnit {
    /// A pass over the data.
    Epoch,
    /// One batch.
    Batch,
    /// An iteration of the method.
    Iteration,
    /// A step of an inner method.
    Step,
}

impl LoopUnit {
    /// One word.
    pub fn word(self) -> &'static str {
        match self {
            LoopUnit::Epoch => "epoch",
            LoopUnit::Batch => "batch",
            LoopUnit::Iteration => "iteration",
            LoopUnit::Step => "step",
        }
    }
}

/// Which passes are due, counted from 1.
#[derive(Debug, Clone, PartialEq)]
pub enum Due {
    /// Every so many passes of the innermost loop of that unit.
    Every(usize, LoopUnit),
    /// Those passes.
    At(Vec<usize>, LoopUnit),
}

/// The column of the objective with every copy replaced by what it copies. That point may lie outside the
/// domain of a term, so of all columns this one may hold what is not finite.
pub const UNSPLIT: &str = "unsplit";

/// A row of the trace.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordStmt {
    /// Column and scalar, in order. `objective`, `primal`, `dual` and `rho` also feed the live line.
    pub values: Vec<(String, StateId)>,
}

/// A picture.
#[derive(Debug, Clone, PartialEq)]
pub struct SaveStmt {
    /// Name of the file without its ending.
    pub name: String,
    /// `[n, pixels]` or `[n, height, width]`.
    pub images: StateId,
    /// Rows of the grid.
    pub rows: usize,
    /// Columns of the grid.
    pub columns: usize,
}

/// Backtracking along a direction until the Armijo condition holds: `point` moves to
/// `point + t · direction`, `t` being 1, ½, ¼, …
///
/// `trial` computes `value_new` (and `gradient_new`) at `point + t · direction`; the host compares
/// `value_new ≤ value + c₁ t slope`. Where no step is found, `failed` becomes 1 and the point stays.
#[derive(Debug, Clone, PartialEq)]
pub struct LineSearch {
    /// Evaluates at the step length in `step`.
    pub trial: CallStmt,
    /// Step length, written by the host.
    pub step: StateId,
    /// Objective at the point.
    pub value: StateId,
    /// Objective at the trial.
    pub value_new: StateId,
    /// Directional derivative at the point.
    pub slope: StateId,
    /// Gradient at the point.
    pub gradient: StateId,
    /// 1 where no step was found.
    pub failed: StateId,
}

/// A result that is reported.
#[derive(Debug, Clone, PartialEq)]
pub struct Published {
    /// Name in the solution file.
    pub name: String,
    /// Where it is.
    pub state: StateId,
    /// What it is.
    pub role: Role,
}

impl Published {
    /// The name in files: a variable's own, `dual(link)` of the multiplier `λ.link`.
    pub fn title(&self) -> String {
        title(&self.name, &self.role)
    }
}

/// As [`Published::title`], of a result's name and role.
pub fn title(name: &str, role: &Role) -> String {
    match (role, name.rsplit_once("λ.")) {
        (Role::Dual, Some((player, link))) => format!("{player}dual({link})"),
        _ => name.to_owned(),
    }
}

/// Roles of results.
#[derive(Debug, Clone, PartialEq)]
pub enum Role {
    /// A variable.
    Variable,
    /// The parameters of a network: `(name, offset, shape)` of each entry.
    Network(Vec<(String, usize, Vec<usize>)>),
    /// A multiplier.
    Dual,
    /// What follows from the variables: a named expression, the slack of an inequality.
    Value,
}

/// What is recomputed at the end, each program in f64 on the problem as written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Verdict {
    /// Objective terms as written (a `maximize` not negated): label, program, its arguments.
    pub terms: Vec<Check>,
    /// Constraint residuals: label, program with outputs `residual²` and `scale²`, the scale being
    /// what the tolerance is relative to.
    pub constraints: Vec<Check>,
    /// Whether the problem is known to be convex.
    pub convex: bool,
    /// Stationarity residual of each block, where the terms are smooth and not sampled: label, a
    /// program with outputs `residual²` and `scale²`.
    pub stationarity: Vec<Check>,
    /// What a bound of the objective is added up from, where the problem is known to be convex.
    pub bound: Option<DualBound>,
    /// Tolerance of the stopping test, where there is one.
    pub tol: Option<f64>,
    /// What runs before the checks: sums over a family that they read, and the results that follow from
    /// the variables.
    pub gathers: Vec<Stmt>,
}

/// A bound of the objective from the multipliers: `Σ (value − ‖residual‖·‖size‖)` bounds it from below, at all
/// points that meet the constraints and lie, step by step, no further from the answer than its own norm.
#[derive(Debug, Clone, PartialEq)]
pub struct DualBound {
    /// Programs with outputs `value`, `residual²` and `size²`.
    pub parts: Vec<Check>,
    /// Whether the objective is maximised, so that it is bounded from above by the negative.
    pub maximize: bool,
}

/// One recomputed quantity.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// The label, or the source text.
    pub label: String,
    /// The program: it computes in f64 from the states as they are, and gives scalars.
    pub program: Program,
    /// The states it reads.
    pub inputs: Vec<Arg>,
    /// Summed over so many members.
    pub over: Option<usize>,
}

impl Schedule {
    /// The body of the loop of iterations or batches, and which of them it is of.
    pub fn innermost(&self) -> Option<(LoopUnit, &[Stmt])> {
        fn within(body: &[Stmt]) -> Option<(LoopUnit, &[Stmt])> {
            body.iter().find_map(|stmt| match stmt {
                Stmt::Loop(inner) => match inner.unit {
                    LoopUnit::Batch | LoopUnit::Iteration => Some((inner.unit, inner.body.as_slice())),
                    LoopUnit::Epoch | LoopUnit::Step => within(&inner.body),
                },
                Stmt::When { body, .. } | Stmt::If { body, .. } => within(body),
                _ => None,
            })
        }
        within(&self.body)
    }

    /// The state of that name.
    pub fn find(&self, name: &str) -> Option<StateId> {
        self.states.iter().position(|state| state.name == name).map(|at| StateId(at as u32))
    }

    /// A state.
    pub fn state(&self, id: StateId) -> &State {
        &self.states[id.0 as usize]
    }

    /// A program.
    pub fn program(&self, id: ProgramId) -> &Program {
        &self.programs[id.0 as usize]
    }

    /// Element type the iteration works in: that of the first floating state that changes.
    pub fn dtype(&self) -> Dtype {
        self.states
            .iter()
            .find(|state| !state.constant && state.ty.dtype.is_float())
            .map_or(Dtype::F64, |state| state.ty.dtype)
    }
}
