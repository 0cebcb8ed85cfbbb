//! `X in spectral_ball(radius)`: every singular value at most `r`, so that a layer with these weights is
//! `r`-Lipschitz.
//!
//! ```text
//! P(V) = U diag(min(σ, r)) Wᵀ,      V = U diag(σ) Wᵀ
//! ```
//!
//! Parikh & Boyd, Proximal Algorithms (2014), §6.7.2; Sedghi, Gupta & Long, The singular values of
//! convolutional layers (2019), §3.

use super::nuclear_ball;
use crate::catalogue::member::Member;
use crate::catalogue::prox::Prox;
use crate::catalogue::set::at_least;
use crate::tape::ops::{Binary, Reducer};

pub const MEMBER: Member = Member::set(
    "spectral_ball(radius = 1)",
    "every singular value at most the radius",
    nuclear_ball::matrix,
    Prox::convex(|b, v, _, args| {
        let (left, sigma, right) = b.svd(v);
        let largest = b.reduce(Reducer::Max, sigma, vec![0]);
        let inside = b.binary(Binary::LessEqual, largest, args[1]);
        let cut = b.binary(Binary::Min, sigma, args[1]);
        let point = nuclear_ball::compose(b, left, cut, right);
        b.select(inside, v, point)
    }),
)
.values(|_, args| at_least(args, 0, 0.0));

#[cfg(test)]
mod tests {
    use crate::catalogue::Function;
    use crate::catalogue::tests::projections::{case, number};

    /// The greater singular value of a 2 × 2 matrix, from σ₁² + σ₂² and σ₁σ₂.
    fn largest(x: &[f64]) -> f64 {
        let squares: f64 = x.iter().map(|x| x * x).sum();
        let determinant = (x[0] * x[3] - x[1] * x[2]).abs();
        ((squares + 2.0 * determinant).sqrt() + (squares - 2.0 * determinant).max(0.0).sqrt()) / 2.0
    }

    #[test]
    fn is_the_projection() {
        case(Function::SpectralBall, [2, 2], vec![number(3.0)])
            .takes(&[4.0, 0.0, 0.0, -2.0], &[3.0, 0.0, 0.0, -2.0])
            .takes(&[1.0, 0.0, 0.0, -2.0], &[1.0, 0.0, 0.0, -2.0])
            // The root of a rounded difference: half the digits are lost where both values are equal.
            .keeps_the_laws(&[&[5.0, 0.0, 0.0, 5.0]], |x, tolerance| {
                largest(x) <= 3.0 + tolerance + 3.0 * tolerance.sqrt()
            });
        case(Function::SpectralBall, [2, 3], vec![number(0.0)]).takes(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[0.0; 6]);
        case(Function::SpectralBall, [1, 2], vec![number(1.0)]).takes(&[3.0, 4.0], &[0.6, 0.8]);
    }
}
