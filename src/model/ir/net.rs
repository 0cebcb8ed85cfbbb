//! Networks: layers with every shape known, and where their parameters lie in one flat vector.

use crate::source::Span;
use crate::tape::Shape;
use crate::tape::ops::Window;

/// A network.
#[derive(Debug, Clone, PartialEq)]
pub struct Net {
    /// As written.
    pub name: String,
    /// The declaration.
    pub span: Span,
    /// Shape of one input.
    pub input: Shape,
    /// Shape of one output; `[]` where the last width is 1, so that a batch gives a vector.
    pub output: Shape,
    /// Layers in order.
    pub layers: Vec<NetLayer>,
    /// Parameters in the flat vector, in order.
    pub entries: Vec<Entry>,
    /// Length of the flat vector.
    pub numel: usize,
}

/// One stage of a network, activations included.
#[derive(Debug, Clone, PartialEq)]
pub struct NetLayer {
    /// What it does.
    pub kind: LayerKind,
    /// Elementwise functions applied to its result, in order, each with its parameter.
    pub activations: Vec<(Activation, f64)>,
    /// The layer in the source.
    pub span: Span,
    /// Shape of one result.
    pub output: Shape,
}

/// What a layer does. Weights have PyTorch's layout, so files are exchanged without transposes.
#[derive(Debug, Clone, PartialEq)]
pub enum LayerKind {
    /// `y = W x + b`, `W: [out, in]`, at these entries.
    Dense {
        /// Entry of `W`.
        weight: usize,
        /// Entry of `b`.
        bias: Option<usize>,
    },
    /// Convolution by `W: [out, in/groups, rows, columns]`, plus `b` in each channel.
    Conv {
        /// Entry of `W`.
        weight: usize,
        /// Entry of `b`.
        bias: Option<usize>,
        /// How the kernel moves.
        window: Window,
    },
    /// The adjoint of a convolution, by `W: [in, out/groups, rows, columns]`, plus `b`.
    ConvTranspose {
        /// Entry of `W`.
        weight: usize,
        /// Entry of `b`.
        bias: Option<usize>,
        /// How the kernel moves.
        window: Window,
    },
    /// The greatest number under a window, or the mean, margins counted as zeros.
    Pool {
        /// The mean.
        average: bool,
        /// Rows and columns of the window.
        kernel: [usize; 2],
        /// How it moves.
        window: Window,
    },
    /// The same numbers in the shape of the output.
    Reshape,
    /// In an objective, each number is zero with that probability, and else divided by `1 − rate`.
    Dropout {
        /// The probability.
        rate: f64,
    },
    /// `w (x − mean)/√(variance + ε) + b` over all of one input; `w` and `b` have its shape.
    LayerNorm {
        /// Entry of `w`.
        weight: usize,
        /// Entry of `b`.
        bias: Option<usize>,
    },
    /// `x + layers(x)`
    Residual(Vec<NetLayer>),
}

/// Elementwise functions of layers, each with at most one parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Activation {
    /// `max(x, 0)`
    Relu,
    /// `x > 0 ? x : s x`
    LeakyRelu,
    /// `tanh x`
    Tanh,
    /// `1/(1 + e⁻ˣ)`
    Sigmoid,
    /// `log(1 + eˣ)`
    Softplus,
    /// `x > 0 ? x : s (eˣ − 1)`
    Elu,
    /// self-normalising elu
    Selu,
    /// `x Φ(x)`
    Gelu,
    /// `x σ(x)`
    Silu,
    /// `sin x`
    Sine,
    /// softmax of the vector
    Softmax,
    /// its logarithm
    LogSoftmax,
}

/// One named piece of a network's flat parameter vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// `layer1`; `layer2.layer1` inside a residual
    pub layer: String,
    /// `weight`, `bias`
    pub name: String,
    /// Its shape.
    pub shape: Shape,
    /// First element in the flat vector.
    pub offset: usize,
    /// Its initialiser.
    pub init: EntryInit,
}

/// Initialisers of network parameters; `fan_in`, `fan_out` from the layer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum EntryInit {
    /// Zeros (biases).
    Zeros,
    /// Ones (scales).
    Ones,
    /// Normal of that standard deviation.
    Normal(f64),
    /// Uniform on ±bound.
    Uniform(f64),
}

impl Net {
    /// The shape of one value of its first `layers` layers.
    pub fn result(&self, layers: usize) -> &Shape {
        if layers == self.layers.len() { &self.output } else { &self.layers[layers - 1].output }
    }

    /// How many inputs a call has whose value is of that shape; none where it is one without a first axis.
    pub fn batch(&self, layers: usize, shape: &Shape) -> Option<usize> {
        if shape.rank() > self.result(layers).rank() { Some(shape.0[0]) } else { None }
    }

    /// Where the bias of the last layer lies among the parameters, where it has one.
    pub fn last_bias(&self) -> Option<std::ops::Range<usize>> {
        let (LayerKind::Dense { bias, .. } | LayerKind::Conv { bias, .. } | LayerKind::ConvTranspose { bias, .. }) =
            self.layers.last()?.kind
        else {
            return None;
        };
        let entry = &self.entries[bias?];
        Some(entry.offset..entry.offset + entry.shape.numel())
    }

    /// The entries that multiply what goes into a layer: matrices and kernels, no bias, no scale of a norm.
    pub fn weights(&self) -> Vec<usize> {
        fn each(layers: &[NetLayer], all: &mut Vec<usize>) {
            for layer in layers {
                match &layer.kind {
                    LayerKind::Dense { weight, .. }
                    | LayerKind::Conv { weight, .. }
                    | LayerKind::ConvTranspose { weight, .. } => all.push(*weight),
                    LayerKind::Residual(inner) => each(inner, all),
                    LayerKind::Pool { .. }
                    | LayerKind::Reshape
                    | LayerKind::Dropout { .. }
                    | LayerKind::LayerNorm { .. } => {}
                }
            }
        }
        let mut all = Vec::new();
        each(&self.layers, &mut all);
        all
    }
}
