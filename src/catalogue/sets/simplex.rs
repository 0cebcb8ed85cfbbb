//! `x in simplex(sum)`: `x ≥ 0`, `Σ xᵢ = s` over all elements.
//!
//! ```text
//! P(v)ᵢ = max(vᵢ − τ, 0),      τ = maxⱼ (u₁ + … + uⱼ − s)/j,      u = v in descending order
//! ```
//!
//! The bracket rises with j while `uⱼ` stays above it and falls from there on, so its greatest value is
//! at the last element kept (Held, Wolfe & Crowder, Validation of subgradient optimization, 1974;
//! Condat, Fast projection onto the simplex and the ℓ₁ ball, 2016, §2).

use crate::catalogue::member::Member;
use crate::catalogue::prox::Prox;
use crate::catalogue::set::{along_rows, finite_at_least, on_vector};
use crate::catalogue::shapes;
use crate::tape::ops::{Reducer, Unary};
use crate::tape::{Builder, Value};

pub const MEMBER: Member = Member::set(
    "simplex(sum = 1)",
    "every element at least 0, all of them adding up to the sum",
    shapes::number,
    Prox::convex(|b, v, _, args| on_vector(b, v, |b, x| onto_rows(b, x, args[1]))),
)
.values(|_, args| finite_at_least(args, 0, 0.0));

/// The nearest point of the simplex, of every row.
pub fn onto_rows(b: &mut Builder, v: Value, sum: Value) -> Value {
    let (above, threshold) = above_threshold(b, v, sum);
    let shape = b.shape(v).clone();
    let threshold = along_rows(b, threshold, &shape);
    let above = b.sub(above, threshold);
    b.unary(Unary::Relu, above)
}

/// `v − max v` and `τ − max v` of every row: from the top the sum comes out to rounding of `s`, however
/// large `v` is.
pub fn above_threshold(b: &mut Builder, v: Value, sum: Value) -> (Value, Value) {
    let (shape, dtype) = (b.shape(v).clone(), b.dtype(v));
    let last = shape.rank() - 1;
    let top = b.reduce(Reducer::Max, v, vec![last]);
    let top = along_rows(b, top, &shape);
    let below = b.sub(v, top);
    let falling = b.neg(below);
    let falling = b.sort(falling);
    let falling = b.neg(falling);
    let sums = b.cumsum(falling);
    let sums = b.sub(sums, sum);
    let place = b.iota(shape, last);
    let place = b.cast(place, dtype);
    let count = b.offset(place, 1.0);
    let means = b.div(sums, count);
    (below, b.reduce(Reducer::Max, means, vec![last]))
}

#[cfg(test)]
mod tests {
    use crate::catalogue::Function;
    use crate::catalogue::tests::projections::{case, number};
    use crate::tape::Shape;

    fn holds(sum: f64) -> impl Fn(&[f64], f64) -> bool {
        move |x, tolerance| x.iter().all(|&x| x >= 0.0) && (x.iter().sum::<f64>() - sum).abs() <= tolerance
    }

    #[test]
    fn is_the_projection() {
        case(Function::Simplex, [3], vec![number(1.0)])
            .takes(&[0.5, 0.1, -0.7], &[0.7, 0.3, 0.0])
            .takes(&[2.0, 2.0, 2.0], &[1.0 / 3.0; 3])
            .takes(&[5.0, 1.0, 5.0], &[0.5, 0.0, 0.5])
            .keeps_the_laws(&[&[0.2, 0.3, 0.5]], holds(1.0));
        case(Function::Simplex, [2, 2], vec![number(2.5)]).keeps_the_laws(&[], holds(2.5));
        case(Function::Simplex, [3], vec![number(0.0)]).takes(&[-1.0, 2.0, 2.0], &[0.0; 3]);
        case(Function::Simplex, Shape::scalar(), vec![number(3.0)]).takes(&[-7.0], &[3.0]);
    }

    /// Far from 0 the sum is still right to its own rounding, not to that of the elements.
    #[test]
    fn the_sum_holds_far_out() {
        case(Function::Simplex, [2], vec![number(1.0)]).takes(&[1e15, 1e15 + 0.5], &[0.25, 0.75]);
    }
}
