//! An expression read as `Σ K v + k` over a player's variables, the structure of each `K` kept.

use super::forms::{self, Form, Known};
use super::ir::Part;
use crate::linalg::Operator;
use crate::model::ir::{Expr, Leaf, Member, PlayerId, VarId};
use crate::model::{Lower, Model};
use crate::source::Span;
use crate::tape::Dtype;

/// `Σ K v + k`
#[derive(Debug, Clone, PartialEq)]
pub struct Affine {
    /// What multiplies each variable.
    pub parts: Vec<Part>,
    /// `k`
    pub offset: Vec<f64>,
}

/// Why an expression is not affine in variables, or not in variables alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAffine {
    /// It holds no variable.
    Constant,
    /// It holds what changes from call to call, there: a batch, another player's variable.
    Changes(Option<Span>),
    /// It is not linear, there.
    Nonlinear(Option<Span>),
}

/// Reads an expression.
pub fn read(model: &Model, player: PlayerId, expr: &Expr) -> Result<Affine, NotAffine> {
    let (form, leaves) = form(model, player, expr);
    match form {
        Form::Affine(affine) => {
            let parts = affine.parts.iter().filter_map(|(&input, operator)| match leaves[input] {
                Leaf::Var(var, member) => Some(Part { var, member, operator: operator.clone() }),
                _ => None,
            });
            Ok(Affine { parts: parts.collect(), offset: affine.offset })
        }
        Form::Constant(_) => Err(NotAffine::Constant),
        Form::Quadratic(_) | Form::Root(_) => Err(NotAffine::Nonlinear(None)),
        Form::Other(stopped) if stopped.op == "input" => Err(NotAffine::Changes(stopped.origin)),
        Form::Other(stopped) => Err(NotAffine::Nonlinear(stopped.origin)),
    }
}

/// What an expression is over the player's variables, and the leaves that are its inputs.
pub(super) fn form(model: &Model, player: PlayerId, expr: &Expr) -> (Form, Vec<Leaf>) {
    let mut lower = Lower::new(model, "form", Dtype::F64);
    let value = lower.expr(expr);
    lower.b.output("value", value);
    let (program, leaves) = lower.finish();
    let known: Vec<Known> = leaves.iter().map(|leaf| known(model, player, *leaf)).collect();
    (forms::outputs(&program, &known).remove(0), leaves)
}

/// What a leaf is to a form over the variables.
fn known(model: &Model, player: PlayerId, leaf: Leaf) -> Known {
    match leaf {
        Leaf::Var(var, _) if model.vars[var.index()].player == player => Known::Variable,
        Leaf::Data(data, Member::None) => Known::Constant(model.data[data.index()].tensor.to_f64()),
        Leaf::Data(data, Member::At(k)) => {
            let size = model.leaf_shape(leaf).numel();
            let all = model.data[data.index()].tensor.to_f64();
            Known::Constant(all[k as usize * size..][..size].to_vec())
        }
        Leaf::Var(..) | Leaf::Data(..) | Leaf::Sample(..) | Leaf::Dual(..) | Leaf::Rho(_) => Known::Unknown,
    }
}

impl Affine {
    /// `[K₁ K₂ …]` over those variables, one behind another; zero where one does not occur.
    pub fn stacked(&self, model: &Model, vars: &[VarId]) -> Operator {
        let rows = self.offset.len();
        let own = |var: &VarId| self.parts.iter().find(|part| part.var == *var).map(|part| part.operator.clone());
        let parts = vars.iter().map(|var| {
            let cols = model.vars[var.index()].shape.numel();
            own(var).unwrap_or(Operator::Zero { rows, cols })
        });
        Operator::hstack(parts.collect())
    }

    /// The variables in it.
    pub fn vars(&self) -> impl Iterator<Item = VarId> + '_ {
        self.parts.iter().map(|part| part.var)
    }
}
