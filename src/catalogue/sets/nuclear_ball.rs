//! `X in nuclear_ball(radius)`: singular values adding up to at most `r`.
//!
//! ```text
//! P(V) = U diag(P_ball1(r)(σ)) Wᵀ,      V = U diag(σ) Wᵀ
//! ```
//!
//! Parikh & Boyd, Proximal Algorithms (2014), §6.7.2; Cai, Candès & Shen, A singular value thresholding
//! algorithm (2010).

use super::{ball1, psd};
use crate::catalogue::member::{Member, WrongArguments};
use crate::catalogue::prox::Prox;
use crate::catalogue::set::at_least;
use crate::catalogue::shapes;
use crate::tape::ops::Binary;
use crate::tape::{Builder, Shape, Value};

pub const MEMBER: Member = Member::set(
    "nuclear_ball(radius = 1)",
    "singular values adding up to at most the radius",
    matrix,
    Prox::convex(|b, v, _, args| {
        let (left, sigma, right) = b.svd(v);
        let sum = b.sum(sigma);
        let inside = b.binary(Binary::LessEqual, sum, args[1]);
        let shrunk = ball1::project(b, sigma, args[1]);
        let point = compose(b, left, shrunk, right);
        b.select(inside, v, point)
    }),
)
.values(|_, args| at_least(args, 0, 0.0));

/// One matrix, the other arguments numbers.
pub fn matrix(args: &[Shape]) -> Result<Shape, WrongArguments> {
    shapes::rank(args, 0, 2..=2, "a matrix")?;
    shapes::number(args)
}

/// `U diag(σ) Wᵀ`
pub fn compose(b: &mut Builder, left: Value, sigma: Value, right: Value) -> Value {
    let scaled = psd::scale_columns(b, left, sigma);
    b.matmul(scaled, right, false, true)
}

#[cfg(test)]
mod tests {
    use crate::catalogue::Function;
    use crate::catalogue::tests::projections::{case, number};

    /// Singular values of a 2 × 2 matrix, from its invariants: σ₁² + σ₂² and σ₁σ₂.
    fn sum_of_singular_values(x: &[f64]) -> f64 {
        let squares: f64 = x.iter().map(|x| x * x).sum();
        let determinant = x[0] * x[3] - x[1] * x[2];
        (squares + 2.0 * determinant.abs()).sqrt()
    }

    #[test]
    fn is_the_projection() {
        case(Function::NuclearBall, [2, 2], vec![number(3.0)])
            // diag(4, −2): 4 + 2 − 3 shared out.
            .takes(&[4.0, 0.0, 0.0, -2.0], &[2.5, 0.0, 0.0, -0.5])
            .takes(&[1.0, 0.0, 0.0, -2.0], &[1.0, 0.0, 0.0, -2.0])
            .takes(&[4.0, 4.0, 4.0, 4.0], &[1.5; 4])
            .keeps_the_laws(&[&[2.0, 0.0, 0.0, 2.0]], |x, tolerance| sum_of_singular_values(x) <= 3.0 + tolerance);
        case(Function::NuclearBall, [2, 3], vec![number(0.0)]).takes(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[0.0; 6]);
        case(Function::NuclearBall, [3, 1], vec![number(1.0)]).takes(&[0.0, 3.0, 4.0], &[0.0, 0.6, 0.8]);
        case(Function::NuclearBall, [1, 1], vec![number(1.0)]).takes(&[-3.0], &[-1.0]);
    }
}
