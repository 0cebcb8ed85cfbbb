//! Rows that are smooth and not affine, a network's outputs say: `e(v) + Σ K w + k`.
//!
//! ```text
//! L_ρ = h(θ) + g(z) + ⟨λ, e(θ) − z⟩ + (ρ/2)‖e(θ) − z‖²
//! ```
//!
//! The step of z is what it is for an affine e; that of θ is an inner method on the penalty itself, and the
//! derivative of e at the last point stands where an operator would: a stationary point of h subject to
//! `e(θ) ∈ S` has `∇h(θ) + Jᵀλ = 0` with λ normal to S at e(θ) (Bertsekas, Constrained Optimization and
//! Lagrange Multiplier Methods, 1982, §2).
//!
//! The rows are taken apart at their outermost sums: a summand that is affine keeps its operator, the
//! variables of the others have none.

use super::affine::{self, Affine, Lowered, NotAffine};
use super::atoms;
use super::forms::Form;
use super::ir::Part;
use crate::catalogue::Function;
use crate::linalg::Operator;
use crate::model::Model;
use crate::model::ir::{Expr, ExprKind, Leaf, Member, NetId, PlayerId, VarKind};

/// Reads an expression as affine, or as affine but for a smooth part of the player's own variables.
///
/// # Errors
/// Why it is neither.
pub fn read(model: &Model, player: PlayerId, expr: &Expr) -> Result<Affine, NotAffine> {
    let why = match affine::read(model, player, expr) {
        Err(why @ (NotAffine::Nonlinear(_) | NotAffine::Changes(_))) => why,
        read => return read,
    };
    if !is_fixed(model, player, expr) {
        return Err(match why {
            NotAffine::Nonlinear(_) => NotAffine::Changes(None),
            why => why,
        });
    }
    if atoms::kink(model, player, expr).is_some() || Lowered::new(model, expr).lacks_derivative() {
        return Err(why);
    }
    apart(model, player, expr).ok_or(why)
}

/// Whether an expression holds a network with parameters that are variables of the player.
pub fn holds_network(model: &Model, player: PlayerId, expr: &Expr) -> bool {
    super::variables(expr).iter().map(|var| &model.vars[var.index()]).any(|var| {
        let VarKind::Params(net) = var.kind else { return false };
        var.player == player && calls(expr, net)
    })
}

fn calls(expr: &Expr, net: NetId) -> bool {
    matches!(&expr.kind, ExprKind::Net { net: own, .. } if *own == net)
        || expr.children().into_iter().any(|child| calls(child, net))
}

/// Whether the player's variables are all that changes in it: no batch that is drawn anew, nothing of another
/// player, no data of a member.
fn is_fixed(model: &Model, player: PlayerId, expr: &Expr) -> bool {
    let mut fixed = true;
    expr.leaves(&mut |leaf| {
        fixed &= match leaf {
            Leaf::Var(var, member) => model.vars[var.index()].player == player && member == Member::None,
            Leaf::Data(_, member) => member != Member::Loop,
            Leaf::Sample(sample, _, member) => model.samples[sample.index()].fixed && member == Member::None,
            Leaf::Dual(..) | Leaf::Rho(_) => false,
        }
    });
    fixed
}

/// The sum of its summands, each affine or not; none where no variable is left that it is not affine in.
fn apart(model: &Model, player: PlayerId, expr: &Expr) -> Option<Affine> {
    let n = expr.shape.numel();
    let mut all = Vec::new();
    summands(expr, 1.0, &mut all);
    let (mut affine, mut curved) = (Affine { parts: Vec::new(), offset: vec![0.0; n] }, Vec::new());
    for (sign, summand) in all {
        let lowered = Lowered::new(model, summand);
        match lowered.form(model, player, None) {
            Form::Constant(numbers) => add(&mut affine.offset, sign, &numbers),
            Form::Affine(own) => {
                add(&mut affine.offset, sign, &own.offset);
                affine.parts.extend(lowered.parts(&own).into_iter().map(|part| spread(part, sign, n)));
            }
            Form::Quadratic(_) | Form::Root(_) | Form::Other(_) => curved.extend(super::variables(summand)),
        }
    }
    curved.sort_unstable();
    curved.dedup();
    // What stands in both is not affine as a whole.
    let mut parts: Vec<Part> = Vec::new();
    for part in affine.parts.into_iter().filter(|part| !curved.contains(&part.var)) {
        match parts.iter_mut().find(|other| other.var == part.var) {
            Some(other) => {
                let both = [other.operator.take(), part.operator];
                other.operator = Some(Operator::sum(both.into_iter().flatten().collect()));
            }
            None => parts.push(part),
        }
    }
    parts.extend(curved.iter().map(|&var| Part { var, member: Member::None, operator: None }));
    (!curved.is_empty()).then_some(Affine { parts, offset: affine.offset })
}

/// What its outermost additions and subtractions add up.
fn summands<'e>(expr: &'e Expr, sign: f64, all: &mut Vec<(f64, &'e Expr)>) {
    match &expr.kind {
        ExprKind::Apply(Function::Add, sides) => sides.iter().for_each(|side| summands(side, sign, all)),
        ExprKind::Apply(Function::Sub, sides) => {
            let signs = [sign, -sign];
            sides.iter().zip(signs).for_each(|(side, sign)| summands(side, sign, all));
        }
        ExprKind::Apply(Function::Neg, inner) => summands(&inner[0], -sign, all),
        _ => all.push((sign, expr)),
    }
}

/// Adds a summand's numbers; one number stands in every row.
fn add(sum: &mut [f64], sign: f64, numbers: &[f64]) {
    let numbers = numbers.iter().cycle();
    sum.iter_mut().zip(numbers).for_each(|(sum, x)| *sum += sign * x);
}

/// A summand's part with its sign; one row stands in all `n`.
fn spread(part: Part, sign: f64, n: usize) -> Part {
    let operator = part.operator.map(|own| {
        let own = if own.rows() == n { own } else { Operator::compose(Operator::ones(n).adjoint(), own) };
        if sign == 1.0 { own } else { Operator::scaled(sign, own) }
    });
    Part { operator, ..part }
}
