//! An expression read as `Σ K v + k` over a player's variables, the structure of each `K` kept.

use super::foreseen;
use super::forms::{self, Form, Hessian, Known};
use super::ir::Part;
use crate::linalg::Operator;
use crate::model::ir::{DataId, Expr, Leaf, Loop, Member, PlayerId, VarId};
use crate::model::{Lower, Model};
use crate::source::Span;
use crate::tape::{Dtype, Op, Program, Value, undifferentiable};

/// `Σ K v + k`; of what [`curved`](super::curved) reads, plus a smooth function of the variables whose parts
/// have no operator.
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
    let lowered = Lowered::new(model, expr);
    lowered.affine(lowered.form(model, player, None))
}

/// Reads an expression of a family, whose members may have data of their own: the operators must be those of
/// every member, and the constant part is the first one's. Also gives whether those of others differ.
pub fn read_members(
    model: &Model,
    player: PlayerId,
    expr: &Expr,
    over: Option<Loop>,
) -> Result<(Affine, bool), NotAffine> {
    let lowered = Lowered::new(model, expr);
    let Some(over) = over.filter(|_| lowered.differs()) else {
        return read(model, player, expr).map(|affine| (affine, false));
    };
    let of = |member: usize| lowered.affine(lowered.form(model, player, Some(member)));
    let first = of(0)?;
    let mut differs = false;
    for member in 1..over.count {
        let own = of(member)?;
        if own.parts != first.parts {
            return Err(NotAffine::Changes(None));
        }
        differs |= own.offset != first.offset;
    }
    Ok((first, differs))
}

/// An expression as a program, to be read for one member of a family after the other.
pub struct Lowered {
    program: Program,
    leaves: Vec<Leaf>,
}

impl Lowered {
    /// Lowers an expression.
    pub fn new(model: &Model, expr: &Expr) -> Lowered {
        let mut lower = Lower::new(model, "form", Dtype::F64);
        let value = lower.expr(expr);
        lower.b.output("value", value);
        let (program, leaves) = lower.finish();
        Lowered { program, leaves }
    }

    /// The parts of an affine form of it.
    pub(super) fn parts(&self, form: &forms::Affine) -> Vec<Part> {
        let part = |(&input, operator): (&usize, &Operator)| match self.leaves[input] {
            Leaf::Var(var, member) => Some(Part { var, member, operator: Some(operator.clone()) }),
            _ => None,
        };
        form.parts.iter().filter_map(part).collect()
    }

    /// Whether something stands on the way from a variable to the value that has no derivative.
    pub(super) fn lacks_derivative(&self) -> bool {
        let inputs = self.program.insts.iter().enumerate().filter_map(|(at, inst)| match inst.op {
            Op::Input(input) if matches!(self.leaves[input as usize], Leaf::Var(..)) => Some(Value(at as u32)),
            _ => None,
        });
        let inputs: Vec<Value> = inputs.collect();
        undifferentiable(&self.program, self.program.outputs[0].value, &inputs).is_some()
    }

    /// A form of it that is affine.
    fn affine(&self, form: Form) -> Result<Affine, NotAffine> {
        match form {
            Form::Affine(affine) => Ok(Affine { parts: self.parts(&affine), offset: affine.offset }),
            Form::Constant(_) => Err(NotAffine::Constant),
            Form::Quadratic(_) | Form::Root(_) => Err(NotAffine::Nonlinear(None)),
            Form::Other(stopped) if stopped.op == "input" => Err(NotAffine::Changes(stopped.origin)),
            Form::Other(stopped) => Err(NotAffine::Nonlinear(stopped.origin)),
        }
    }

    /// Whether members have data of their own, so that each has a form of its own.
    pub fn differs(&self) -> bool {
        self.leaves.iter().any(|leaf| matches!(leaf, Leaf::Data(_, Member::Loop)))
    }

    /// Whether it is sure to be quadratic, affine or constant, without a form that says how.
    pub(super) fn is_quadratic(&self, model: &Model, player: PlayerId) -> bool {
        foreseen::is_quadratic(&self.program, &self.known(model, player, None))
    }

    fn known(&self, model: &Model, player: PlayerId, member: Option<usize>) -> Vec<Known> {
        self.leaves.iter().map(|leaf| known(model, player, *leaf, member)).collect()
    }

    /// What it is over the player's variables; data of the loop around are those of that member.
    pub fn form(&self, model: &Model, player: PlayerId, member: Option<usize>) -> Form {
        forms::outputs(&self.program, &self.known(model, player, member)).remove(0)
    }

    /// `½vᵀPv + pᵀv` over those variables, one behind another; `name` is what a message calls it.
    ///
    /// # Errors
    /// Why it is not quadratic.
    pub fn hessian(
        &self,
        model: &Model,
        player: PlayerId,
        member: Option<usize>,
        vars: &[VarId],
        name: &str,
    ) -> Result<Hessian, String> {
        let len = |var: &VarId| model.vars[var.index()].shape.numel();
        let quadratic = match self.form(model, player, member) {
            Form::Quadratic(quadratic) => quadratic,
            Form::Affine(rest) => forms::Quadratic { products: Vec::new(), rest },
            Form::Constant(_) => return Ok(Hessian::zero(vars.iter().map(len).sum())),
            Form::Root(_) => return Err(format!("{name} is a norm, not its square")),
            Form::Other(stopped) if stopped.op == "input" => {
                return Err(format!("{name} reads what changes from call to call"));
            }
            Form::Other(stopped) => return Err(format!("{name} holds {}", stopped.op)),
        };
        let input = |var: &VarId| self.leaves.iter().position(|leaf| matches!(leaf, Leaf::Var(own, _) if own == var));
        // A variable that it does not hold has no input; no operator stands there.
        let inputs: Vec<(usize, usize)> = vars.iter().map(|var| (input(var).unwrap_or(usize::MAX), len(var))).collect();
        Ok(quadratic.assemble(&inputs))
    }
}

/// What a leaf is to a form over the variables.
fn known(model: &Model, player: PlayerId, leaf: Leaf, member: Option<usize>) -> Known {
    let data = |id: DataId| &model.data[id.index()].tensor;
    match leaf {
        Leaf::Var(var, _) if model.vars[var.index()].player == player => Known::Variable,
        Leaf::Data(id, Member::None) => Known::Constant(data(id).to_f64()),
        Leaf::Data(id, Member::At(k)) => Known::Constant(data(id).member(k as usize).to_f64()),
        Leaf::Data(id, Member::Loop) => match member {
            Some(k) => Known::Constant(data(id).member(k).to_f64()),
            None => Known::Unknown,
        },
        Leaf::Var(..) | Leaf::Sample(..) | Leaf::Dual(..) | Leaf::Rho(_) => Known::Unknown,
    }
}

impl Affine {
    /// Whether it is not affine in some variable, but smooth.
    pub fn is_curved(&self) -> bool {
        self.parts.iter().any(|part| part.operator.is_none())
    }

    /// `[K₁ K₂ …]` over those variables, one behind another; zero where one does not occur. None where it is
    /// not linear in one of them.
    pub fn stacked(&self, model: &Model, vars: &[VarId]) -> Option<Operator> {
        super::ir::stacked(&self.parts, self.offset.len(), model, vars)
    }
}
