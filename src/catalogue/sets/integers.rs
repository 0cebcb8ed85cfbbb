//! `x in integers`: every element a whole number. The projection rounds; of two that are as near it takes
//! the lower.
//!
//! ```text
//! P(v)ᵢ = ⌊vᵢ⌋            where vᵢ − ⌊vᵢ⌋ ≤ ½
//!         ⌊vᵢ⌋ + 1        elsewhere
//! ```

use crate::catalogue::member::Member;
use crate::catalogue::prox::Prox;
use crate::catalogue::shapes;
use crate::tape::ops::{Binary, Unary};
use crate::tape::{Builder, Value};

pub const MEMBER: Member = Member::set(
    "integers",
    "every element a whole number",
    shapes::number,
    Prox::separable(|b, v, _, _| nearest(b, v)).nonconvex(),
);

/// The nearest whole number. The difference from the floor is exact, which `⌊v + ½⌋` is not.
pub fn nearest(b: &mut Builder, v: Value) -> Value {
    let floor = b.unary(Unary::Floor, v);
    let rest = b.sub(v, floor);
    let half = b.constant(0.5, b.dtype(v));
    let up = b.binary(Binary::Less, half, rest);
    b.add(floor, up)
}

#[cfg(test)]
mod tests {
    use crate::catalogue::Function;
    use crate::catalogue::tests::projections::case;

    #[test]
    fn is_the_projection() {
        case(Function::Integers, [6], vec![])
            .takes(
                &[0.5, -0.5, 1.75, -2.25, 0.499_999_999_999_999_94, 4_503_599_627_370_497.0],
                &[0.0, -1.0, 2.0, -2.0, 0.0, 4_503_599_627_370_497.0],
            )
            .keeps_the_laws(&[&[1e300, -1e300, 0.0, -0.0, 0.0, 0.0]], |x, _| x.iter().all(|x| x.fract() == 0.0));
    }
}
