//! `x in nonneg`: `xᵢ ≥ 0`, the cone of Boyd & Vandenberghe, Convex Optimization (2004), §2.4.1.
//!
//! ```text
//! P(v)ᵢ = max(vᵢ, 0)
//! ```

use crate::catalogue::member::Member;
use crate::catalogue::prox::Prox;
use crate::catalogue::shapes;
use crate::tape::ops::Unary;

pub const MEMBER: Member = Member::set(
    "nonneg",
    "every element at least 0",
    shapes::number,
    Prox::separable(|b, v, _, _| b.unary(Unary::Relu, v)),
)
.aliases(&["nonnegative"]);

#[cfg(test)]
mod tests {
    use crate::catalogue::Function;
    use crate::catalogue::tests::projections::case;

    #[test]
    fn is_the_projection() {
        case(Function::Nonneg, [2, 2], vec![])
            .takes(&[-1.0, 0.0, 2.5, -0.0], &[0.0, 0.0, 2.5, 0.0])
            .keeps_the_laws(&[], |x, _| x.iter().all(|&x| x >= 0.0));
    }
}
