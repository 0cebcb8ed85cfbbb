//! `x in ball_inf(radius)`: `|xᵢ| ≤ r`.
//!
//! ```text
//! P(v)ᵢ = max(−r, min(vᵢ, r))
//! ```

use crate::catalogue::member::Member;
use crate::catalogue::prox::Prox;
use crate::catalogue::shapes;

pub const MEMBER: Member = Member::set(
    "ball_inf(radius = 1)",
    "every element at most the radius in magnitude",
    shapes::number,
    Prox::separable(|b, v, _, args| {
        let low = b.neg(args[1]);
        b.clamp(v, low, args[1])
    }),
);
