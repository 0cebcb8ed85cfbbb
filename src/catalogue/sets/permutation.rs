//! `X in permutation`: a permutation matrix, one 1 in every row and every column. The nearest one picks
//! elements of `V` that add up to most, since `‖P − V‖² = n + ‖V‖² − 2⟨P, V⟩`: an assignment problem.

use super::psd;
use crate::catalogue::member::Member;
use crate::catalogue::prox::Prox;

pub const MEMBER: Member = Member::set(
    "permutation",
    "a permutation matrix: 0 but for one 1 in every row and every column",
    psd::square,
    Prox::convex(|b, v, _, _| b.assignment(v)).nonconvex(),
);

#[cfg(test)]
mod tests {
    use crate::catalogue::Function;
    use crate::catalogue::tests::projections::case;

    fn holds(n: usize) -> impl Fn(&[f64], f64) -> bool {
        let ones = move |x: &mut dyn Iterator<Item = f64>| {
            let (zeros, rest): (Vec<f64>, Vec<f64>) = x.partition(|&x| x == 0.0);
            zeros.len() == n - 1 && rest == [1.0]
        };
        move |x, _| {
            (0..n).all(|i| ones(&mut x[i * n..][..n].iter().copied()))
                && (0..n).all(|j| ones(&mut x.iter().skip(j).step_by(n).copied()))
        }
    }

    #[test]
    fn is_the_projection() {
        case(Function::Permutation, [2, 2], vec![])
            // The greatest element is given up for the two others.
            .takes(&[5.0, 4.0, 3.0, 0.0], &[0.0, 1.0, 1.0, 0.0])
            .takes(&[-1.0, 0.0, 0.0, 2.0], &[1.0, 0.0, 0.0, 1.0])
            .keeps_the_laws(&[], holds(2));
        case(Function::Permutation, [4, 4], vec![]).keeps_the_laws(&[], holds(4));
        case(Function::Permutation, [1, 1], vec![]).takes(&[-7.0], &[1.0]);
    }
}
