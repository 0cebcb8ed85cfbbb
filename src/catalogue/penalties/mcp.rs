//! `mcp(x, lambda, gamma) = Σᵢ p(xᵢ)`, the minimax concave penalty (Zhang, Nearly unbiased variable selection
//! under minimax concave penalty, 2010): for `λ ≥ 0`, `γ > 0`
//!
//! ```text
//! p(x) = λ|x| − x²/(2γ)   where |x| ≤ γλ,      γλ²/2   elsewhere
//! ```
//!
//! Its curvature is −1/γ or 0. Kinks where an element is 0. Its step is firm thresholding where `t < γ`, and
//! else a jump from 0 to `v`, where both cost the same:
//!
//! ```text
//! t < γ:   0 where |v| ≤ tλ,   soft(v, tλ)/(1 − t/γ) where |v| ≤ γλ,   v elsewhere
//! t ≥ γ:   0 where |v| ≤ λ√(tγ),   v elsewhere
//! ```

use crate::catalogue::member::Member;
use crate::catalogue::prox::Prox;
use crate::catalogue::set::{above, at_least};
use crate::catalogue::shrink;
use crate::tape::ops::{Binary, Unary};

pub const MEMBER: Member =
    Member::total("mcp(x, lambda, gamma)", "minimax concave penalty: lambda·|x| that levels off", |b, args| {
        // With c = min(|x|, γλ): λc − c²/(2γ).
        let end = b.mul(args[1], args[2]);
        let size = b.unary(Unary::Abs, args[0]);
        let capped = b.binary(Binary::Min, size, end);
        let share = b.div(capped, args[2]);
        let half = b.scale(0.5, share);
        let slope = b.sub(args[1], half);
        b.dot(slope, capped)
    })
    .kinked()
    .prox(
        Prox::separable(|b, v, t, args| {
            let (lambda, gamma) = (args[1], args[2]);
            let bound = b.mul(t, lambda);
            let left = shrink::soft(b, v, bound);
            let ratio = b.div(t, gamma);
            let minus = b.neg(ratio);
            let scale = b.offset(minus, 1.0);
            let firm = b.div(left, scale);
            let (size, end) = (b.unary(Unary::Abs, v), b.mul(lambda, gamma));
            let near = b.binary(Binary::LessEqual, size, end);
            let firm = b.select(near, firm, v);
            let product = b.mul(t, gamma);
            let root = b.unary(Unary::Sqrt, product);
            let bound = b.mul(lambda, root);
            let jump = shrink::hard(b, v, bound);
            let is_weak = b.binary(Binary::Less, t, gamma);
            b.select(is_weak, firm, jump)
        })
        .nonconvex(),
    )
    .values(|_, args| at_least(args, 1, 0.0).and_then(|()| above(args, 2, 0.0)));
