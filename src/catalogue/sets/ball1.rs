//! `x in ball1(radius)`: `Σ|xᵢ| ≤ r` over all elements.
//!
//! ```text
//! P(v) = v                               where ‖v‖₁ ≤ r
//!        sign(v) P_simplex(r)(|v|)       elsewhere
//! ```
//!
//! Condat, Fast projection onto the simplex and the ℓ₁ ball (2016), §1.

use super::simplex;
use crate::catalogue::member::Member;
use crate::catalogue::prox::Prox;
use crate::catalogue::set::{at_least, on_vector};
use crate::catalogue::shapes;
use crate::tape::ops::{Binary, Unary};
use crate::tape::{Builder, Value};

pub const MEMBER: Member = Member::set(
    "ball1(radius = 1)",
    "magnitudes of all elements adding up to at most the radius",
    shapes::number,
    Prox::convex(|b, v, _, args| on_vector(b, v, |b, x| project(b, x, args[1]))),
)
.values(|_, args| at_least(args, 0, 0.0));

/// The nearest point to a vector.
pub fn project(b: &mut Builder, v: Value, radius: Value) -> Value {
    let magnitude = b.unary(Unary::Abs, v);
    let sum = b.sum(magnitude);
    let inside = b.binary(Binary::LessEqual, sum, radius);
    let shrunk = simplex::onto_rows(b, magnitude, radius);
    let sign = b.unary(Unary::Sign, v);
    let shrunk = b.mul(sign, shrunk);
    b.select(inside, v, shrunk)
}

#[cfg(test)]
mod tests {
    use crate::catalogue::Function;
    use crate::catalogue::tests::projections::{case, number};
    use crate::tape::Shape;

    fn holds(radius: f64) -> impl Fn(&[f64], f64) -> bool {
        move |x, tolerance| x.iter().map(|x| x.abs()).sum::<f64>() <= radius + tolerance
    }

    #[test]
    fn is_the_projection() {
        // (3, −2, 1) onto Σ|x| ≤ 3: τ = (3 + 2 − 3)/2 = 1.
        case(Function::Ball1, [3], vec![number(3.0)])
            .takes(&[3.0, -2.0, 1.0], &[2.0, -1.0, 0.0])
            .takes(&[1.0, -2.0, 0.0], &[1.0, -2.0, 0.0])
            .keeps_the_laws(&[&[3.0, 3.0, 3.0]], holds(3.0));
        case(Function::Ball1, [2, 2], vec![number(0.0)]).keeps_the_laws(&[], holds(0.0));
        case(Function::Ball1, Shape::scalar(), vec![number(2.0)]).takes(&[-5.0], &[-2.0]);
        case(Function::Ball1, [2], vec![number(f64::INFINITY)]).takes(&[-5.0, 1.0], &[-5.0, 1.0]);
    }
}
