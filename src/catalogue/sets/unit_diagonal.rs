//! `X in unit_diagonal`: every element of the diagonal 1. The projection sets them.

use super::psd;
use crate::catalogue::member::Member;
use crate::catalogue::prox::Prox;
use crate::catalogue::set::keep_nan;
use crate::tape::ops::Binary;

pub const MEMBER: Member = Member::set(
    "unit_diagonal",
    "a square matrix with a diagonal of ones",
    psd::square,
    Prox::separable(|b, v, _, _| {
        let shape = b.shape(v).clone();
        let (row, column) = (b.iota(shape.clone(), 0), b.iota(shape, 1));
        let diagonal = b.binary(Binary::Equal, row, column);
        let one = b.constant(1.0, b.dtype(v));
        let point = b.select(diagonal, one, v);
        keep_nan(b, v, point)
    }),
);

#[cfg(test)]
mod tests {
    use crate::catalogue::Function;
    use crate::catalogue::tests::projections::case;

    #[test]
    fn is_the_projection() {
        case(Function::UnitDiagonal, [2, 2], vec![])
            .takes(&[3.0, 4.0, 5.0, -6.0], &[1.0, 4.0, 5.0, 1.0])
            .keeps_the_laws(&[], |x, _| x[0] == 1.0 && x[3] == 1.0);
    }
}
