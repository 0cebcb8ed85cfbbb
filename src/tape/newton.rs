//! The proximal step of a convex function of one number, in every element: the root of
//!
//! ```text
//! F(x) = x − v + t φ′(x),        F′(x) = 1 + t φ″(x) ≥ 1
//! ```
//!
//! by Newton's method kept in a bracket. As `F′ ≥ 1`, the root lies between any `x` and `x − F(x)`, so that
//! one evaluation brackets it. A Newton step is taken where it stays in the bracket and `│F│` has fallen to
//! a quarter (an exponential's would fall by `1/e` a step, however far away the root is); else the bracket
//! is halved: at 0 if it holds it, else by magnitude while its ends are far apart, as a root may lie
//! anywhere between 1e-300 and 1e300 (Press et al., Numerical Recipes, §9.4, has the plain variant).
//!
//! Where `φ′` jumps, the bracket closes on the jump, which is the minimiser.

use super::builder::Builder;
use super::ir::{Binary, Dtype, Unary, Value};

/// Turns after which a lane stops: a bracket from one end of the doubles to the other has closed by then.
const TURNS: usize = 160;

/// How much nearer to 0 than its far end a bracket that ends at 0 is halved.
const NEARER: f64 = 1e-12;

/// An open interval; infinite ends are none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Its lower end.
    pub lower: f64,
    /// Its upper end.
    pub upper: f64,
}

impl Interval {
    /// Every number.
    pub const ALL: Interval = Interval { lower: f64::NEG_INFINITY, upper: f64::INFINITY };
    /// Above 0.
    pub const POSITIVE: Interval = Interval { lower: 0.0, upper: f64::INFINITY };

    /// A point inside.
    fn inside(self) -> f64 {
        match (self.lower.is_finite(), self.upper.is_finite()) {
            (true, true) => 0.5 * self.lower + 0.5 * self.upper,
            (true, false) => self.lower + 1.0,
            (false, true) => self.upper - 1.0,
            (false, false) => 0.0,
        }
    }
}

impl Builder {
    /// `prox_{tφ}(v)` in every element, `φ` being convex on `domain`. `slopes` adds the instructions of
    /// `φ′` and `φ″` at a number, given the constants' numbers there. `t` and the constants are numbers or
    /// have the shape of `v`.
    pub fn newton(
        &mut self,
        v: Value,
        t: Value,
        constants: &[Value],
        domain: Interval,
        slopes: impl FnOnce(&mut Builder, Value, &[Value]) -> (Value, Value),
    ) -> Value {
        let dtype = self.dtype(v);
        let end = |b: &mut Builder, end: f64| b.constant_like(end, v);
        let (lower, upper) = (end(self, domain.lower), end(self, domain.upper));
        let above = self.binary(Binary::Less, lower, v);
        let below = self.binary(Binary::Less, v, upper);
        let inside = self.mul(above, below);
        let middle = end(self, domain.inside());
        let start = self.select(inside, v, middle);
        let before = end(self, f64::INFINITY);
        let fixed: Vec<Value> = [v, t].into_iter().chain(constants.iter().copied()).collect();
        self.iterate_lanes("newton", &[start, lower, upper, before], &fixed, TURNS, |b, state, fixed| {
            let (phi, curvature) = slopes(b, state[0], &fixed[2..]);
            let turn = Turn { x: state[0], v: fixed[0], t: fixed[1], phi, curvature, eps: dtype.eps() };
            turn.build(b, [state[1], state[2]], state[3], dtype)
        })
    }
}

/// What a turn starts from.
struct Turn {
    x: Value,
    v: Value,
    t: Value,
    /// `φ′(x)`
    phi: Value,
    /// `φ″(x)`
    curvature: Value,
    eps: f64,
}

