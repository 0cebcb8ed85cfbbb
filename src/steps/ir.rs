//! The plan: for each method of a solve block, how every component takes its step, and why.

use std::sync::Arc;

pub use crate::linalg::Curvature;
use crate::linalg::spectral::Spectrum;
use crate::linalg::{Operator, Symbolic};
use crate::model::ir::{Admm, Descent, DescentKind, Expr, PlayerId};
use crate::split::ir::Component;
use crate::split::proximal::{Map, Proximal};

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
    /// Over-relaxation α: as written, else 1.6 where every step is convex, and 1 where one is not or takes turns in
    /// a game.
    pub relax: f64,
    /// Penalty at the start.
    pub rho: f64,
    /// Where that penalty comes from.
    pub rho_why: String,
    /// Least penalty that adaptation may go to: the one at the start where a step is not known to be convex
    /// and takes no rate, else 0.
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

    /// The penalty above which an iteration settles whose step is convex above `least`. Of a curvature −μ, with
    /// `x − z = 0`, over-relaxation α and z at rest on a corner of its set,
    ///
    /// ```text
    /// x⁺ = (ρz − λ − p)/(ρ − μ),   λ⁺ = λ + αρ(x⁺ − z)   ⟹   λ⁺ = (1 − αρ/(ρ − μ))·λ + const
    /// ```
    ///
    /// which contracts for `ρ > 2μ/(2 − α)` alone.
    pub fn settles(&self, least: f64) -> f64 {
        2.0 * least / (2.0 - self.relax)
    }

    /// That penalty as a formula: `2ρ*`, `2ρ*/(2 − 1.6)`.
    pub fn settles_at(&self) -> String {
        match self.relax {
            1.0 => "2ρ*".to_string(),
            relax => format!("2ρ*/(2 − {relax})"),
        }
    }

    /// Whether no iteration leads further from a solution: steps of convex terms that are exact, or linearised at a
    /// safe length.
    pub fn is_nonexpansive(&self) -> bool {
        self.convex && self.steps().all(|step| !step.rule.has_rate())
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
        let sound = self.steps().all(|step| step.is_exact() && step.component.over.is_none());
        (self.accelerate > 0 && self.is_tested() && sound && self.convex).then_some(self.accelerate)
    }

    /// Step size of the first gradient step, which is the unit of κ = ρ · rate.
    pub fn rate(&self) -> Option<f64> {
        let derived = self.steps().filter(|step| step.given.is_none());
        derived.map(|step| &step.rule).find_map(|rule| match rule {
            Rule::Descent(descent) if !descent.is_searched() => Some(descent.rate),
            Rule::Composite(it) if !it.descent.is_searched() => Some(it.descent.rate),
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
    /// The update that runs in the place of the rule's, where the solve block states one. The rule says what it
    /// leaves.
    pub given: Option<Expr>,
    /// `MᵀM` over the component's variables, one behind another; 0 where it is curved.
    pub gram: Curvature,
    /// Whether a coupling is not linear in the component's variables: the derivative at the point stands for M.
    pub curved: bool,
    /// Whether a term reads a random batch.
    pub sampled: bool,
    /// Whether its terms are known to be convex.
    pub convex: bool,
    /// `ρ*`, above which the penalty makes the step convex, where it is not without.
    pub threshold: Option<f64>,
    /// Rules tried before, and why each did not apply.
    pub tried: Vec<String>,
}

impl Step {
    /// Members, where it is a family, else 1.
    pub fn members(&self) -> usize {
        self.component.over.unwrap_or(1)
    }

    /// The terms whose gradients it follows, by position, and how; none of a step that follows none.
    pub fn followed(&self) -> Option<(&[usize], &Descent)> {
        match &self.rule {
            Rule::Descent(descent) => Some((&self.component.terms, descent)),
            Rule::Composite(it) => Some((&it.smooth, &it.descent)),
            Rule::Quadratic { .. } | Rule::Prox(_) | Rule::Linearised(_) => None,
        }
    }

    /// Whether it gives the minimiser itself.
    pub fn is_exact(&self) -> bool {
        self.given.is_none() && self.rule.is_exact()
    }

    /// `‖p‖²` of the linear part over all members, where the rule knows it.
    pub fn linear_square(&self) -> f64 {
        let square = |p: &[f64]| p.iter().map(|x| x * x).sum::<f64>();
        let times = |own: f64| own * self.members() as f64;
        match &self.rule {
            Rule::Quadratic { linear, .. } if linear.len() > 1 => linear.iter().map(|p| square(p)).sum(),
            Rule::Quadratic { linear, .. } => times(linear.iter().map(|p| square(p)).sum()),
            Rule::Prox(form) | Rule::Linearised(form) => times(square(&form.linear)),
            Rule::Descent(_) | Rule::Composite(_) => 0.0,
        }
    }
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
        /// `Ev = e`, on `v` alone.
        equalities: Option<Equalities>,
        /// How it is solved.
        system: Box<System>,
    },
    /// One proximal map. Closed form.
    Prox(Box<Proximal>),
    /// One proximal map, the penalty linearised at the last point: `gram` of the form holds κ.
    Linearised(Box<Proximal>),
    /// An inner method, the penalty taken exactly.
    Descent(Descent),
    /// Gradient steps that end in a proximal map.
    Composite(Box<Composite>),
}

/// The step of `s + φ`, s smooth, φ with a proximal map.
#[derive(Debug, Clone, PartialEq)]
pub struct Composite {
    /// The terms of s: positions in the player's terms.
    pub smooth: Vec<usize>,
    /// The map of φ; its `P` is `I/η`, or `I` where η is searched for.
    pub form: Proximal,
    /// The method.
    pub descent: Descent,
    /// How the penalty is taken.
    pub penalty: Penalty,
    /// Whether steps are extrapolated: s is known to be convex.
    pub accelerated: bool,
}

/// How a composite step takes the penalty.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Penalty {
    /// In the metric of the map.
    Exact,
    /// Linearised at the last point, with κ in the place of `MᵀM`.
    Linearised(f64),
    /// As part of s.
    Smooth,
}

