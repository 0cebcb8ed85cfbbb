//! `x in capped_simplex(sum, cap)`: `0 ≤ xᵢ ≤ c`, `Σ xᵢ = s` over all elements.
//!
//! ```text
//! P(v)ᵢ = clamp(vᵢ + θ, 0, c),      f(θ) = Σ clamp(vᵢ + θ, 0, c) = s
//! ```
//!
//! `f` is piecewise linear and rises; its slope gains 1 at `−vᵢ` and loses 1 at `c − vᵢ`. The last of
//! these points at which `f ≤ s` begins the piece on which θ lies, and Newton's step from there ends at it
//! (Wang & Lu, Projection onto the capped simplex, 2015). A second step mends a piece that rounding of the
//! running sums has mistaken for its neighbour.

use crate::catalogue::member::Member;
use crate::catalogue::prox::Prox;
use crate::catalogue::set::{WrongValue, ensure, finite_at_least, on_vector};
use crate::catalogue::shapes;
use crate::tape::ops::{Binary, Reducer};
use crate::tape::{Builder, Shape, Value};

pub const MEMBER: Member = Member::set(
    "capped_simplex(sum, cap = 1)",
    "every element between 0 and the cap, all of them adding up to the sum",
    shapes::number,
    Prox::convex(step),
)
.values(values);

fn values(element: &Shape, args: &[&[f64]]) -> Result<(), WrongValue> {
    finite_at_least(args, 0, 0.0)?;
    finite_at_least(args, 1, 0.0)?;
    let (n, sum, cap) = (element.numel() as f64, args[0][0], args[1][0]);
    // A product of two numbers, rounded once.
    ensure(sum <= n * cap * (1.0 + f64::EPSILON), 0, || format!("at most {n} times `cap`, {}", n * cap))
}

fn step(b: &mut Builder, v: Value, _: Value, args: &[Value]) -> Value {
    on_vector(b, v, |b, x| project(b, x, args[1], args[2]))
}

/// The nearest point to a vector.
pub fn project(b: &mut Builder, x: Value, sum: Value, cap: Value) -> Value {
    let mut shift = piece(b, x, sum, cap);
    for _ in 0..2 {
        shift = newton(b, x, shift, sum, cap);
    }
    at(b, x, shift, cap)
}

/// `clamp(v + θ, 0, c)`
fn at(b: &mut Builder, v: Value, shift: Value, cap: Value) -> Value {
    let shifted = b.add(v, shift);
    let zero = b.constant(0.0, b.dtype(v));
    b.clamp(shifted, zero, cap)
}

/// Where the piece of `f` begins on which it reaches the sum.
fn piece(b: &mut Builder, v: Value, sum: Value, cap: Value) -> Value {
    let low = b.neg(v);
    let high = b.add(low, cap);
    let points = b.concat(vec![low, high], 0);
    let order = b.argsort(points);
    let points = b.gather(points, order);
    let (gains, losses) = (b.constant_like(1.0, v), b.constant_like(-1.0, v));
    let slopes = b.concat(vec![gains, losses], 0);
    let slopes = b.gather(slopes, order);
    // f(q) = Σ slopeⱼ (q − qⱼ) over the points up to q.
    let slope = b.cumsum(slopes);
    let moments = b.mul(slopes, points);
    let moment = b.cumsum(moments);
    let risen = b.mul(slope, points);
    let risen = b.sub(risen, moment);
    let beyond = b.binary(Binary::Less, sum, risen);
    let never = b.constant(f64::NEG_INFINITY, b.dtype(v));
    let begins = b.select(beyond, never, points);
    b.reduce(Reducer::Max, begins, vec![0])
}

/// `θ + (s − f(θ))/f′(θ)`, the slope on the right of θ; θ where `f` is flat.
fn newton(b: &mut Builder, v: Value, shift: Value, sum: Value, cap: Value) -> Value {
    let dtype = b.dtype(v);
    let point = at(b, v, shift, cap);
    let value = b.sum(point);
    let lacking = b.sub(sum, value);
    let shifted = b.add(v, shift);
    let zero = b.constant(0.0, dtype);
    let above = b.binary(Binary::LessEqual, zero, shifted);
    let below = b.binary(Binary::Less, shifted, cap);
    let moving = b.mul(above, below);
    let slope = b.sum(moving);
    let one = b.constant(1.0, dtype);
    let slope = b.binary(Binary::Max, slope, one);
    let move_by = b.div(lacking, slope);
    b.add(shift, move_by)
}

#[cfg(test)]
mod tests {
    use crate::catalogue::Function;
    use crate::catalogue::tests::projections::{case, number};
    use crate::tape::Shape;

    fn holds(sum: f64, cap: f64) -> impl Fn(&[f64], f64) -> bool {
        move |x, tolerance| {
            x.iter().all(|&x| (0.0..=cap).contains(&x)) && (x.iter().sum::<f64>() - sum).abs() <= tolerance
        }
    }

    #[test]
    fn is_the_projection() {
        // θ = −1: (2, 1.5, 0, −4) − 1 cut to [0, 1].
        case(Function::CappedSimplex, [4], vec![number(1.5), number(1.0)])
            .takes(&[2.0, 1.5, 0.0, -4.0], &[1.0, 0.5, 0.0, 0.0])
            .keeps_the_laws(&[&[1.0, 1.0, 1.0, 1.0], &[9.0, -9.0, 9.0, -9.0]], holds(1.5, 1.0));
        // Nothing, and everything, of what there is room for.
        case(Function::CappedSimplex, [3], vec![number(0.0), number(2.0)]).keeps_the_laws(&[], holds(0.0, 2.0));
        case(Function::CappedSimplex, [3], vec![number(6.0), number(2.0)]).keeps_the_laws(&[], holds(6.0, 2.0));
        case(Function::CappedSimplex, [2], vec![number(0.0), number(0.0)]).takes(&[1.0, -1.0], &[0.0, 0.0]);
        case(Function::CappedSimplex, Shape::scalar(), vec![number(0.5), number(1.0)]).takes(&[9.0], &[0.5]);
        // The sum is that of a whole number of caps: a flat piece.
        case(Function::CappedSimplex, [3], vec![number(1.0), number(1.0)])
            .takes(&[5.0, 0.0, 0.0], &[1.0, 0.0, 0.0])
            .keeps_the_laws(&[], holds(1.0, 1.0));
    }
}
