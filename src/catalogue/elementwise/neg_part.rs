//! `neg_part(x) = max(−x, 0)`, the negative part; a kink at 0. The step of its sum:
//!
//! ```text
//! prox_{tφ}(v) = v − clamp(v, −t, 0)
//! ```

use crate::catalogue::Curve;
use crate::catalogue::member::{Form, Member};
use crate::catalogue::prox::Prox;
use crate::tape::ops::Unary;

pub const MEMBER: Member =
    Member::elementwise("neg_part(x)", "negative part max(−x, 0) of every element", |b, args| {
        let minus = b.neg(args[0]);
        b.unary(Unary::Relu, minus)
    })
    .curve(Curve::ConvexFalling)
    .form(Form::Template("({0})₋"))
    .kinked()
    .aliases(&["neg"])
    .prox(Prox::separable(|b, v, t, _| {
        let low = b.neg(t);
        let zero = b.constant(0.0, b.dtype(v));
        let inside = b.clamp(v, low, zero);
        b.sub(v, inside)
    }));
