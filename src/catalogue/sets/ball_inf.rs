//! `x in ball_inf(radius)`: `|xᵢ| ≤ r`.
//!
//! ```text
//! P(v)ᵢ = max(−r, min(vᵢ, r))
//! ```

use crate::catalogue::member::Member;
use crate::catalogue::prox::Prox;
use crate::catalogue::set::at_least;
use crate::catalogue::shapes;

pub const MEMBER: Member = Member::set(
    "ball_inf(radius = 1)",
    "every element at most the radius in magnitude",
    shapes::number,
    Prox::separable(|b, v, _, args| {
        let low = b.neg(args[1]);
        b.clamp(v, low, args[1])
    }),
)
.values(|_, args| at_least(args, 0, 0.0));

#[cfg(test)]
mod tests {
    use crate::catalogue::Function;
    use crate::catalogue::tests::projections::{case, number};

    #[test]
    fn is_the_projection() {
        case(Function::BallInf, [3], vec![number(1.0)])
            .takes(&[3.0, -4.0, 0.5], &[1.0, -1.0, 0.5])
            .keeps_the_laws(&[], |x, _| x.iter().all(|x| x.abs() <= 1.0));
        case(Function::BallInf, [2], vec![number(0.0)]).takes(&[1.0, -1.0], &[0.0, 0.0]);
    }
}
