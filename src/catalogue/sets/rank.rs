//! `X in rank(r)`: rank at most `r`. The projection keeps the `r` largest singular values (Eckart & Young,
//! The approximation of one matrix by another of lower rank, 1936).

use super::nuclear_ball;
use crate::catalogue::member::Member;
use crate::catalogue::prox::Prox;
use crate::catalogue::set::whole;
use crate::tape::Dtype;
use crate::tape::ops::Binary;

pub const MEMBER: Member = Member::set(
    "rank(r)",
    "rank at most r",
    nuclear_ball::matrix,
    Prox::convex(|b, v, _, args| {
        let (left, sigma, right) = b.svd(v);
        let place = b.iota(b.shape(sigma).clone(), 0);
        let kept = b.cast(args[1], Dtype::Index);
        let keep = b.binary(Binary::Less, place, kept);
        let zero = b.constant(0.0, b.dtype(v));
        let sigma = b.select(keep, sigma, zero);
        nuclear_ball::compose(b, left, sigma, right)
    })
    .nonconvex(),
)
.values(|_, args| whole(args, 0, 0));

#[cfg(test)]
mod tests {
    use crate::catalogue::Function;
    use crate::catalogue::tests::projections::{case, number};

    #[test]
    fn is_the_projection() {
        case(Function::RankSet, [2, 2], vec![number(1.0)])
            .takes(&[4.0, 0.0, 0.0, -2.0], &[4.0, 0.0, 0.0, 0.0])
            .takes(&[1.0, 2.0, 2.0, 4.0], &[1.0, 2.0, 2.0, 4.0])
            .keeps_the_laws(&[&[1.0, 0.0, 0.0, 1.0]], |x, tolerance| {
                let largest = x.iter().fold(0.0f64, |most, x| most.max(x.abs()));
                (x[0] * x[3] - x[1] * x[2]).abs() <= 2.0 * tolerance * largest
            });
        case(Function::RankSet, [2, 3], vec![number(0.0)]).takes(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[0.0; 6]);
        case(Function::RankSet, [2, 1], vec![number(7.0)]).takes(&[1.0, 2.0], &[1.0, 2.0]);
    }
}
