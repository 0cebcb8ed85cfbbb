//! `log_sum_penalty(x, epsilon) = Σᵢ log(1 + |xᵢ|/ε)`, `ε > 0` (Candès, Wakin & Boyd, Enhancing sparsity by
//! reweighted ℓ₁ minimization, 2008). Its curvature is at least −1/ε². Kinks where an element is 0. Its step
//! is the better of 0 and the greater root of the stationarity condition, where it has one:
//!
//! ```text
//! x = (|v| − ε + √((|v| + ε)² − 4t))/2
//! ```

use crate::catalogue::member::Member;
use crate::catalogue::prox::Prox;
use crate::catalogue::set::above;
use crate::catalogue::shrink;
use crate::tape::ops::Unary;
use crate::tape::{Builder, Value};

pub const MEMBER: Member = Member::total("log_sum_penalty(x, epsilon)", "sum of log(1 + |x|/epsilon)", |b, args| {
    let size = b.unary(Unary::Abs, args[0]);
    let costs = penalty(b, size, args[1]);
    b.sum(costs)
})
.kinked()
.prox(
    Prox::separable(|b, v, t, args| {
        let size = b.unary(Unary::Abs, v);
        let (far, near) = (b.add(size, args[1]), b.sub(size, args[1]));
        // (|v| + ε)² − 4t as a product, which loses nothing to a difference of squares.
        let root = b.unary(Unary::Sqrt, t);
        let twice = b.scale(2.0, root);
        let (less, more) = (b.sub(far, twice), b.add(far, twice));
        let less = b.unary(Unary::Relu, less);
        let inside = b.mul(less, more);
        let root = b.unary(Unary::Sqrt, inside);
        let sum = b.add(near, root);
        let half = b.scale(0.5, sum);
        let stationary = b.unary(Unary::Relu, half);
        let zero = b.constant_like(0.0, v);
        let candidates = [zero, stationary].map(|x| {
            let cost = penalty(b, x, args[1]);
            (x, b.mul(t, cost))
        });
        let best = shrink::least(b, size, &candidates);
        let sign = b.unary(Unary::Sign, v);
        b.mul(sign, best)
    })
    .nonconvex(),
)
.values(|_, args| above(args, 1, 0.0));

fn penalty(b: &mut Builder, size: Value, epsilon: Value) -> Value {
    let ratio = b.div(size, epsilon);
    b.unary(Unary::Log1p, ratio)
}
