//! `X in orthogonal`: columns orthonormal, `XᵀX = I` (the Stiefel manifold). The projection is the
//! orthogonal factor of the polar decomposition, one of several where columns depend on each other.
//!
//! ```text
//! P(V) = U Wᵀ,      V = U diag(σ) Wᵀ
//! ```
//!
//! Higham, Computing the polar decomposition — with applications (1986), §2.

use crate::catalogue::member::{Member, WrongArguments};
use crate::catalogue::prox::Prox;
use crate::tape::Shape;

pub const MEMBER: Member = Member::set(
    "orthogonal",
    "orthonormal columns, X'*X = I",
    shape,
    Prox::convex(|b, v, _, _| {
        let (left, _, right) = b.svd(v);
        b.matmul(left, right, false, true)
    })
    .nonconvex(),
)
.aliases(&["stiefel"]);

fn shape(args: &[Shape]) -> Result<Shape, WrongArguments> {
    match args[0].0[..] {
        [m, n] if m >= n => Ok(Shape::scalar()),
        _ => Err(WrongArguments::Argument { at: 0, wanted: "a matrix with no more columns than rows" }),
    }
}

#[cfg(test)]
mod tests {
    use crate::catalogue::Function;
    use crate::catalogue::tests::projections::case;

    fn holds(x: &[f64], tolerance: f64) -> bool {
        let product = |j: usize, k: usize| (0..x.len() / 2).map(|i| x[2 * i + j] * x[2 * i + k]).sum::<f64>();
        let near = |x: f64, y: f64| (x - y).abs() <= 4.0 * tolerance;
        near(product(0, 0), 1.0) && near(product(1, 1), 1.0) && near(product(0, 1), 0.0)
    }

    #[test]
    fn is_the_projection() {
        case(Function::Orthogonal, [2, 2], vec![])
            .takes(&[4.0, 0.0, 0.0, -0.1], &[1.0, 0.0, 0.0, -1.0])
            // [[0, −2], [3, 0]] turns by 90°.
            .takes(&[0.0, -2.0, 3.0, 0.0], &[0.0, -1.0, 1.0, 0.0])
            .keeps_the_laws(&[&[1.0, 1.0, 1.0, 1.0]], holds);
        case(Function::Orthogonal, [3, 2], vec![]).keeps_the_laws(&[], holds);
        case(Function::Orthogonal, [2, 1], vec![]).takes(&[3.0, 4.0], &[0.6, 0.8]);
    }
}
