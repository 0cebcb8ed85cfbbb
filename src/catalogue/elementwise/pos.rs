//! `pos(x) = max(x, 0)`, the positive part; a kink at 0. The step of its sum:
//!
//! ```text
//! prox_{tφ}(v) = v − clamp(v, 0, t)
//! ```

use crate::catalogue::Curve;
use crate::catalogue::member::{Form, Member, unary};
use crate::catalogue::prox::Prox;
use crate::tape::ops::Unary;
use crate::tape::{Builder, Value};

pub const MEMBER: Member =
    Member::elementwise("pos(x)", "positive part max(x, 0) of every element", |b, args| unary(b, Unary::Relu, args))
        .curve(Curve::ConvexRising)
        .form(Form::Template("({0})₊"))
        .kinked()
        .prox(Prox::separable(|b, v, t, _| step(b, v, t)));

/// The step.
pub fn step(b: &mut Builder, v: Value, t: Value) -> Value {
    let zero = b.constant(0.0, b.dtype(v));
    let inside = b.clamp(v, zero, t);
    b.sub(v, inside)
}