impl Turn {
    /// The next point, bracket and `│F│`, and whether they are the last.
    fn build(&self, b: &mut Builder, [lower, upper]: [Value; 2], before: Value, dtype: Dtype) -> (Vec<Value>, Value) {
        let x = self.x;
        let force = b.mul(self.t, self.phi);
        let away = b.sub(x, self.v);
        let f = b.add(away, force);
        let bend = b.mul(self.t, self.curvature);
        let slope = b.offset(bend, 1.0);
        let size = b.unary(Unary::Abs, f);

        let zero = b.constant(0.0, dtype);
        let right = b.binary(Binary::Less, zero, f);
        let far = b.sub(x, f);
        let raised = b.binary(Binary::Max, lower, far);
        let lowered = b.binary(Binary::Min, upper, far);
        let lower = b.select(right, raised, x);
        let upper = b.select(right, x, lowered);

        let step = b.div(f, slope);
        let newton = b.sub(x, step);
        let from = b.binary(Binary::LessEqual, lower, newton);
        let to = b.binary(Binary::LessEqual, newton, upper);
        // An infinite slope's step would be 0 anywhere.
        let finite = b.unary(Unary::IsFinite, slope);
        let inside = b.mul(from, to);
        let inside = b.mul(inside, finite);
        let quarter = b.scale(0.25, before);
        let fast = b.binary(Binary::LessEqual, size, quarter);
        // Once F is small against its terms, what is left of it is rounding, and may not fall. An
        // overflow is not small against itself.
        let scale = sum_of_sizes(b, &[x, self.v, force]);
        let small = b.scale(self.eps.sqrt(), scale);
        let small = b.binary(Binary::Less, size, small);
        let trusted = b.binary(Binary::Max, fast, small);
        let newton_is_taken = b.mul(inside, trusted);
        let (middle, closed) = halve(b, lower, upper, self.eps, dtype);
        let next = b.select(newton_is_taken, newton, middle);

        let moved = b.unary(Unary::Abs, step);
        let unit = b.unary(Unary::Abs, x);
        let unit = b.scale(2.0 * self.eps, unit);
        let settled = b.binary(Binary::LessEqual, moved, unit);
        let settled = b.mul(settled, finite);
        let half = b.scale(0.5, before);
        let falls = b.binary(Binary::Less, size, half);
        let stuck = b.binary(Binary::Less, falls, small);
        let stuck = b.mul(stuck, inside);
        let still = b.is_still(size);
        let done = [settled, stuck, closed].into_iter().fold(still, |done, other| b.binary(Binary::Max, done, other));
        (vec![next, lower, upper, size], done)
    }
}

fn sum_of_sizes(b: &mut Builder, x: &[Value]) -> Value {
    let sizes: Vec<Value> = x.iter().map(|&x| b.unary(Unary::Abs, x)).collect();
    sizes.into_iter().reduce(|sum, size| b.add(sum, size)).expect("there are sizes")
}

