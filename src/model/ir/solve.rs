//! What a `solve` block asks for: a method with its settings, or the program of a game.

use super::{Expr, PlayerId, SampleId};
use crate::source::Span;
use crate::tape::Dtype;

/// A `solve` block.
#[derive(Debug, Clone, PartialEq)]
pub struct Solve {
    /// As written; the method's name where none is.
    pub name: String,
    /// In the source.
    pub span: Span,
    /// Working precision.
    pub precision: Dtype,
    /// Stable forms, or as written (`losses = literal`).
    pub stable: bool,
    /// What is done.
    pub body: SolveBody,
}

/// What a `solve` block does.
#[derive(Debug, Clone, PartialEq)]
pub enum SolveBody {
    /// One method on a plain problem.
    Method(Method),
    /// A game's program.
    Game(Vec<Step>),
}

/// A method with its settings.
#[derive(Debug, Clone, PartialEq)]
pub enum Method {
    /// The split iteration.
    Admm(Admm),
    /// A descent method on the unsplit objective.
    Descent(Descent),
}

/// Settings of the split iteration.
#[derive(Debug, Clone, PartialEq)]
pub struct Admm {
    /// Penalty at the start.
    pub rho: Rho,
    /// Where that is set, `rho = 1`; empty where it is not.
    pub rho_at: Span,
    /// Over-relaxation α in [1, 1.95], where it is written.
    pub relax: Option<f64>,
    /// Tolerance of the stopping test; none runs all iterations.
    pub tol: Option<f64>,
    /// At most so many.
    pub iterations: usize,
    /// How x-components take their steps, where that is said.
    pub x_step: Option<Inner>,
    /// The same for z.
    pub z_step: Option<Inner>,
    /// How ρ changes.
    pub adapt: Adapt,
    /// Every so many iterations.
    pub adapt_every: usize,
    /// Iterations that Anderson acceleration looks back on, where it applies; 0 for none.
    pub accelerate: usize,
}

/// What a solve block says about the steps of a block of variables.
#[derive(Debug, Clone, PartialEq)]
pub enum Inner {
    /// The method of those without a closed form.
    Descent(Box<Descent>),
    /// `given(…)`: the update itself, in the place of the derived one.
    Given(Box<Expr>),
}

impl Inner {
    /// The method that is named.
    pub fn descent(&self) -> Option<&Descent> {
        match self {
            Inner::Descent(descent) => Some(descent),
            Inner::Given(_) => None,
        }
    }

    /// The update that is stated.
    pub fn given(&self) -> Option<&Expr> {
        match self {
            Inner::Descent(_) => None,
            Inner::Given(value) => Some(value),
        }
    }
}

impl Admm {
    /// The updates that are stated in the place of derived ones.
    pub fn given(&self) -> impl Iterator<Item = &Expr> {
        [&self.x_step, &self.z_step].into_iter().flatten().filter_map(Inner::given)
    }
}

/// Penalty at the start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rho {
    /// From the data, or κ = 1 for gradient steps.
    Auto,
    /// A number.
    Value(f64),
    /// In natural units: ρ · rate.
    Kappa(f64),
}

/// How ρ changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adapt {
    /// Not at all.
    Fixed,
    /// Balancing of residuals, in consistent units.
    Balanced,
}

/// A descent method.
#[derive(Debug, Clone, PartialEq)]
pub struct Descent {
    /// Which.
    pub kind: DescentKind,
    /// Step size η; none for methods that find it themselves.
    pub rate: f64,
    /// Steps: of an inner method per ADMM iteration, of a baseline in all.
    pub steps: usize,
    /// Stop early when the gradient norm falls below this, relative to the start.
    pub tol: Option<f64>,
    /// Draw a batch of its own.
    pub fresh: bool,
}

/// Descent methods.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum DescentKind {
    /// Full gradient (gd) or a sample's (sgd): the same step.
    Gradient { momentum: f64 },
    /// Kingma & Ba 2015.
    Adam { beta1: f64, beta2: f64, epsilon: f64 },
    /// Limited-memory BFGS with that many pairs.
    Lbfgs { memory: usize },
    /// Newton's method on products with the Hessian.
    Newton,
    /// Accelerated proximal gradient (Beck & Teboulle 2009).
    Fista,
}

/// A statement of a game's program.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What.
    pub kind: StepKind,
    /// In the source.
    pub span: Span,
}

/// The statements of a game's program.
#[derive(Debug, Clone, PartialEq)]
pub enum StepKind {
    /// Epochs of a sample: `count` passes of the body.
    Epochs { count: usize, sample: SampleId, body: Vec<Step> },
    /// So many passes of the body.
    Times { count: usize, body: Vec<Step> },
    /// One pass a batch of the epochs' sample; samples named inside are drawn once a pass.
    EachBatch { body: Vec<Step> },
    /// A method on a player.
    Method { player: PlayerId, method: Method },
    /// λ := 0, copies := their mean.
    Restart { player: PlayerId },
    /// Record a number.
    Track { name: String, value: Expr },
    /// Write a grid of images.
    SaveImages { value: Expr, rows: usize, columns: usize, name: String },
    /// Do it when due.
    When { when: When, body: Box<Step> },
}

/// When a statement is due, by the count of the epochs or passes around it (1-based).
#[derive(Debug, Clone, PartialEq)]
pub enum When {
    /// Every so many.
    Every { count: usize, unit: Unit },
    /// At these.
    At { points: Vec<usize>, unit: Unit },
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Epochs.
    Epochs,
    /// Passes of the innermost loop since the start of the run.
    Iterations,
}
