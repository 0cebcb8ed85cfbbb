//! `x in halfspace(a, b)`: `⟨a, x⟩ ≤ b`, `a` of the shape of `x`.
//!
//! ```text
//! P(v) = v − t a (⟨a, v⟩ − b)₊ / ⟨a, t a⟩
//! ```
//!
//! with `t` cancelling where it is one number. Parikh & Boyd, Proximal Algorithms (2014), §6.2.3.

use super::hyperplane;
use crate::catalogue::member::Member;
use crate::catalogue::prox::Prox;
use crate::tape::ops::Unary;

pub const MEMBER: Member = Member::set(
    "halfspace(a, b)",
    "dot(a, x) at most b",
    hyperplane::shape,
    Prox::convex(|b, v, t, args| {
        let beyond = hyperplane::excess(b, v, args);
        let beyond = b.unary(Unary::Relu, beyond);
        hyperplane::step_back(b, v, t, args[1], beyond)
    })
    .weighted(),
)
.values(hyperplane::values);

#[cfg(test)]
mod tests {
    use crate::catalogue::Function;
    use crate::catalogue::tests::projections::{case, number, vector};

    #[test]
    fn is_the_projection() {
        let a = [1.0, -2.0, 2.0];
        let product = move |x: &[f64]| a.iter().zip(x).map(|(a, x)| a * x).sum::<f64>();
        case(Function::Halfspace, [3], vec![vector(&a), number(-9.0)])
            .takes(&[0.0, 0.0, 0.0], &[-1.0, 2.0, -2.0])
            .takes(&[0.0, 5.0, 0.0], &[0.0, 5.0, 0.0])
            .keeps_the_laws(&[], |x, tolerance| product(x) <= -9.0 + 5.0 * tolerance);
    }

    #[test]
    fn weights_count() {
        // min (x₁ + 0)²/2 + (x₂ + 0)²/4 over x₁ + x₂ ≤ −3: multiplier 1, x = −(1, 2).
        case(Function::Halfspace, [2], vec![vector(&[1.0, 1.0]), number(-3.0)]).takes_weighted(
            &vector(&[1.0, 2.0]),
            &[0.0, 0.0],
            &[-1.0, -2.0],
        );
    }
}
