//! `x in binary`: every element 0 or 1. At ½ the projection takes 0.
//!
//! ```text
//! P(v)ᵢ = [vᵢ > ½]
//! ```

use crate::catalogue::member::Member;
use crate::catalogue::prox::Prox;
use crate::catalogue::set::keep_nan;
use crate::catalogue::shapes;
use crate::tape::ops::Binary;

pub const MEMBER: Member = Member::set(
    "binary",
    "every element 0 or 1",
    shapes::number,
    Prox::separable(|b, v, _, _| {
        let half = b.constant(0.5, b.dtype(v));
        let one = b.binary(Binary::Less, half, v);
        keep_nan(b, v, one)
    })
    .nonconvex(),
);

#[cfg(test)]
mod tests {
    use crate::catalogue::Function;
    use crate::catalogue::tests::projections::case;

    #[test]
    fn is_the_projection() {
        case(Function::BinarySet, [5], vec![])
            .takes(&[0.5, 0.6, -3.0, 7.0, -0.0], &[0.0, 1.0, 0.0, 1.0, 0.0])
            .keeps_the_laws(&[], |x, _| x.iter().all(|&x| x == 0.0 || x == 1.0));
    }
}
