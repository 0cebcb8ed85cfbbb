//! The split form of each player: blocks, components, couplings `Ax + Bz = c`, and how the copies are
//! eliminated where the unsplit problem is wanted.

use crate::linalg::Operator;
use crate::model::Model;
use crate::model::ir::{ConstraintId, Expr, Member, PlayerId, VarId};
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
    /// `−c`: the constant part, one member's. What is not linear has its own constants inside.
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
    /// Its operator; none where the rows are not linear in it, but smooth: then all such variables of the
    /// coupling together have one part `e(v)`, whose derivative stands for the operator.
    pub operator: Option<Operator>,
}

impl Part {
    /// `s` where the operator is `s·I`.
    pub fn scalar(&self) -> Option<f64> {
        self.operator.as_ref()?.scalar()
    }
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

/// `[K₁ K₂ …]` of `rows` rows over those variables, one behind another; zero where one does not occur. None
/// where the rows are not linear in one of them.
pub(super) fn stacked(parts: &[Part], rows: usize, model: &Model, vars: &[VarId]) -> Option<Operator> {
    let all = vars.iter().map(|var| match parts.iter().find(|part| part.var == *var) {
        Some(part) => part.operator.clone(),
        None => Some(Operator::Zero { rows, cols: model.vars[var.index()].shape.numel() }),
    });
    Some(Operator::hstack(all.collect::<Option<_>>()?))
}

/// What multiplies the component's variables, one behind another, in each coupling that holds one of them,
/// weighted; and how often it stands there: a variable that is no family stands in every member. None where a
/// coupling is not linear in them.
pub fn weighted(model: &Model, component: &Component, couplings: &[Coupling]) -> Option<Vec<(f64, Operator)>> {
    couplings
        .iter()
        .filter(|coupling| coupling.holds(&component.vars))
        .map(|coupling| {
            let times = if component.over.is_none() { coupling.over.unwrap_or(1) as f64 } else { 1.0 };
            Some((times, coupling.weighted(model, &component.vars)?))
        })
        .collect()
}

impl Coupling {
    /// Whether it holds any of these variables.
    pub fn holds(&self, vars: &[VarId]) -> bool {
        self.parts.iter().any(|part| vars.contains(&part.var))
    }

    /// Whether it says `s·x + t·z = c` and nothing else: two variables that are meant as copies.
    pub fn is_copy(&self) -> bool {
        self.parts.len() == 2 && self.parts.iter().all(|part| part.scalar().is_some())
    }

    /// Whether its rows are not linear in one of these variables.
    pub fn is_curved_in(&self, vars: &[VarId]) -> bool {
        self.parts.iter().any(|part| part.operator.is_none() && vars.contains(&part.var))
    }

    /// The variables that its rows are not linear in.
    pub fn curved(&self) -> impl Iterator<Item = VarId> + '_ {
        self.parts.iter().filter(|part| part.operator.is_none()).map(|part| part.var)
    }

    /// `[K₁ K₂ …]` over those variables, one behind another; none where the rows are not linear in one.
    pub fn stacked(&self, model: &Model, vars: &[VarId]) -> Option<Operator> {
        stacked(&self.parts, self.offset.len(), model, vars)
    }

    /// `W^{½}[K₁ K₂ …]` over those variables, likewise.
    pub fn weighted(&self, model: &Model, vars: &[VarId]) -> Option<Operator> {
        let stacked = self.stacked(model, vars)?;
        Some(match &self.weights {
            Some(weights) => {
                let roots = weights.iter().map(|w| w.sqrt()).collect();
                Operator::compose(Operator::diagonal_of(roots), stacked)
            }
            None => stacked,
        })
    }
}

impl PlayerSplit {
    /// Whether there are two blocks.
    pub fn is_split(&self) -> bool {
        !self.couplings.is_empty()
    }

    /// The couplings that hold any of these variables, by position.
    pub fn couplings_of<'a>(&'a self, vars: &'a [VarId]) -> impl Iterator<Item = (usize, &'a Coupling)> {
        self.couplings.iter().enumerate().filter(|(_, coupling)| coupling.holds(vars))
    }

    /// The variables that the compiler split off: each with its coupling `e − z = 0` and `e`, which it
    /// stands for.
    pub fn introduced<'a>(&'a self, model: &'a Model) -> impl Iterator<Item = (VarId, &'a Coupling, &'a Expr)> {
        let player = &model.players[self.player.index()];
        let written = player.written.as_deref();
        self.couplings.iter().filter_map(move |coupling| {
            let own = coupling.parts.iter().find(|part| written.is_some_and(|w| !w.vars.contains(&part.var)))?;
            let rows = player.constraints[coupling.constraint.index()].relation.expr();
            Some((own.var, coupling, *rows.children().first()?))
        })
    }
}
