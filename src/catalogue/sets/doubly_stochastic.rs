//! `X in doubly_stochastic`: elements at least 0, every row and every column adding up to 1 (Birkhoff's
//! polytope). The nearest such matrix has no closed form; a problem has `X in probability` and
//! `X' in probability` in its place.

use super::psd;
use crate::catalogue::member::Member;
use crate::catalogue::{Function, Piece, Reading};

pub const MEMBER: Member = Member::read_as(
    "doubly_stochastic",
    "every row and every column a distribution; split into `probability` of the rows and of the columns",
    psd::square,
    Reading::Intersection(&[
        Piece { set: Function::Probability, transposed: false },
        Piece { set: Function::Probability, transposed: true },
    ]),
);

#[cfg(test)]
mod tests {
    use crate::catalogue::Function;
    use crate::catalogue::tests::projections::value;

    /// Rows may be distributions where columns are not.
    #[test]
    fn is_met_by_rows_and_columns() {
        let outside = |x: &[f64]| value(Function::DoublyStochastic, [2, 2], x, &[]);
        assert_eq!(outside(&[0.25, 0.75, 0.75, 0.25]), 0.0);
        assert_eq!(outside(&[0.25, 0.75, 0.25, 0.75]), 0.25);
        assert_eq!(outside(&[0.25, 0.25, 0.75, 0.75]), 0.25);
    }
}