/// A point that halves the bracket, and whether there is none between its ends.
fn halve(b: &mut Builder, lower: Value, upper: Value, eps: f64, dtype: Dtype) -> (Value, Value) {
    let zero = b.constant(0.0, dtype);
    let most = match dtype {
        Dtype::F32 => f64::from(f32::MAX),
        Dtype::F64 | Dtype::Index => f64::MAX,
    };
    let (least, most) = (b.constant(-most, dtype), b.constant(most, dtype));
    let lower = b.binary(Binary::Max, lower, least);
    let upper = b.binary(Binary::Min, upper, most);
    let (low, high) = (b.unary(Unary::Abs, lower), b.unary(Unary::Abs, upper));
    let (near, far) = (b.binary(Binary::Min, low, high), b.binary(Binary::Max, low, high));
    let half_lower = b.scale(0.5, lower);
    let half_upper = b.scale(0.5, upper);
    let arithmetic = b.add(half_lower, half_upper);
    let sign = b.unary(Unary::Sign, arithmetic);
    let nearer = b.scale(NEARER, far);
    let nearer = b.binary(Binary::Max, near, nearer);
    let roots = [nearer, far].map(|x| b.unary(Unary::Sqrt, x));
    let geometric = b.mul(roots[0], roots[1]);
    let geometric = b.mul(sign, geometric);
    let four = b.scale(4.0, near);
    let together = b.binary(Binary::LessEqual, far, four);
    let one_sided = b.select(together, arithmetic, geometric);
    let negative = b.binary(Binary::Less, lower, zero);
    let positive = b.binary(Binary::Less, zero, upper);
    let holds_zero = b.mul(negative, positive);
    let middle = b.select(holds_zero, zero, one_sided);
    // A NaN is neither, and is not lost.
    let width = b.sub(upper, lower);
    let unit = b.scale(2.0 * eps, far);
    let closed = b.binary(Binary::LessEqual, width, unit);
    (middle, closed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::reference::{Rounding, interpret};
    use crate::tape::{Type, verify};

    type Slopes = fn(&mut Builder, Value, &[Value]) -> (Value, Value);

    fn solve(v: &[f64], t: f64, domain: Interval, slopes: Slopes) -> Vec<f64> {
        let mut b = Builder::new("step");
        let at = b.input("v", Type::new(Dtype::F64, [v.len()]));
        let t = b.constant(t, Dtype::F64);
        let x = b.newton(at, t, &[], domain, slopes);
        b.output("x", x);
        verify(b.program()).expect("the program is well formed");
        interpret(b.program(), &[v.to_vec()], Rounding::Outputs).swap_remove(x.index())
    }

    fn exp(b: &mut Builder, x: Value, _: &[Value]) -> (Value, Value) {
        let e = b.unary(Unary::Exp, x);
        (e, e)
    }

    fn minus_log(b: &mut Builder, x: Value, _: &[Value]) -> (Value, Value) {
        let recip = b.unary(Unary::Recip, x);
        let square = b.unary(Unary::Square, recip);
        (b.neg(recip), square)
    }

    fn abs(b: &mut Builder, x: Value, _: &[Value]) -> (Value, Value) {
        (b.unary(Unary::Sign, x), b.constant(0.0, Dtype::F64))
    }

    #[test]
    fn roots_near_and_far() {
        let v = [0.0, 1.0, -3.0, 50.0, 700.0, 1e4, 1e300, -800.0, -1e300];
        for t in [1e-6, 0.3, 1.0, 1e5] {
            for (x, v) in solve(&v, t, Interval::ALL, exp).into_iter().zip(v) {
                let force = t * x.exp();
                let (f, slope) = (x - v + force, 1.0 + force);
                let tolerance = 4.0 * f64::EPSILON * (x.abs() + v.abs() + force) / slope + 2.0 * f64::EPSILON * x.abs();
                assert!((f / slope).abs() <= tolerance, "exp at {v}, {t}: {x} off by {}", f / slope);
            }
            for (x, v) in solve(&v, t, Interval::POSITIVE, minus_log).into_iter().zip(v) {
                // x = (v + √(v² + 4t))/2, without cancellation.
                let root = v.hypot(2.0 * t.sqrt());
                let truth = if v > 0.0 { 0.5 * (v + root) } else { 2.0 * t / (root - v) };
                assert!((x - truth).abs() <= 1e-14 * truth, "−log at {v}, {t}: {x}, not {truth}");
            }
        }
    }

    #[test]
    fn a_jump_is_the_minimiser() {
        let x = solve(&[3.0, 0.5, -0.2, -4.0, 1.0], 1.0, Interval::ALL, abs);
        for (x, truth) in x.into_iter().zip([2.0, 0.0, 0.0, -3.0, 0.0]) {
            assert!((x - truth).abs() < 1e-14, "{x}, not {truth}");
        }
    }

    #[test]
    fn nan_goes_through() {
        let x = solve(&[f64::NAN, 1.0], 1.0, Interval::POSITIVE, minus_log);
        assert!(x[0].is_nan() && x[1].is_finite(), "{x:?}");
        assert!(solve(&[1.0], f64::NAN, Interval::ALL, exp)[0].is_nan());
    }
}
