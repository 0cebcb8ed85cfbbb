//! `x in box(lower, upper)`: `lowerᵢ ≤ xᵢ ≤ upperᵢ`. A bound is one number for all elements or has the
//! shape of `x`, and may be infinite.
//!
//! ```text
//! P(v)ᵢ = max(lowerᵢ, min(vᵢ, upperᵢ))
//! ```
//!
//! Parikh & Boyd, Proximal Algorithms (2014), §6.2.4.

use crate::catalogue::member::{Member, WrongArguments};
use crate::catalogue::prox::Prox;
use crate::catalogue::shapes;
use crate::tape::Shape;

pub const MEMBER: Member = Member::set(
    "box(lower = -inf, upper = inf)",
    "every element between two bounds, numbers or one an element",
    shape,
    Prox::separable(|b, v, _, args| b.clamp(v, args[1], args[2])),
);

fn shape(args: &[Shape]) -> Result<Shape, WrongArguments> {
    let fits = |bound: &Shape| bound.is_scalar() || *bound == args[0];
    match (1..args.len()).find(|&at| !fits(&args[at])) {
        None => shapes::number(&args[..1]),
        Some(right) => Err(WrongArguments::Disagree { left: 0, right, rule: "a bound is a number or has this shape" }),
    }
}
