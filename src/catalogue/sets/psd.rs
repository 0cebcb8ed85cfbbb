//! `X in psd`: symmetric positive semidefinite.
//!
//! ```text
//! P(V) = Q diag(max(λ, 0)) Qᵀ,      (V + Vᵀ)/2 = Q diag(λ) Qᵀ
//! ```
//!
//! Parikh & Boyd, Proximal Algorithms (2014), §6.3.3; Higham, Computing a nearest symmetric positive
//! semidefinite matrix (1988), §2.

use crate::catalogue::member::{Member, WrongArguments};
use crate::catalogue::prox::Prox;
use crate::tape::ops::Unary;
use crate::tape::{Builder, Shape, Value};

pub const MEMBER: Member = Member::set(
    "psd",
    "symmetric positive semidefinite",
    square,
    Prox::convex(|b, v, _, _| {
        let turned = b.transpose(v);
        let twice = b.add(v, turned);
        let symmetric = b.scale(0.5, twice);
        let (values, vectors) = b.symmetric_eigen(symmetric);
        let values = b.unary(Unary::Relu, values);
        let roots = b.unary(Unary::Sqrt, values);
        let scaled = scale_columns(b, vectors, roots);
        // One factor twice keeps the result symmetric and semidefinite to the last bit but rounding of
        // sums, and 0 where no eigenvalue is above 0.
        b.matmul(scaled, scaled, false, true)
    }),
)
.aliases(&["semidefinite"]);

/// One square matrix.
pub fn square(args: &[Shape]) -> Result<Shape, WrongArguments> {
    match args[0].0[..] {
        [m, n] if m == n => Ok(Shape::scalar()),
        _ => Err(WrongArguments::Argument { at: 0, wanted: "a square matrix" }),
    }
}

/// A matrix with each column multiplied by its number.
pub fn scale_columns(b: &mut Builder, x: Value, by: Value) -> Value {
    let shape = b.shape(x).clone();
    let by = b.broadcast(by, vec![1], shape);
    b.mul(x, by)
}

#[cfg(test)]
mod tests {
    use crate::catalogue::Function;
    use crate::catalogue::tests::projections::case;

    /// Symmetric, and no direction of a fine fan has a quadratic form below 0: of 2 × 2 matrices.
    fn holds(x: &[f64], tolerance: f64) -> bool {
        let form = |angle: f64| {
            let (c, s) = (angle.cos(), angle.sin());
            x[0] * c * c + (x[1] + x[2]) * c * s + x[3] * s * s
        };
        (x[1] - x[2]).abs() <= tolerance && (0..360).all(|k| form(f64::from(k).to_radians() / 2.0) >= -tolerance)
    }

    #[test]
    fn is_the_projection() {
        // Eigenvalues 3 and −1 with (1, 1) and (1, −1).
        case(Function::Psd, [2, 2], vec![])
            .takes(&[1.0, 2.0, 2.0, 1.0], &[1.5; 4])
            .takes(&[2.0, 1.0, 1.0, 2.0], &[2.0, 1.0, 1.0, 2.0])
            .takes(&[-2.0, 1.0, 1.0, -2.0], &[0.0; 4])
            // Only the symmetric part counts.
            .takes(&[1.0, 4.0, 0.0, 1.0], &[1.5; 4])
            .keeps_the_laws(&[&[1.0, 0.0, 0.0, 1.0], &[-1.0, 0.0, 0.0, -1.0]], holds);
        case(Function::Psd, [1, 1], vec![]).takes(&[-3.0], &[0.0]);
        let three = [2.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, -1.0];
        case(Function::Psd, [3, 3], vec![]).takes(&three, &[2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    }
}
