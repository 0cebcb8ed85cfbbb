//! `elastic_net(x, l1, l2) = l₁‖x‖₁ + (l₂/2)‖x‖²`, with weights of at least 0; kinks where an element is 0.
//! Its step:
//!
//! ```text
//! prox_{tφ}(v) = soft(v, tl₁)/(1 + tl₂)
//! ```
//!
//! Zou & Hastie, Regularization and variable selection via the elastic net (2005).

use crate::catalogue::member::Member;
use crate::catalogue::prox::Prox;
use crate::catalogue::set::at_least;
use crate::catalogue::shrink;
use crate::tape::ops::Unary;

pub const MEMBER: Member =
    Member::total("elastic_net(x, l1, l2)", "l1 times the sum of magnitudes, l2/2 times the squares", |b, args| {
        let magnitudes = b.unary(Unary::Abs, args[0]);
        let sum = b.sum(magnitudes);
        let squares = b.sum_squares(args[0]);
        let half = b.scale(0.5, args[2]);
        let (linear, square) = (b.mul(args[1], sum), b.mul(half, squares));
        b.add(linear, square)
    })
    .kinked()
    .prox(Prox::separable(|b, v, t, args| {
        let bound = b.mul(t, args[1]);
        let left = shrink::soft(b, v, bound);
        let bend = b.mul(t, args[2]);
        let scale = b.offset(bend, 1.0);
        b.div(left, scale)
    }))
    .values(|_, args| at_least(args, 1, 0.0).and_then(|()| at_least(args, 2, 0.0)));
