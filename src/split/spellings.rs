//! Common spellings, and what they mean: `sum(abs(e))` is `norm1(e)`, `-sum(log(e))` is `neg_log(e)`,
//! `log(1 + exp(e))` the logistic loss, `sum_largest(abs(e), k)` an `owl(e, w)`, and each may be counted by a
//! number.

use std::sync::Arc;

use super::scalar::{Phi, Scalar};
use crate::catalogue::Function;
use crate::model::fold::{fold, is_constant};
use crate::model::ir::{Expr, ExprKind, Model};
use crate::tape::Shape;

/// `w` and `e` of `w·e`, through known factors, signs and quotients.
pub(super) fn weighted<'e>(model: &Model, expr: &'e Expr) -> (f64, &'e Expr) {
    let number = |expr: &Expr| {
        let known = expr.shape.is_scalar() && is_constant(expr);
        known.then(|| fold(model, expr)).flatten().map(|tensor| tensor.to_f64()[0])
    };
    let (factor, inner) = match &expr.kind {
        ExprKind::Apply(Function::Neg, args) => (-1.0, &args[0]),
        ExprKind::Apply(Function::Mul | Function::ElemMul, args) => match (number(&args[0]), number(&args[1])) {
            (Some(factor), None) => (factor, &args[1]),
            (None, Some(factor)) => (factor, &args[0]),
            _ => return (1.0, expr),
        },
        ExprKind::Apply(Function::Div | Function::ElemDiv, args) => match number(&args[1]) {
            Some(divisor) if !is_constant(&args[0]) => (1.0 / divisor, &args[0]),
            _ => return (1.0, expr),
        },
        _ => return (1.0, expr),
    };
    let (weight, inner) = weighted(model, inner);
    (factor * weight, inner)
}

/// A function with a proximal step, and its weight: a member of the catalogue as it is written or what a common
/// spelling means, else what is written out.
pub(super) fn recognised(model: &Model, weight: f64, expr: &Expr) -> Option<(f64, Phi, Vec<Expr>)> {
    if let Some((weight, function, args)) = member(model, weight, expr) {
        return Some((weight, Phi::Member(function), args));
    }
    let (weight, summand) = summed(weight, expr)?;
    let (inner, summand) = weighted(model, summand);
    let weight = weight * inner;
    let scalar = Scalar::read(model, summand, weight < 0.0)?;
    let args = std::iter::once(scalar.subject.clone()).chain(scalar.constants.iter().cloned()).collect();
    Some((weight.abs(), Phi::Scalar(Arc::new(scalar)), args))
}

/// What stands under a sum or a mean, and how often it counts; a number is a sum of one.
fn summed(weight: f64, expr: &Expr) -> Option<(f64, &Expr)> {
    match &expr.kind {
        ExprKind::Apply(Function::Sum, args) => Some((weight, &args[0])),
        ExprKind::Apply(Function::Mean, args) => Some((weight / args[0].shape.numel().max(1) as f64, &args[0])),
        _ => expr.shape.is_scalar().then_some((weight, expr)),
    }
}

