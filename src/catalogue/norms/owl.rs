//! `owl(x, w) = Σᵢ wᵢ|x|₍ᵢ₎`, the magnitudes in descending order weighted by as many `w ≥ 0`, of which the
//! greatest stands first whatever their order: the ordered weighted ℓ₁ norm, also called SLOPE. Its step
//! sorts, takes the weights off, makes what is left monotone, cuts it at 0 and puts it back:
//!
//! ```text
//! |prox_{tφ}(v)|₍·₎ = max(isotonic(|v|₍·₎ − t w), 0)
//! ```
//!
//! Bogdan et al., SLOPE – adaptive variable selection via convex optimization (2015), §2; Zeng & Figueiredo,
//! The ordered weighted ℓ₁ norm: atomic formulation, projections, and algorithms (2014).

use crate::catalogue::member::{Member, WrongArguments};
use crate::catalogue::prox::Prox;
use crate::catalogue::set::at_least;
use crate::catalogue::shapes;
use crate::tape::ops::Unary;
use crate::tape::{Builder, Op, Shape, Type, Value};

pub const MEMBER: Member = Member::total(
    "owl(x, w)",
    "sum of the magnitudes in descending order, weighted by w in descending order",
    |b, args| {
        let magnitude = b.unary(Unary::Abs, args[0]);
        let (magnitude, weights) = (b.sort(magnitude), b.sort(args[1]));
        b.dot(magnitude, weights)
    },
)
.shape(shape)
.aliases(&["slope"])
.kinked()
.prox(Prox::convex(|b, v, t, args| step(b, v, t, args[1])))
.values(|_, args| at_least(args, 1, 0.0));

fn shape(args: &[Shape]) -> Result<Shape, WrongArguments> {
    shapes::rank(args, 0, 1..=1, "a vector")?;
    if args[0] == args[1] {
        return Ok(Shape::scalar());
    }
    Err(WrongArguments::Disagree { left: 0, right: 1, rule: "there must be as many weights as elements" })
}

/// Ascending throughout: the last weight, the greatest, goes with the last magnitude.
fn step(b: &mut Builder, v: Value, t: Value, weights: Value) -> Value {
    let magnitude = b.unary(Unary::Abs, v);
    let order = b.argsort(magnitude);
    let sorted = b.gather(magnitude, order);
    let weights = b.sort(weights);
    let taken = b.mul(t, weights);
    let left = b.sub(sorted, taken);
    let ones = b.constant_like(1.0, left);
    let monotone = b.isotonic(left, ones);
    let cut = b.unary(Unary::Relu, monotone);
    let ty = Type { dtype: b.dtype(v), shape: b.shape(v).clone() };
    let back = b.push(Op::ScatterAdd, vec![order, cut], ty);
    let sign = b.unary(Unary::Sign, v);
    b.mul(sign, back)
}
