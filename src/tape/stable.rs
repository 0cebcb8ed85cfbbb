//! Compositions whose written form over- or underflows, in a form that does not, with derivatives
//! that don't either.

use super::builder::Builder;
use super::ir::{Binary, Unary, Value};
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

    /// `√(a² + b²)`, whose squares neither overflow nor vanish.
    pub fn hypot(&mut self, a: Value, b: Value) -> Value {
        let (a, b) = (self.unary(Unary::Abs, a), self.unary(Unary::Abs, b));
        let (long, short) = (self.binary(Binary::Max, a, b), self.binary(Binary::Min, a, b));
        let ratio = self.div(short, long);
        let square = self.unary(Unary::Square, ratio);
        let square = self.offset(square, 1.0);
        let factor = self.unary(Unary::Sqrt, square);
        let length = self.mul(long, factor);
        // Of two zeros the ratio is none.
        self.select(long, length, long)
    }

    /// `u` with `u + eᵘ = c`: the logarithm of the Wright omega function (Corless & Jeffrey, The Wright ω
    /// function, 2002). Newton's method on a convex function from the right of its root, from which it
    /// falls. Where `c` is beyond ±10³⁰, it is cut to that.
    pub fn log_omega(&mut self, c: Value) -> Value {
        let (least, most) = (self.constant_like(-1e30, c), self.constant_like(1e30, c));
        let c = self.clamp(c, least, most);
        let one = self.constant_like(1.0, c);
        let large = self.binary(Binary::Less, one, c);
        let above = self.binary(Binary::Max, c, one);
        let log = self.unary(Unary::Log, above);
        let mut u = self.select(large, log, c);
        // From the farthest start, 1, the fifth step is below a rounding; one more is taken.
        for _ in 0..6 {
            let e = self.unary(Unary::Exp, u);
            let sum = self.add(u, e);
            let excess = self.sub(sum, c);
            let slope = self.offset(e, 1.0);
            let step = self.div(excess, slope);
            u = self.sub(u, step);
        }
        u
    }

    /// A value that lacks `axis` of `like`, repeated along it.
    pub fn spread(&mut self, value: Value, axis: usize, like: Value) -> Value {
        let shape = self.shape(like).clone();
        let axes = (0..shape.rank()).filter(|&other| other != axis).collect();
        self.broadcast(value, axes, shape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::reference::{Rounding, interpret};
    use crate::tape::{Dtype, Type};

    fn run(x: &[f64], y: &[f64], build: fn(&mut Builder, Value, Value) -> Value) -> Vec<f64> {
        let mut b = Builder::new("run");
        let a = b.input("x", Type::new(Dtype::F64, [x.len()]));
        let c = b.input("y", Type::new(Dtype::F64, [y.len()]));
        let z = build(&mut b, a, c);
        interpret(b.program(), &[x.to_vec(), y.to_vec()], Rounding::Outputs).swap_remove(z.index())
    }

    #[test]
    fn lengths() {
        let (x, y) = ([3.0, 3e300, -3e-300, 0.0, -5.0], [-4.0, 4e300, 4e-300, 0.0, 0.0]);
        let length = run(&x, &y, |b, x, y| b.hypot(x, y));
        assert_eq!(length, [5.0, 5e300, 5e-300, 0.0, 5.0]);
        assert!(run(&[f64::NAN, 1.0], &[0.0, f64::NAN], |b, x, y| b.hypot(x, y)).iter().all(|x| x.is_nan()));
    }

    #[test]
    fn roots_of_u_plus_exp_u() {
        let mut c: Vec<f64> = (-4000..4000).map(|k| f64::from(k) / 100.0).collect();
        c.extend([-1e4, -700.0, 1.0, 1.0 + f64::EPSILON, 1e4, 1e15, 1e29]);
        let u = run(&c, &c, |b, c, _| b.log_omega(c));
        for (u, c) in u.iter().zip(&c) {
            // An error of u in roundings of its terms, divided by the slope.
            let e = u.exp();
            let off = ((u - c) + e) / (1.0 + e);
            let tolerance = 4.0 * f64::EPSILON * (u.abs() + e + c.abs()) / (1.0 + e) + 2.0 * f64::EPSILON * u.abs();
            assert!(off.abs() <= tolerance, "u = {u} at {c}: off by {off}");
        }
        let far = run(&[f64::INFINITY, f64::NEG_INFINITY, f64::NAN], &[0.0], |b, c, _| b.log_omega(c));
        assert!(far[0].is_finite() && far[1] == -1e30 && far[2].is_nan(), "{far:?}");
    }
}
