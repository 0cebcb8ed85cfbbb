//! E0509: a sum over a random batch beside a written ρ.
//!
//! A sum over B rows is B times their mean: its slopes, and with them the step length that a gradient step can
//! take and the ρ that balances it, grow with B. A written ρ is meant for one B. Said where E0604 finds the number
//! right: that is when a change of `batch` makes it wrong in silence.
//!
//! Steps that read all the data are left alone. Exact ones are measured by E0604, with their rows; and gradient
//! steps on a fixed sum bear a wide range: 64 points of a sine fitted with ten steps of 2e-3 end within a per cent
//! of each other for ρ from 0.03 to 300.

use super::number;
use crate::catalogue::Function;
use crate::diag::{Code, Diag, Diags};
use crate::model::Model;
use crate::model::fold::fold;
use crate::model::ir::{Adapt, Descent, DescentKind, Expr, ExprKind, Leaf, Rho, SampleId};
use crate::source::Span;
use crate::steps::ir::{AdmmPlan, Rule};

/// Functions that add up the rows of their first argument, or of their second.
const SUMS: &[Function] = &[
    Function::Sum,
    Function::SumSquares,
    Function::Norm1,
    Function::Hinge,
    Function::Huber,
    Function::Logistic,
    Function::Poisson,
    Function::Quantile,
    Function::SquareHinge,
    Function::KlDiv,
    Function::NegLog,
];

/// Means that a sum weighs more than: `sum(…)/64` of 64 rows is their mean.
const MEAN: f64 = 1.0 + 1e-9;

/// A sum over a batch.
struct Found {
    sample: SampleId,
    /// The sum itself.
    span: Span,
    /// How many times the mean it is.
    times: f64,
}

pub(super) fn remarks(model: &Model, plan: &AdmmPlan, diags: &mut Diags) {
    let (Rho::Value(rho), Adapt::Fixed, Some(rate)) = (plan.settings.rho, plan.settings.adapt, plan.rate()) else {
        return;
    };
    let kappa = rho * rate;
    if !plan.is_stochastic() || !super::far_off::KAPPA.contains(&kappa) {
        return;
    }
    let terms = &model.players[plan.player.index()].terms;
    let stepped = plan.steps().filter(|step| step.sampled && is_plain(&step.rule));
    let all = stepped.flat_map(|step| &step.component.terms).find_map(|&at| {
        let found = sum(model, &terms[at].expr, 1.0)?;
        (found.times > MEAN).then_some(found)
    });
    let Some(Found { sample, span, times }) = all else { return };
    let sample = &model.samples[sample.index()];
    let setting = plan.settings.rho_at;
    let here = if setting.is_empty() { span } else { setting };
    let mut diag = Diag::new(
        Code::SumWithNumericRho,
        here,
        format!("ρ = {} suits a sum over {} rows, and no other batch", number(rho), sample.batch),
    )
    .here("stays when the batch changes")
    .label(span, format!("{} times the mean of its rows", number(times)))
    .label(sample.span, format!("{} rows a batch", sample.batch))
    .certify(format!(
        "κ = ρ·rate = {}·{} = {}; at ten times the rows a gradient step is as stable at a tenth of the rate, where this ρ has κ = {}",
        number(rho),
        number(rate),
        number(kappa),
        number(kappa / 10.0)
    ))
    .help(format!(
        "the slopes of a sum grow with its rows, and the ρ that balances them with it; `kappa = {0}` is this ρ in units of 1/rate, and moves with the rate that another batch asks for; or take the `mean`, which is another problem: its term weighs {1} times less against the others",
        number(kappa),
        number(times)
    ));
    if !setting.is_empty() {
        diag = diag.fix(format!("write `kappa = {}`", number(kappa)), setting, format!("kappa = {}", number(kappa)));
    }
    diags.push(diag);
}

/// Whether the step's length is the rate times a gradient. Adam divides by the size of its gradients, which grows
/// with the rows: κ is in other units there, and nothing is said.
fn is_plain(rule: &Rule) -> bool {
    let gradient = |descent: &Descent| matches!(descent.kind, DescentKind::Gradient { .. });
    match rule {
        Rule::Descent(descent) => gradient(descent),
        Rule::Composite(it) => gradient(&it.descent),
        Rule::Quadratic { .. } | Rule::Prox(_) | Rule::Linearised(_) => false,
    }
}

/// The first sum over a redrawn batch in a term, under numbers, signs and sums.
fn sum(model: &Model, expr: &Expr, times: f64) -> Option<Found> {
    let ExprKind::Apply(function, args) = &expr.kind else { return None };
    let known = |expr: &Expr| fold(model, expr).and_then(|value| value.item()).map(f64::abs);
    match (function, &args[..]) {
        (Function::Neg, [inner]) => sum(model, inner, times),
        (Function::Add | Function::Sub, [a, b]) => sum(model, a, times).or_else(|| sum(model, b, times)),
        (Function::Mul | Function::ElemMul, [a, b]) => match (known(a), known(b)) {
            (Some(factor), None) => sum(model, b, times * factor),
            (None, Some(factor)) => sum(model, a, times * factor),
            _ => None,
        },
        (Function::Div | Function::ElemDiv, [a, b]) => sum(model, a, times / known(b)?),
        (function, args) if SUMS.contains(function) => args.iter().find_map(|arg| {
            let sample = batch(model, arg)?;
            let rows = model.samples[sample.index()].batch;
            (arg.shape.0.first() == Some(&rows)).then_some(Found {
                sample,
                span: expr.span,
                times: times * rows as f64,
            })
        }),
        _ => None,
    }
}

/// The sample that an expression reads, where it is redrawn.
fn batch(model: &Model, expr: &Expr) -> Option<SampleId> {
    let mut found = None;
    expr.leaves(&mut |leaf| match leaf {
        Leaf::Sample(id, ..) if !model.samples[id.index()].fixed => found = found.or(Some(id)),
        _ => {}
    });
    found
}
