//! `square_hinge(y, u) = Σᵢ max(0, 1 − yᵢuᵢ)²` for labels `y` of −1 and 1. Its step, for any `y`:
//!
//! ```text
//! prox_{tφ}(v) = v + 2ty max(0, 1 − yv)/(1 + 2ty²)
//! ```

use super::hinge::short;
use crate::catalogue::member::Member;
use crate::catalogue::prox::Prox;
use crate::catalogue::shapes;
use crate::tape::ops::Unary;

pub const MEMBER: Member =
    Member::total("square_hinge(y, u)", "sum of max(0, 1 − y u)²; labels y are −1 and 1", |b, args| {
        let short = short(b, args[0], args[1]);
        let losses = b.unary(Unary::Relu, short);
        b.sum_squares(losses)
    })
    .shape(shapes::same_to_number)
    .prox(
        Prox::separable(|b, v, t, args| {
            let short = short(b, args[0], v);
            let loss = b.unary(Unary::Relu, short);
            let weight = b.mul(t, args[0]);
            let weight = b.scale(2.0, weight);
            let bend = b.mul(weight, args[0]);
            let scale = b.offset(bend, 1.0);
            let factor = b.div(weight, scale);
            let change = b.mul(factor, loss);
            b.add(v, change)
        })
        .subject(1),
    );
