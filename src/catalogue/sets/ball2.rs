//! `x in ball2(radius)`: `‖x‖₂ ≤ r` over all elements.
//!
//! ```text
//! P(v) = v                where ‖v‖₂ ≤ r
//!        (r/‖v‖₂) v       elsewhere
//! ```
//!
//! Parikh & Boyd, Proximal Algorithms (2014), §6.5.1.

use crate::catalogue::member::Member;
use crate::catalogue::prox::Prox;
use crate::catalogue::set::at_least;
use crate::catalogue::shapes;
use crate::tape::ops::Binary;

pub const MEMBER: Member = Member::set(
    "ball2(radius = 1)",
    "Euclidean length of all elements together at most the radius",
    shapes::number,
    Prox::convex(|b, v, _, args| {
        let radius = args[1];
        let norm = b.norm2(v);
        let inside = b.binary(Binary::LessEqual, norm, radius);
        let shrunk = b.div(radius, norm);
        let one = b.constant(1.0, b.dtype(v));
        // Where norm and radius are 0 the quotient is none, and not chosen.
        let factor = b.select(inside, one, shrunk);
        b.mul(factor, v)
    }),
)
.values(|_, args| at_least(args, 0, 0.0));

#[cfg(test)]
mod tests {
    use crate::catalogue::Function;
    use crate::catalogue::tests::projections::{case, number};

    #[test]
    fn is_the_projection() {
        let length = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>().sqrt();
        case(Function::Ball2, [2], vec![number(1.0)])
            .takes(&[3.0, -4.0], &[0.6, -0.8])
            .takes(&[0.3, 0.4], &[0.3, 0.4])
            .takes(&[0.0, 0.0], &[0.0, 0.0])
            .keeps_the_laws(&[&[3e300, -4e300]], |x, tolerance| length(x) <= 1.0 + tolerance);
        case(Function::Ball2, [], vec![number(1.0)]).takes(&[-5.0], &[-1.0]).takes(&[0.5], &[0.5]);
        case(Function::Ball2, [2, 2], vec![number(0.0)]).keeps_the_laws(&[], |x, _| x.iter().all(|&x| x == 0.0));
    }
}
