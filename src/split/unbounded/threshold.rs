//! How large ρ must be, at least, for a step of a network of two layers with a likelihood of the wrong sign.
//!
//! ```text
//! θ: every row of [W₁ b₁] is g, every entry of W₂ −‖g‖,     g = (mean x, 1)
//! mean log σ(u(x; tθ)) ≤ −t² H ‖g‖ mean relu(⟨g, (x, 1)⟩) ≤ −t² H ‖g‖³,     ‖tθ‖² = 2 t² H ‖g‖²
//! ```
//!
//! so against (ρ/2)‖θ − θ₂‖² the step falls without end along tθ for every ρ < ‖g‖, whatever the width H: from
//! log σ(u) ≤ u and relu(a) ≥ a, and both hold for a leaky relu too.

use super::growth::Reader;
use crate::catalogue::Function;
use crate::model::Model;
use crate::model::ir::{Activation, Expr, ExprKind, LayerKind, Leaf, Member, Net, SampleSource};

/// `‖g‖` of the term `mean(log(sigmoid(f(x; θ))))`, or of that of `1 − sigmoid`, and what x is called; none
/// where it is another term or x is not at hand.
pub(super) fn least(reader: &Reader, term: &Expr) -> Option<(f64, String)> {
    let model = reader.model;
    let ExprKind::Apply(Function::Mean, args) = &term.kind else { return None };
    let ExprKind::Apply(Function::Log, args) = &args[0].kind else { return None };
    let share = match &args[0].kind {
        ExprKind::Apply(Function::Sub, sides) if matches!(sides[0].kind, ExprKind::Number(1.0)) => &sides[1],
        _ => &args[0],
    };
    let (call, activations) = match &share.kind {
        ExprKind::Apply(Function::Sigmoid, args) => (&args[0], 0),
        _ => (share, 1),
    };
    let ExprKind::Net { net, input, layers, .. } = &call.kind else { return None };
    let net = &model.nets[net.index()];
    if *layers != net.layers.len() || !is_plain(net, activations) {
        return None;
    }
    let mean = mean(model, input, net.input.numel())?;
    let norm = (mean.iter().map(|x| x * x).sum::<f64>() + 1.0).sqrt();
    let ExprKind::Leaf(leaf) = input.kind else { return None };
    norm.is_finite().then(|| (norm, model.leaf_name(leaf)))
}

/// Two dense layers, a relu between them, and behind them so many activations: a sigmoid or none.
fn is_plain(net: &Net, last: usize) -> bool {
    let [first, second] = &net.layers[..] else { return false };
    let dense = |kind: &LayerKind| matches!(kind, LayerKind::Dense { .. });
    let bent = match first.activations[..] {
        [(Activation::Relu, _)] => true,
        [(Activation::LeakyRelu, s)] => (0.0..=1.0).contains(&s),
        _ => false,
    };
    matches!(first.kind, LayerKind::Dense { bias: Some(_), .. })
        && dense(&second.kind)
        && bent
        && second.activations.len() == last
        && second.activations.iter().all(|(activation, _)| *activation == Activation::Sigmoid)
}

/// The mean input of a network, over the rows of data or of what a batch is drawn from.
fn mean(model: &Model, input: &Expr, width: usize) -> Option<Vec<f64>> {
    let id = match input.kind {
        ExprKind::Leaf(Leaf::Data(id, Member::None)) => id,
        ExprKind::Leaf(Leaf::Sample(sample, part, Member::None)) => match &model.samples[sample.index()].source {
            SampleSource::Rows(ids) => *ids.get(part as usize)?,
            _ => return None,
        },
        _ => return None,
    };
    let numbers = model.data[id.index()].tensor.to_f64();
    if width == 0 || numbers.is_empty() || !numbers.len().is_multiple_of(width) {
        return None;
    }
    let mut mean = vec![0.0; width];
    for row in numbers.chunks_exact(width) {
        mean.iter_mut().zip(row).for_each(|(mean, x)| *mean += x);
    }
    let rows = (numbers.len() / width) as f64;
    mean.iter_mut().for_each(|x| *x /= rows);
    Some(mean)
}
