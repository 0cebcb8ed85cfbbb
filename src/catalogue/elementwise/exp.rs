//! `exp(x) = eˣ`. The step of its sum, with `u + eᵘ = v + log t`:
//!
//! ```text
//! prox_{tφ}(v) = v − eᵘ = u − log t
//! ```
//!
//! the former where `u ≤ 0`, the latter where `eᵘ` is what is large. `log ω` in place of Lambert's W, which
//! would overflow: Chaux et al., A variational formulation for frame-based inverse problems (2007).

use crate::catalogue::Curve;
use crate::catalogue::member::{Form, Member, unary};
use crate::catalogue::prox::Prox;
use crate::tape::ops::{Binary, Unary};

pub const MEMBER: Member =
    Member::elementwise("exp(x)", "exponential of every element", |b, args| unary(b, Unary::Exp, args))
        .curve(Curve::ConvexRising)
        .form(Form::Template("exp {0!}"))
        .prox(Prox::separable(|b, v, t, _| {
            let log_t = b.unary(Unary::Log, t);
            let c = b.add(v, log_t);
            let u = b.log_omega(c);
            let zero = b.constant_like(0.0, u);
            let positive = b.binary(Binary::Less, zero, u);
            let right = b.sub(u, log_t);
            let e = b.unary(Unary::Exp, u);
            let left = b.sub(v, e);
            b.select(positive, right, left)
        }));
