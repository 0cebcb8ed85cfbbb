//! The split form of each player: blocks, components, couplings `Ax + Bz = c`, and how the copies are
//! eliminated where the unsplit problem is wanted.

use super::affine::Affine;
use crate::linalg::Operator;
use crate::model::Model;
use crate::model::ir::{ConstraintId, Member, PlayerId, VarId};
use crate::source::Span;
use crate::tape::Shape;

/// The split form of a model, a player an entry.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Split {
    /// In the order of the model's players.
    pub players: Vec<PlayerSplit>,
}

/// One player's problem as `f(x) + g(z)` subject to `Ax + Bz = c`.
#[derive(Debug, Clone, PartialEq)]
pub struct PlayerSplit {
    /// Whose.
    pub player: PlayerId,
    /// The first block.
    pub x: Block,
    /// The second block; empty where nothing couples two blocks.
    pub z: Block,
    /// The coupling constraints.
    pub couplings: Vec<Coupling>,
    /// The problem without its copies, where that can be said.
    pub whole: Result<Whole, String>,
}

/// A block of variables, updated together.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Block {
    /// Its variables.
    pub vars: Vec<VarId>,
    /// Its independent steps.
    pub components: Vec<Component>,
}

/// Variables that an objective term or an off-diagonal entry of `MᵀM` joins: one step.
#[derive(Debug, Clone, PartialEq)]
pub struct Component {
    /// Its variables.
    pub vars: Vec<VarId>,
    /// The terms on them: positions in the player's terms.
    pub terms: Vec<usize>,
    /// The constraints on them alone: sets, bounds, equations.
    pub constraints: Vec<ConstraintId>,
    /// Members, where it is a family of steps.
    pub over: Option<usize>,
}

/// A constraint that couples the blocks.
#[derive(Debug, Clone, PartialEq)]
pub struct Coupling {
    /// Which constraint.
    pub constraint: ConstraintId,
    /// Its label, or a name made for it.
    pub name: String,
    /// In the source.
    pub span: Span,
    /// Members, where it is a family.
    pub over: Option<usize>,
    /// Shape of its rows (one member's).
    pub shape: Shape,
    /// What multiplies each variable.
    pub parts: Vec<Part>,
    /// `−c`: the constant part, one member's.
    pub offset: Vec<f64>,
    /// `W`, what the penalty `(ρ/2)‖Ax + Bz − c‖²_W` weighs each row with, where rows differ much in scale;
    /// none is 1.
    pub weights: Option<Vec<f64>>,
}

/// One variable's part of a coupling.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The variable.
    pub var: VarId,
    /// Which member of it.
    pub member: Member,
    /// Its operator.
    pub operator: Operator,
}

/// The unsplit problem: some variables kept, the others expressed by them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Whole {
    /// Variables of the unsplit problem.
    pub kept: Vec<VarId>,
    /// The others.
    pub copies: Vec<Copied>,
}

/// A variable that a coupling gives: `var = −(rest of the coupling)/factor`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Copied {
    /// The variable.
    pub var: VarId,
    /// The coupling: a position in [`PlayerSplit::couplings`].
    pub coupling: usize,
    /// What multiplies it there.
    pub factor: f64,
    /// The kept variable it equals, where it is a plain copy.
    pub of: Option<VarId>,
}

impl Coupling {
    /// `W^{½}[K₁ K₂ …]` over those variables, one behind another.
    pub fn weighted(&self, model: &Model, vars: &[VarId]) -> Operator {
        let parts = Affine { parts: self.parts.clone(), offset: self.offset.clone() };
        let stacked = parts.stacked(model, vars);
        match &self.weights {
            Some(weights) => {
                let roots = weights.iter().map(|w| w.sqrt()).collect();
                Operator::compose(Operator::diagonal_of(roots), stacked)
            }
            None => stacked,
        }
    }
}

impl PlayerSplit {
    /// Whether there are two blocks.
    pub fn is_split(&self) -> bool {
        !self.couplings.is_empty()
    }

    /// The couplings that hold any of these variables, by position.
    pub fn couplings_of<'a>(&'a self, vars: &'a [VarId]) -> impl Iterator<Item = (usize, &'a Coupling)> {
        self.couplings.iter().enumerate().filter(|(_, coupling)| coupling.parts.iter().any(|p| vars.contains(&p.var)))
    }
}
