//! `x in probability`: a distribution, `x ≥ 0` and `Σ xᵢ = 1`; of a matrix every row is one. The
//! projection is that onto the [simplex](super::simplex), row by row.

use super::simplex;
use crate::catalogue::member::Member;
use crate::catalogue::prox::Prox;
use crate::catalogue::shapes;
use crate::tape::Shape;

pub const MEMBER: Member = Member::set(
    "probability",
    "every row of a matrix, or the vector: at least 0 and adding up to 1",
    |args| shapes::rows(args).map(|_| Shape::scalar()),
    Prox::convex(|b, v, _, _| {
        let one = b.constant(1.0, b.dtype(v));
        simplex::onto_rows(b, v, one)
    }),
);

#[cfg(test)]
mod tests {
    use crate::catalogue::Function;
    use crate::catalogue::tests::projections::case;

    #[test]
    fn is_the_projection_of_every_row() {
        case(Function::Probability, [2, 3], vec![])
            .takes(&[0.5, 0.1, -0.7, 2.0, 2.0, 2.0], &[0.7, 0.3, 0.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0])
            .keeps_the_laws(&[], |x, tolerance| {
                x.iter().all(|&x| x >= 0.0) && x.chunks(3).all(|row| (row.iter().sum::<f64>() - 1.0).abs() <= tolerance)
            });
        case(Function::Probability, [1], vec![]).takes(&[-7.0], &[1.0]);
        case(Function::Probability, [2, 1], vec![]).takes(&[-7.0, 2.0], &[1.0, 1.0]);
    }
}
