//! `hinge(y, u) = Σᵢ max(0, 1 − yᵢuᵢ)` for labels `y` of −1 and 1; a kink at margin 1. Its step, for any
//! `y`:
//!
//! ```text
//! prox_{tφ}(v) = v + y clamp((1 − yv)/y², 0, t)
//! ```
//!
//! the point that lies between `v` and `v + ty` and, if it can, at margin 1.

use crate::catalogue::member::Member;
use crate::catalogue::prox::Prox;
use crate::catalogue::shapes;
use crate::tape::ops::Unary;
use crate::tape::{Builder, Value};

pub const MEMBER: Member =
    Member::total("hinge(y, u)", "sum of max(0, 1 − y u); labels y are −1 and 1", |b, args| {
        let short = short(b, args[0], args[1]);
        let losses = b.unary(Unary::Relu, short);
        b.sum(losses)
    })
    .shape(shapes::same_to_number)
    .kinked()
    .prox(
        Prox::separable(|b, v, t, args| {
            let short = short(b, args[0], v);
            let square = b.unary(Unary::Square, args[0]);
            // Of a label 0 there is no margin to reach; the step adds 0 times something up to t.
            let way = b.div(short, square);
            let zero = b.constant(0.0, b.dtype(v));
            let way = b.clamp(way, zero, t);
            let change = b.mul(args[0], way);
            b.add(v, change)
        })
        .subject(1),
    );

/// `1 − yu`
pub fn short(b: &mut Builder, y: Value, u: Value) -> Value {
    let margin = b.mul(y, u);
    let against = b.neg(margin);
    b.offset(against, 1.0)
}
