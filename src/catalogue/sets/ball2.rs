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
use crate::catalogue::shapes;
use crate::tape::ops::{Binary, Reducer};

pub const MEMBER: Member = Member::set(
    "ball2(radius = 1)",
    "Euclidean length of all elements together at most the radius",
    shapes::number,
    Prox::convex(|b, v, _, args| {
        let (radius, axes) = (args[1], (0..b.shape(v).rank()).collect());
        let norm = b.reduce(Reducer::Norm2, v, axes);
        let inside = b.binary(Binary::LessEqual, norm, radius);
        let shrunk = b.div(radius, norm);
        let one = b.constant(1.0, b.dtype(v));
        // A radius of 0 divides by 0 where the point is inside, and there alone.
        let factor = b.select(inside, one, shrunk);
        b.mul(factor, v)
    }),
);