/// A member of the catalogue.
fn member(model: &Model, weight: f64, expr: &Expr) -> Option<(f64, Function, Vec<Expr>)> {
    let ExprKind::Apply(function, args) = &expr.kind else { return None };
    let proximal = |function: Function| function.proximal().is_some_and(|facts| !facts.indicator);
    // What has no map of its own may be a norm of something linear, as the total variation of an image.
    if let Some((outer, inner)) = function.composed() {
        let shape = inner.shape(&[args[0].shape.clone()]).ok()?;
        let inside = Expr { kind: ExprKind::Apply(inner, args.clone()), shape, span: expr.span };
        return Some((weight, outer, vec![inside]));
    }
    match function {
        Function::Entropy if weight < 0.0 => return Some((-weight, Function::NegEntropy, args.clone())),
        Function::Min if weight < 0.0 => return Some((-weight, Function::Max, vec![apply(Function::Neg, &args[0])])),
        _ => {}
    }
    let (weight, summand) = match function {
        Function::Sum | Function::Mean => summed(weight, expr)?,
        _ if expr.shape.is_scalar() && function.is_elementwise() => (weight, expr),
        Function::Max => {
            let ExprKind::Apply(Function::Abs, inner) = &args[0].kind else {
                return proximal(*function).then(|| (weight, *function, args.clone()));
            };
            return Some((weight, Function::NormInf, inner.clone()));
        }
        Function::SumLargest if let ExprKind::Apply(Function::Abs, inner) = &args[0].kind => {
            return Some((weight, Function::Owl, vec![inner[0].clone(), heaviest(model, &inner[0], &args[1])?]));
        }
        Function::Sqrt => {
            let ExprKind::Apply(Function::SumSquares, inner) = &args[0].kind else { return None };
            return Some((weight, Function::Norm2, inner.clone()));
        }
        _ => return proximal(*function).then(|| (weight, *function, args.clone())),
    };
    let (inner_weight, summand) = weighted(model, summand);
    let weight = weight * inner_weight;
    if let Some(margin) = softplus_of(model, summand) {
        let label = Expr { kind: ExprKind::Number(-1.0), shape: Shape::scalar(), span: summand.span };
        return Some((weight, Function::Logistic, vec![label, margin.clone()]));
    }
    let ExprKind::Apply(function, args) = &summand.kind else { return None };
    let zero = |expr: &Expr| fold(model, expr).is_some_and(|known| known.to_f64().iter().all(|&x| x == 0.0));
    match function {
        Function::Abs => Some((weight, Function::Norm1, vec![args[0].clone()])),
        Function::Log if weight < 0.0 => Some((-weight, Function::NegLog, vec![args[0].clone()])),
        Function::Maximum if args.len() == 2 && zero(&args[1]) => Some((weight, Function::Pos, vec![args[0].clone()])),
        Function::Maximum if args.len() == 2 && zero(&args[0]) => Some((weight, Function::Pos, vec![args[1].clone()])),
        function if function.is_elementwise() && proximal(*function) => Some((weight, *function, args.clone())),
        _ => None,
    }
}

/// Elements up to which the weights of the greatest magnitudes are written out.
const MOST_WEIGHTS: usize = 4096;

/// Weights of the magnitudes of a vector in descending order by which the k greatest count, of the next one a
/// part where k is no whole number.
fn heaviest(model: &Model, vector: &Expr, k: &Expr) -> Option<Expr> {
    let n = vector.shape.numel();
    if vector.shape.rank() != 1 || n == 0 || n > MOST_WEIGHTS {
        return None;
    }
    let k = fold(model, k)?.to_f64()[0];
    let weight = |at: usize| {
        let kind = ExprKind::Number((k - at as f64).clamp(0.0, 1.0));
        let number = Expr { kind, shape: Shape::scalar(), span: vector.span };
        Expr { kind: ExprKind::Reshape(Box::new(number)), shape: Shape::vector(1), span: vector.span }
    };
    let kind = ExprKind::Concat((0..n).map(weight).collect(), 0);
    Some(Expr { kind, shape: Shape::vector(n), span: vector.span })
}

/// `e` of `log(1 + exp(e))`, however it is written.
pub(super) fn softplus_of<'e>(model: &Model, expr: &'e Expr) -> Option<&'e Expr> {
    let applied = |expr: &'e Expr, wanted: Function| match &expr.kind {
        ExprKind::Apply(function, args) if *function == wanted => Some(args),
        _ => None,
    };
    let exponent = |expr: &'e Expr| applied(expr, Function::Exp).map(|args| &args[0]);
    let one = |expr: &Expr| fold(model, expr).is_some_and(|known| known.to_f64().iter().all(|&x| x == 1.0));
    if let Some(args) = applied(expr, Function::Softplus) {
        return Some(&args[0]);
    }
    if let Some(args) = applied(expr, Function::Log1p) {
        return exponent(&args[0]);
    }
    let sum = applied(&applied(expr, Function::Log)?[0], Function::Add)?;
    match (one(&sum[0]), one(&sum[1])) {
        (true, _) => exponent(&sum[1]),
        (_, true) => exponent(&sum[0]),
        _ => None,
    }
}

/// A function of one argument that keeps its shape.
fn apply(function: Function, arg: &Expr) -> Expr {
    Expr { kind: ExprKind::Apply(function, vec![arg.clone()]), shape: arg.shape.clone(), span: arg.span }
}
