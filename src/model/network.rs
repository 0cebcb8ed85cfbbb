//! Networks → the tape, layer by layer. Parameters are pieces of the flat vector, in PyTorch's layouts,
//! so that files are exchanged without a transpose.
//!
//! A batch lies along a first axis. A dense layer takes one input as it is; what acts on images takes it
//! as a batch of one.

use super::ir::{Activation, Expr, LayerKind, Net, NetLayer};
use super::lower::Lower;
use crate::catalogue::Function;
use crate::tape::ops::{Binary, ConvPart, Range, Reducer, Window};
use crate::tape::{Op, Shape, Type, Unary, Value};

/// Added to the variance before its root is taken, as PyTorch does.
const EPSILON: f64 = 1e-5;

/// A network's call under way.
struct Call<'a> {
    net: &'a Net,
    params: Value,
    /// Inputs of the batch; none where it is one input without a first axis.
    batch: Option<usize>,
    /// What dropouts keep, those that are still to come.
    masks: std::slice::Iter<'a, Expr>,
}

impl Call<'_> {
    /// The shape of a layer's value, of one input or of all.
    fn shape(&self, of_one: &Shape) -> Shape {
        Shape(self.batch.into_iter().chain(of_one.0.iter().copied()).collect())
    }

    /// The same with a first axis in any case.
    fn batched(&self, of_one: &Shape) -> Shape {
        Shape(std::iter::once(self.batch.unwrap_or(1)).chain(of_one.0.iter().copied()).collect())
    }
}

