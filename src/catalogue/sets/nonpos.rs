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
