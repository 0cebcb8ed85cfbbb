//! Activations of networks that are more than one op. Each is written so that value and slope are
//! finite wherever they should be, and so that the slope at a kink is the one of the left.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use super::builder::Builder;
use super::ir::{Binary, Unary, Value};

impl Builder {
    /// `x > 0 ? x : slope · x`
    pub fn leaky_relu(&mut self, x: Value, slope: f64) -> Value {
        let (one, slope) = (self.constant_like(1.0, x), self.constant_like(slope, x));
        let positive = self.unary(Unary::Step, x);
        let slope = self.select(positive, one, slope);
        self.mul(slope, x)
    }

    /// `x > 0 ? x : alpha (eˣ − 1)`
    pub fn elu(&mut self, x: Value, alpha: f64) -> Value {
        let zero = self.constant_like(0.0, x);
        // Where x is positive, the exponential of x might overflow; it is not chosen, but 0 · ∞ in
        // its slope would be.
        let left = self.binary(Binary::Min, x, zero);
        let left = self.unary(Unary::Expm1, left);
        let left = self.scale(alpha, left);
        let positive = self.unary(Unary::Step, x);
        self.select(positive, x, left)
    }

    /// `elu` scaled so that activations keep mean 0 and variance 1 (Klambauer et al. 2017, §2).
    pub fn selu(&mut self, x: Value) -> Value {
        let elu = self.elu(x, 1.673_263_242_354_377_2);
        self.scale(1.050_700_987_355_480_5, elu)
    }

    /// `x Φ(x)`, Φ the normal distribution function (Hendrycks & Gimpel 2016).
    pub fn gelu(&mut self, x: Value) -> Value {
        let scaled = self.scale(FRAC_1_SQRT_2, x);
        let erf = self.unary(Unary::Erf, scaled);
        let twice = self.offset(erf, 1.0);
        let half = self.scale(0.5, x);
        self.mul(half, twice)
    }

    /// `½x(1 + tanh(√(2/π)(x + 0.044715x³)))`, the authors' approximation of `gelu`.
    pub fn gelu_tanh(&mut self, x: Value) -> Value {
        let square = self.unary(Unary::Square, x);
        let cubic = self.scale(0.044_715, square);
        let cubic = self.offset(cubic, 1.0);
        let inner = self.mul(cubic, x);
        let inner = self.scale((2.0 / PI).sqrt(), inner);
        let tanh = self.unary(Unary::Tanh, inner);
        let twice = self.offset(tanh, 1.0);
        let half = self.scale(0.5, x);
        self.mul(half, twice)
    }

    /// `x σ(x)`, also called swish.
    pub fn silu(&mut self, x: Value) -> Value {
        let gate = self.unary(Unary::Sigmoid, x);
        self.mul(gate, x)
    }

    /// `x tanh(softplus x)`
    pub fn mish(&mut self, x: Value) -> Value {
        let softplus = self.unary(Unary::Softplus, x);
        let gate = self.unary(Unary::Tanh, softplus);
        self.mul(gate, x)
    }

    /// `x / (1 + |x|)`
    pub fn softsign(&mut self, x: Value) -> Value {
        let magnitude = self.unary(Unary::Abs, x);
        let below = self.offset(magnitude, 1.0);
        self.div(x, below)
    }

    /// `clamp(x, −1, 1)`
    pub fn hard_tanh(&mut self, x: Value) -> Value {
        let (lower, upper) = (self.constant_like(-1.0, x), self.constant_like(1.0, x));
        self.clamp(x, lower, upper)
    }

    /// `clamp(x/6 + ½, 0, 1)`
    pub fn hard_sigmoid(&mut self, x: Value) -> Value {
        let line = self.scale(1.0 / 6.0, x);
        let line = self.offset(line, 0.5);
        let (lower, upper) = (self.constant_like(0.0, x), self.constant_like(1.0, x));
        self.clamp(line, lower, upper)
    }

    /// `x · hard_sigmoid(x)`
    pub fn hard_swish(&mut self, x: Value) -> Value {
        let gate = self.hard_sigmoid(x);
        self.mul(gate, x)
    }
}