impl Rule {
    /// Whether the step is exact.
    pub fn is_exact(&self) -> bool {
        matches!(self, Rule::Quadratic { .. } | Rule::Prox(_))
    }

    /// Whether equations on its variables are part of the step.
    pub fn keeps_equations(&self) -> bool {
        matches!(self, Rule::Quadratic { equalities: Some(_), .. })
    }

    /// Whether what it moves ends where nothing near it would do: in a set that is not convex, in the domain
    /// of a function.
    pub fn is_strict(&self) -> bool {
        let strict = |map: &Map| map.phi.facts().domain || map.is_set() && !map.phi.facts().convex;
        matches!(self, Rule::Prox(form) if form.maps.iter().any(strict))
    }

    /// Whether it takes steps of a length that is named.
    pub fn has_rate(&self) -> bool {
        match self {
            Rule::Descent(descent) => !descent.is_searched(),
            Rule::Composite(it) => !it.descent.is_searched(),
            Rule::Quadratic { .. } | Rule::Prox(_) | Rule::Linearised(_) => false,
        }
    }
}

/// Equations `Ev = e` on the variables of a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Equalities {
    /// `E`, of independent rows.
    pub operator: Operator,
    /// `e`
    pub right: Vec<f64>,
    /// Which row of the step's equations, one behind another, each is; the others follow from these.
    pub rows: Vec<usize>,
}

/// How the systems `(P + ρMᵀM + σI)v = …` of a closed-form step are solved, and what it costs.
#[derive(Debug, Clone, PartialEq)]
pub struct System {
    /// The way chosen.
    pub solver: Solver,
    /// What it costs.
    pub work: Work,
    /// What the other ways that apply would cost.
    pub others: Vec<(&'static str, Work)>,
    /// Whether `P` is known to be positive semidefinite.
    pub convex: bool,
    /// `σ`: where nothing determines the step along some direction, it stays near where it was,
    /// `(σ/2)‖v − v_k‖²`. Else 0.
    pub proximal: f64,
}

/// A way to solve the systems of a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Solver {
    /// Both matrices are diagonal.
    Divide,
    /// A transform of a grid makes both diagonal.
    Spectral {
        /// `T P T⁻¹`
        p: Spectrum,
        /// `T MᵀM T⁻¹`
        g: Spectrum,
    },
    /// `P = D + KᵀWK` with `W > 0` and fewer rows of `K` than columns: by the matrix-inversion lemma,
    /// a dense factor of as many rows.
    Inversion,
    /// A dense Cholesky factor.
    Cholesky,
    /// Eigenvectors of `P`, where `MᵀM` is a multiple of `I`: no factor holds ρ.
    Eigen,
    /// A sparse factor.
    Sparse(Box<SparseSystem>),
    /// Conjugate gradients, preconditioned by the diagonal, started where the last step ended.
    ConjugateGradients,
}

/// A symmetric system with a sparse factor. Its unknowns are `v`, then a multiplier for each row of `P`'s
/// factor or of `M` that is not multiplied out, then one for each equation:
///
/// ```text
/// [ P + ρMᵀM + σI   Kᵀ         Eᵀ  ]
/// [ K               −(ρW)⁻¹        ]        K a row of P's factor (then without ρ) or of M
/// [ E                          −δI ]
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SparseSystem {
    /// The pattern of the lower triangle and the plan of its factor.
    pub symbolic: Arc<Symbolic>,
    /// Entries that stay, a list a member where members differ.
    pub fixed: Vec<Vec<f64>>,
    /// Entries that ρ multiplies.
    pub rho: Vec<f64>,
    /// Entries that 1/ρ multiplies, where there are such.
    pub reciprocal: Option<Vec<f64>>,
    /// Rows that stand for equations, the last ones.
    pub equalities: usize,
    /// What `δ` is measured by.
    pub schur: SchurSize,
}

/// About how large `E(P + ρMᵀM)⁻¹Eᵀ` is: `rows/(fixed + ρ·rho)`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SchurSize {
    /// Square of the longest row of `E`.
    pub rows: f64,
    /// Largest diagonal entry of `P`.
    pub fixed: f64,
    /// Largest diagonal entry of `MᵀM`.
    pub rho: f64,
}

/// What a way to solve costs.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Work {
    /// Flops before the first iteration, and the seconds predicted.
    pub setup: Effort,
    /// Flops of a change of ρ.
    pub change: Effort,
    /// Flops of an iteration.
    pub iteration: Effort,
    /// Bytes held.
    pub bytes: f64,
}

/// Flops, and how long they take one core.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Effort {
    /// Additions and multiplications.
    pub flops: f64,
    /// Seconds predicted.
    pub seconds: f64,
}

impl Descent {
    /// Whether it finds its step lengths by itself, so that it has no rate.
    pub fn is_searched(&self) -> bool {
        matches!(self.kind, DescentKind::Lbfgs { .. } | DescentKind::Newton | DescentKind::Fista)
    }
}
