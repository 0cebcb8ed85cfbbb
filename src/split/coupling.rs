//! Constraints read as `Σ K v + offset = 0`, with the structure of each `K` kept.

use super::forms::{self, Form, Known};
use super::ir::{Coupling, Part};
use crate::diag::{Code, Diag, Diags};
use crate::model::Lower;
use crate::model::Model;
use crate::model::ir::{Constraint, ConstraintId, Leaf, Member, PlayerId, Relation};
use crate::tape::Dtype;

/// The coupling constraints of a player.
pub(super) fn read(model: &Model, player: PlayerId, diags: &mut Diags) -> Vec<Coupling> {
    let constraints = &model.players[player.index()].constraints;
    let mut couplings = Vec::new();
    for (at, constraint) in constraints.iter().enumerate() {
        match &constraint.relation {
            Relation::Zero(_) => {
                if let Some(mut coupling) = equation(model, player, at, constraint, diags) {
                    // Two equations may share a label, as in `link: x = z = w`.
                    let taken = |name: &str| couplings.iter().any(|other: &Coupling| other.name == name);
                    while taken(&coupling.name) {
                        coupling.name.push('\'');
                    }
                    couplings.push(coupling);
                }
            }
            Relation::NonPositive(expr) => diags.push(later(expr.span, "an inequality")),
            Relation::In { expr, .. } => diags.push(later(expr.span, "membership in a set")),
        }
    }
    couplings
}

fn later(span: crate::source::Span, what: &str) -> Diag {
    Diag::new(Code::NotYet, span, format!("{what} is understood, but not executed yet"))
        .here("can't be part of a run for now")
        .help("for now, constraints are equations that couple two blocks, such as `x - z = 0`")
}

fn equation(
    model: &Model,
    player: PlayerId,
    at: usize,
    constraint: &Constraint,
    diags: &mut Diags,
) -> Option<Coupling> {
    let Relation::Zero(expr) = &constraint.relation else { return None };
    let mut lower = Lower::new(model, "constraint", Dtype::F64);
    let value = lower.expr(expr);
    lower.b.output("rows", value);
    let (program, leaves) = lower.finish();
    let known: Vec<Known> = leaves.iter().map(|leaf| known(model, player, *leaf)).collect();
    let form = forms::outputs(&program, &known).remove(0);
    let affine = match form {
        Form::Affine(affine) => affine,
        Form::Constant(_) => {
            diags.push(
                Diag::new(Code::UnlinkedBlock, expr.span, "this constraint holds no variable")
                    .here("a number, whatever the variables are")
                    .help("a coupling ties the two blocks together, such as `x - z = 0`; remove this line or name the variables it should tie"),
            );
            return None;
        }
        Form::Quadratic(_) | Form::Root(_) => {
            diags.push(nonlinear(expr.span, None));
            return None;
        }
        Form::Other(stopped) if stopped.op == "input" => {
            let place = stopped.origin.unwrap_or(expr.span);
            diags.push(
                Diag::new(
                    Code::NotYet,
                    place,
                    "a constraint may hold the player's own variables and fixed data only, for now",
                )
                .here("changes from call to call: another player's, a batch, or a member of a data family")
                .help("constraints that hold such values are understood, but not executed yet"),
            );
            return None;
        }
        Form::Other(stopped) => {
            diags.push(nonlinear(expr.span, stopped.origin));
            return None;
        }
    };
    let parts = affine
        .parts
        .iter()
        .filter_map(|(&input, operator)| match leaves[input] {
            Leaf::Var(var, member) => Some(Part { var, member, operator: operator.clone() }),
            _ => None,
        })
        .collect();
    Some(Coupling {
        constraint: ConstraintId(at as u32),
        name: constraint.label.clone().unwrap_or_else(|| format!("c{}", at + 1)),
        span: constraint.span,
        over: constraint.over.map(|over| over.count),
        shape: expr.shape.clone(),
        parts,
        offset: affine.offset,
    })
}

/// What a leaf is to a form over the variables.
fn known(model: &Model, player: PlayerId, leaf: Leaf) -> Known {
    match leaf {
        Leaf::Var(var, _) if model.vars[var.index()].player == player => Known::Variable,
        Leaf::Data(data, Member::None) => Known::Constant(model.data[data.index()].tensor.to_f64()),
        Leaf::Var(..) | Leaf::Data(..) | Leaf::Sample(..) | Leaf::Dual(..) | Leaf::Rho(_) => Known::Unknown,
    }
}

fn nonlinear(span: crate::source::Span, factor: Option<crate::source::Span>) -> Diag {
    let diag = Diag::new(Code::NonlinearConstraint, span, "this constraint is not linear in the variables")
        .here("must have the form `A*x + B*z = c`")
        .help(
            "ADMM splits along linear constraints only; give the nonlinear part a variable of its own in the objective",
        );
    match factor {
        Some(factor) if factor != span => diag.label(factor, "this is what makes it nonlinear"),
        _ => diag,
    }
}
