//! `X in correlation`: symmetric positive semidefinite with a diagonal of ones. The nearest such matrix
//! has no closed form (Higham, Computing the nearest correlation matrix, 2002); a problem has
//! `X in psd` and `X in unit_diagonal` in its place.

use super::psd;
use crate::catalogue::member::Member;
use crate::catalogue::{Function, Piece, Reading};

pub const MEMBER: Member = Member::read_as(
    "correlation",
    "symmetric positive semidefinite with a diagonal of ones; split into `psd` and `unit_diagonal`",
    psd::square,
    Reading::Intersection(&[
        Piece { set: Function::Psd, transposed: false },
        Piece { set: Function::UnitDiagonal, transposed: false },
    ]),
);

#[cfg(test)]
mod tests {
    use crate::catalogue::Function;
    use crate::catalogue::tests::projections::value;

    /// Its value is the distance from the piece that is farther off.
    #[test]
    fn is_met_piece_by_piece() {
        let near = |x: &[f64], y: f64| {
            let outside = value(Function::Correlation, [2, 2], x, &[]);
            assert!((outside - y).abs() <= 8.0 * f64::EPSILON, "{x:?} is {outside} outside, not {y}");
        };
        near(&[1.0, 0.5, 0.5, 1.0], 0.0);
        near(&[1.0, 0.5, 0.5, 1.25], 0.25);
        // Eigenvalues 3 and −1: the nearest semidefinite matrix is 1.5 everywhere.
        near(&[1.0, 2.0, 2.0, 1.0], 0.5);
    }
}