impl Lower<'_> {
    /// The first `layers` layers of a network, on one input or on a batch of them. `masks` are what its
    /// dropouts keep; without, they keep everything.
    pub(super) fn net(
        &mut self,
        net: &Net,
        [input, params]: [Value; 2],
        layers: usize,
        masks: &[Expr],
        batch: Option<usize>,
    ) -> Value {
        let mut call = Call { net, params, batch, masks: masks.iter() };
        let x = self.b.reshape(input, call.shape(&net.input));
        self.layers(&mut call, &net.layers[..layers], x)
    }

    fn layers(&mut self, call: &mut Call, layers: &[NetLayer], mut x: Value) -> Value {
        for layer in layers {
            let outer = self.b.set_origin(Some(layer.span));
            x = self.layer(call, layer, x);
            for &(activation, parameter) in &layer.activations {
                x = self.activation(activation, parameter, x);
            }
            self.b.set_origin(outer);
        }
        x
    }

    fn layer(&mut self, call: &mut Call, layer: &NetLayer, x: Value) -> Value {
        match layer.kind {
            LayerKind::Dense { weight, bias } => {
                let w = self.entry(call, weight);
                let bias = bias.map(|bias| self.entry(call, bias));
                self.dense(x, w, bias)
            }
            LayerKind::Conv { weight, bias, window } => {
                self.conv(call, (ConvPart::Output, window), weight, bias, &layer.output, x)
            }
            LayerKind::ConvTranspose { weight, bias, window } => {
                self.conv(call, (ConvPart::Input, window), weight, bias, &layer.output, x)
            }
            LayerKind::Pool { average, kernel, window } => {
                let pooled = self.pool(call, average, kernel, window, &layer.output, x);
                self.b.reshape(pooled, call.shape(&layer.output))
            }
            LayerKind::Reshape => self.b.reshape(x, call.shape(&layer.output)),
            LayerKind::Dropout { rate } => self.dropout(call, rate, x),
            LayerKind::LayerNorm { weight, bias } => {
                let w = self.entry(call, weight);
                let bias = bias.map(|bias| self.entry(call, bias));
                self.layer_norm(call, w, bias, x)
            }
            LayerKind::Residual(ref layers) => {
                let inner = self.layers(call, layers, x);
                self.b.add(x, inner)
            }
        }
    }

    fn entry(&mut self, call: &Call, entry: usize) -> Value {
        let entry = &call.net.entries[entry];
        let piece = self.b.segment(call.params, entry.offset, entry.shape.numel());
        self.b.reshape(piece, entry.shape.clone())
    }

    /// `x·Wᵀ + b` of a batch, `W x + b` of one input.
    fn dense(&mut self, x: Value, w: Value, bias: Option<Value>) -> Value {
        if self.b.shape(x).rank() < 2 {
            let product = self.b.matvec(w, x, false);
            return bias.map_or(product, |bias| self.b.add(product, bias));
        }
        let product = self.b.matmul(x, w, false, true);
        let Some(bias) = bias else { return product };
        let bias = self.b.broadcast(bias, vec![1], self.b.shape(product).clone());
        self.b.add(product, bias)
    }

    fn conv(
        &mut self,
        call: &Call,
        (part, window): (ConvPart, Window),
        weight: usize,
        bias: Option<usize>,
        output: &Shape,
        x: Value,
    ) -> Value {
        let w = self.entry(call, weight);
        let x = self.images(x);
        let ty = Type { dtype: self.dtype, shape: call.batched(output) };
        let mut y = self.b.push(Op::Conv { part, window }, vec![x, w], ty.clone());
        if let Some(bias) = bias {
            let bias = self.entry(call, bias);
            let bias = self.b.broadcast(bias, vec![1], ty.shape);
            y = self.b.add(y, bias);
        }
        self.b.reshape(y, call.shape(output))
    }

    /// One image as a batch of one.
    fn images(&mut self, x: Value) -> Value {
        let shape = self.b.shape(x);
        match shape.rank() {
            3 => {
                let shape = Shape(std::iter::once(1).chain(shape.0.iter().copied()).collect());
                self.b.reshape(x, shape)
            }
            _ => x,
        }
    }

    /// The greatest under the window is that of as many shifted images as the window has pixels, the mean
    /// their sum. A tie gives its slope to the first, row by row.
    fn pool(
        &mut self,
        call: &Call,
        average: bool,
        kernel: [usize; 2],
        window: Window,
        output: &Shape,
        x: Value,
    ) -> Value {
        let x = self.images(x);
        let [sides, positions] = [&self.b.shape(x).0[2..], &output.0[1..]].map(|sides| [sides[0], sides[1]]);
        // How far the window reaches: margins, and rows that no position needs left out.
        let reach = [0, 1].map(|axis| window.stride[axis] * (positions[axis] - 1) + kernel[axis]);
        let x = self.margins(x, sides, window.padding, reach, if average { 0.0 } else { f64::NEG_INFINITY });
        let batched = call.batched(output);
        let mut pooled = None;
        for (row, column) in (0..kernel[0]).flat_map(|row| (0..kernel[1]).map(move |column| (row, column))) {
            let whole = |axis: usize| Range { start: 0, len: batched.0[axis], step: 1 };
            let along = |start: usize, axis: usize| Range { start, len: positions[axis], step: window.stride[axis] };
            let shifted = self.b.slice(x, vec![whole(0), whole(1), along(row, 0), along(column, 1)]);
            pooled = Some(match pooled {
                None => shifted,
                Some(pooled) if average => self.b.add(pooled, shifted),
                Some(pooled) => self.b.binary(Binary::Max, pooled, shifted),
            });
        }
        let pooled = pooled.expect("a window has a pixel");
        if average { self.b.scale(1.0 / (kernel[0] * kernel[1]) as f64, pooled) } else { pooled }
    }

    /// The images with margins of a number, cut to what a window reaches.
    fn margins(&mut self, x: Value, sides: [usize; 2], padding: [usize; 2], reach: [usize; 2], fill: f64) -> Value {
        let mut x = x;
        for (axis, (side, (before, reach))) in
            [2, 3].into_iter().zip(sides.into_iter().zip(padding.into_iter().zip(reach)))
        {
            let mut shape = self.b.shape(x).clone();
            let taken = side.min(reach - before);
            if taken < side {
                let whole = |(at, &len): (usize, &usize)| Range {
                    start: 0,
                    len: if at == axis { taken } else { len },
                    step: 1,
                };
                let ranges = shape.0.iter().enumerate().map(whole).collect();
                x = self.b.slice(x, ranges);
            }
            let mut parts = Vec::new();
            for margin in [before, reach - before - taken] {
                shape.0[axis] = margin;
                let number = self.b.constant(fill, self.dtype);
                parts.push((margin > 0).then(|| self.b.broadcast_scalar(number, &shape)));
            }
            parts.insert(1, Some(x));
            x = self.b.concat(parts.into_iter().flatten().collect(), axis);
        }
        x
    }

    fn dropout(&mut self, call: &mut Call, rate: f64, x: Value) -> Value {
        let Some(mask) = call.masks.next() else { return x };
        let mask = self.expr(mask);
        let mask = self.b.reshape(mask, self.b.shape(x).clone());
        let kept = self.b.scale(1.0 / (1.0 - rate), mask);
        self.b.mul(x, kept)
    }

    fn layer_norm(&mut self, call: &Call, w: Value, bias: Option<Value>, x: Value) -> Value {
        let shape = self.b.shape(x).clone();
        let n = call.batch.unwrap_or(1);
        let rows = Shape::matrix(n, shape.numel() / n.max(1));
        let length = rows.0[1] as f64;
        let x = self.b.reshape(x, rows.clone());
        let mean = |lower: &mut Self, x: Value| {
            let sum = lower.b.reduce(Reducer::Sum, x, vec![1]);
            lower.b.scale(1.0 / length, sum)
        };
        let average = mean(self, x);
        let average = self.b.broadcast(average, vec![0], rows.clone());
        let centred = self.b.sub(x, average);
        let squares = self.b.unary(Unary::Square, centred);
        let variance = mean(self, squares);
        let shifted = self.b.offset(variance, EPSILON);
        let deviation = self.b.unary(Unary::Sqrt, shifted);
        let deviation = self.b.broadcast(deviation, vec![0], rows.clone());
        let mut y = self.b.div(centred, deviation);
        for (part, multiplies) in [(Some(w), true), (bias, false)] {
            let Some(part) = part else { continue };
            let part = self.b.reshape(part, [rows.0[1]]);
            let part = self.b.broadcast(part, vec![1], rows.clone());
            y = if multiplies { self.b.mul(y, part) } else { self.b.add(y, part) };
        }
        self.b.reshape(y, shape)
    }

    fn activation(&mut self, activation: Activation, parameter: f64, x: Value) -> Value {
        let function = activation.function();
        let shape = self.b.shape(x).clone();
        let mut args = vec![x];
        if function.signature().parameters().len() > 1 {
            args.push(self.b.constant(parameter, self.dtype));
        }
        function.lower(&mut self.b, &args, &shape)
    }
}

impl Activation {
    /// The function of the catalogue that it is.
    pub fn function(self) -> Function {
        match self {
            Activation::Relu => Function::Relu,
            Activation::LeakyRelu => Function::LeakyRelu,
            Activation::Tanh => Function::Tanh,
            Activation::Sigmoid => Function::Sigmoid,
            Activation::Softplus => Function::Softplus,
            Activation::Elu => Function::Elu,
            Activation::Selu => Function::Selu,
            Activation::Gelu => Function::Gelu,
            Activation::Silu => Function::Silu,
            Activation::Sine => Function::Sin,
            Activation::Softmax => Function::Softmax,
            Activation::LogSoftmax => Function::LogSoftmax,
        }
    }
}
