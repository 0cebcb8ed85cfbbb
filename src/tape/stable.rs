//! Compositions whose written form over- or underflows, in a form that does not, with derivatives
//! that don't either.

use super::builder::Builder;
use super::ir::{Unary, Value};
use super::ops::Reducer;

impl Builder {
    /// `log Σ eˣ` along axes.
    pub fn logsumexp(&mut self, x: Value, axes: Vec<usize>) -> Value {
        self.reduce(Reducer::LogSumExp, x, axes)
    }

    /// `x − log Σ eˣ` along an axis.
    pub fn log_softmax(&mut self, x: Value, axis: usize) -> Value {
        let total = self.logsumexp(x, vec![axis]);
        let total = self.spread(total, axis, x);
        self.sub(x, total)
    }

    /// `eˣ / Σ eˣ` along an axis.
    pub fn softmax(&mut self, x: Value, axis: usize) -> Value {
        let log = self.log_softmax(x, axis);
        self.unary(Unary::Exp, log)
    }

    /// `‖x‖` over all elements; its slope at 0 is 0.
    pub fn norm2(&mut self, x: Value) -> Value {
        let axes = (0..self.shape(x).rank()).collect();
        self.norm2_along(x, axes)
    }

    /// `‖x‖` along axes.
    pub fn norm2_along(&mut self, x: Value, axes: Vec<usize>) -> Value {
        if axes.is_empty() {
            return self.unary(Unary::Abs, x);
        }
        self.reduce(Reducer::Norm2, x, axes)
    }

    /// A value that lacks `axis` of `like`, repeated along it.
    pub fn spread(&mut self, value: Value, axis: usize, like: Value) -> Value {
        let shape = self.shape(like).clone();
        let axes = (0..shape.rank()).filter(|&other| other != axis).collect();
        self.broadcast(value, axes, shape)
    }
}
