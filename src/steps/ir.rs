//! The plan: for each method of a solve block, how every component takes its step, and why.

pub use crate::linalg::Curvature;
use crate::model::ir::{Admm, Descent, PlayerId};
use crate::split::ir::Component;
use crate::split::proximal::Proximal;

/// The plan of a solve block: an entry for each method in it, in source order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    /// The methods.
    pub methods: Vec<MethodPlan>,
}

/// The plan of one method.
#[derive(Debug, Clone, PartialEq)]
pub enum MethodPlan {
    /// The split iteration.
    Admm(Box<AdmmPlan>),
    /// Descent on the unsplit problem of a player.
    Descent {
        /// Whose.
        player: PlayerId,
        /// With which method.
        descent: Descent,
    },
}

/// The plan of a split iteration.
#[derive(Debug, Clone, PartialEq)]
pub struct AdmmPlan {
    /// Whose.
    pub player: PlayerId,
    /// As written.
    pub settings: Admm,
    /// Steps of block x.
    pub x: Vec<Step>,
    /// Steps of block z.
    pub z: Vec<Step>,
    /// Penalty at the start.
    pub rho: f64,
    /// Where that penalty comes from.
    pub rho_why: String,
    /// Least penalty that adaptation may go to: the one at the start where a closed-form step is convex
    /// by the penalty alone, else 0.
    pub rho_least: f64,
    /// Whether every step minimises a convex function at any penalty.
    pub convex: bool,
    /// Iterations that acceleration would look back on; 0 for none.
    pub accelerate: usize,
    /// Whether it is a turn of a game: a fixed number of iterations, without a stopping test.
    pub in_game: bool,
}

impl AdmmPlan {
    /// All steps, x first.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.x.iter().chain(&self.z)
    }

    /// Whether any step sees a random batch.
    pub fn is_stochastic(&self) -> bool {
        self.steps().any(|step| step.sampled)
    }

    /// Whether the residuals are computed, and ρ balanced by them: no random batch, and no turn of a game.
    pub fn is_tested(&self) -> bool {
        !self.in_game && !self.is_stochastic()
    }

    /// Iterations that acceleration looks back on, where there is any: it wants a fixed map, so exact steps
    /// of convex terms, and no family of couplings.
    pub fn memory(&self) -> Option<usize> {
        let sound = self.steps().all(|step| step.rule.is_exact() && step.component.over.is_none());
        (self.accelerate > 0 && self.is_tested() && sound && self.convex).then_some(self.accelerate)
    }

    /// Step size of the first gradient step, which is the unit of κ = ρ · rate.
    pub fn rate(&self) -> Option<f64> {
        self.steps().find_map(|step| match &step.rule {
            Rule::Descent(descent) if !descent.is_lbfgs() => Some(descent.rate),
            _ => None,
        })
    }
}

/// How a component takes its step.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Which variables and terms.
    pub component: Component,
    /// The rule.
    pub rule: Rule,
    /// `MᵀM` over the component's variables, one behind another.
    pub gram: Curvature,
    /// Whether a term reads a random batch.
    pub sampled: bool,
    /// Rules tried before, and why each did not apply.
    pub tried: Vec<String>,
}

/// The rules of the ladder.
#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    /// `h(v) = ½vᵀPv + pᵀv`: solve `(P + ρMᵀM)v = ρMᵀq − p`. Closed form.
    Quadratic {
        /// `P`, an entry a member where members differ.
        curvature: Vec<Curvature>,
        /// `p`, likewise.
        linear: Vec<Vec<f64>>,
    },
    /// One proximal map. Closed form.
    Prox(Box<Proximal>),
    /// An inner method, the penalty taken exactly.
    Descent(Descent),
}

impl Rule {
    /// Whether the step is exact.
    pub fn is_exact(&self) -> bool {
        !matches!(self, Rule::Descent(_))
    }

    /// `‖p‖²` of the linear part, where the rule knows it.
    pub fn linear_square(&self) -> f64 {
        let square = |p: &[f64]| p.iter().map(|x| x * x).sum::<f64>();
        match self {
            Rule::Quadratic { linear, .. } => linear.iter().map(|p| square(p)).sum(),
            Rule::Prox(form) => square(&form.linear),
            Rule::Descent(_) => 0.0,
        }
    }
}
impl Descent {
    /// Whether it is L-BFGS, which has no rate.
    pub fn is_lbfgs(&self) -> bool {
        matches!(self.kind, crate::model::ir::DescentKind::Lbfgs { .. })
    }
}
