//! `x in nonpos`: `xᵢ ≤ 0`.
//!
//! ```text
//! P(v)ᵢ = min(vᵢ, 0)
//! ```

use crate::catalogue::member::Member;
use crate::catalogue::prox::Prox;
use crate::catalogue::shapes;
use crate::tape::ops::Binary;

pub const MEMBER: Member = Member::set(
    "nonpos",
    "every element at most 0",
    shapes::number,
    Prox::separable(|b, v, _, _| {
        let zero = b.constant(0.0, b.dtype(v));
        b.binary(Binary::Min, v, zero)
    }),
)
.aliases(&["nonpositive"]);

#[cfg(test)]
mod tests {
    use crate::catalogue::Function;
    use crate::catalogue::tests::projections::case;

    #[test]
    fn is_the_projection() {
        case(Function::Nonpos, [3], vec![])
            .takes(&[-1.0, 0.0, 2.5], &[-1.0, 0.0, 0.0])
            .keeps_the_laws(&[], |x, _| x.iter().all(|&x| x <= 0.0));
    }
}
