//! Networks on curves of their parameters: how fast the outputs grow.
//!
//! ```text
//! W_j = 0, b_j = t;     W_k = t for k > j, that of the last one ±t;     else 0
//!     ⟹   layer j gives t for every input,  layer k gives about t^(k−j+1)
//! ```
//!
//! So a network of L layers of weights whose activations are piecewise linear goes like ±t^L, whatever it
//! reads: along tθ it is homogeneous of degree L in its weights. An activation that levels off, as tanh and
//! sigmoid do, starts the count anew.

use super::growth;
use super::tail::{Order, Tail};
use crate::model::ir::{LayerKind, Net, NetLayer};
use crate::tape::ops::Window;

/// A curve of some variables.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Curve {
    /// Of parameters: the first layer with a bias that grows, and the sign of the last one.
    Layers {
        /// A position in the network's layers.
        start: usize,
        /// ±1
        sign: f64,
    },
    /// Every element is ± that order.
    Elements {
        /// ±1
        sign: f64,
        /// `t`, or `1/t` towards the edge of what is positive.
        order: Order,
    },
    /// A line in any direction: an element grows like t at most, with any sign.
    Line,
    /// Anywhere: what holds of every point.
    Anywhere,
}

impl Curve {
    /// The variables themselves.
    pub fn leaf(self) -> Tail {
        match self {
            // Some of the parameters are 0, others ±t.
            Curve::Layers { .. } => Tail::within(Order::LINEAR),
            Curve::Elements { sign, order } => Tail::like(sign, order),
            Curve::Line => Tail::within(Order::LINEAR),
            Curve::Anywhere => Tail::ANY,
        }
    }

    /// The values of a network's first `layers` layers without the last `undone` activations.
    pub fn net(self, net: &Net, layers: usize, undone: usize) -> Tail {
        match self {
            Curve::Layers { start, sign } => along(&net.layers[..layers], start, sign, undone),
            Curve::Elements { .. } | Curve::Line | Curve::Anywhere => unknown(net, layers, undone),
        }
    }
}

/// The curves of a network's parameters, the fastest first.
pub(super) fn curves(net: &Net) -> Vec<Curve> {
    let starts = (0..net.layers.len()).filter(|&at| bias(&net.layers[at].kind).is_some());
    starts.flat_map(|start| [-1.0, 1.0].map(|sign| Curve::Layers { start, sign })).collect()
}

/// The bias of a layer that multiplies by weights.
fn bias(kind: &LayerKind) -> Option<usize> {
    match kind {
        LayerKind::Dense { bias, .. } | LayerKind::Conv { bias, .. } | LayerKind::ConvTranspose { bias, .. } => *bias,
        _ => None,
    }
}

fn weighs(kind: &LayerKind) -> bool {
    matches!(kind, LayerKind::Dense { .. } | LayerKind::Conv { .. } | LayerKind::ConvTranspose { .. })
}

/// Applies a layer's activations but the last `undone`.
fn activated(layer: &NetLayer, x: Tail, undone: usize) -> Tail {
    let kept = layer.activations.len().saturating_sub(undone);
    layer.activations[..kept].iter().fold(x, |x, &(activation, s)| growth::activation(activation, s, x))
}

fn along(layers: &[NetLayer], start: usize, sign: f64, undone: usize) -> Tail {
    let last = layers.iter().rposition(|layer| weighs(&layer.kind));
    let weight = |at: usize| Tail::like(if Some(at) == last { sign } else { 1.0 }, Order::LINEAR);
    let zero = Tail::between(0.0, 0.0);
    let mut x = Tail::FIXED;
    for (at, layer) in layers.iter().enumerate() {
        x = match &layer.kind {
            kind if weighs(kind) && at == start => weight(at),
            // What goes into the layer that the curve starts at is multiplied by 0.
            _ if at < start => Tail::FIXED,
            // Sums of at least one product.
            LayerKind::Dense { .. } => weight(at).times(x),
            LayerKind::Conv { window, .. } if is_met(window) => weight(at).times(x),
            LayerKind::Conv { .. } | LayerKind::ConvTranspose { .. } => weight(at).times(x).or(zero),
            LayerKind::Pool { window, .. } if window.padding == [0, 0] => x,
            LayerKind::Pool { .. } | LayerKind::Dropout { .. } => x.or(zero),
            LayerKind::Reshape => x,
            LayerKind::LayerNorm { bias: Some(_), .. } => Tail::like(1.0, Order::LINEAR),
            LayerKind::LayerNorm { bias: None, .. } => Tail::ANY,
            // Its own parameters are 0, so what it adds stays.
            LayerKind::Residual(inner) if inner.iter().any(|layer| weighs(&layer.kind)) => x.plus(Tail::FIXED),
            LayerKind::Residual(_) => Tail::ANY,
        };
        x = activated(layer, x, if at + 1 == layers.len() { undone } else { 0 });
    }
    x
}

/// Whether every position of a window lies over some number of the image, not in the margin alone.
fn is_met(window: &Window) -> bool {
    window.padding == [0, 0]
}

/// A network whose parameters stay, on such inputs: every activation grows no faster than what goes in.
pub(super) fn fixed(net: &Net, layers: usize, input: Tail, undone: usize) -> Tail {
    let within = Tail::within(input.size());
    net.layers[..layers].last().map_or(within, |layer| activated(layer, within, undone))
}

/// A network of which nothing is known but its last activations.
pub(super) fn unknown(net: &Net, layers: usize, undone: usize) -> Tail {
    net.layers[..layers].last().map_or(Tail::ANY, |layer| activated(layer, Tail::ANY, undone))
}
