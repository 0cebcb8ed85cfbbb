//! `huber(r, M) = Σᵢ h(rᵢ)`, `h(r) = r²/2` for `|r| ≤ M`, else `M|r| − M²/2`: quadratic near 0, linear
//! far out. With `c = min(|r|, M)` both are `c(|r| − c/2)`. Its step:
//!
//! ```text
//! prox_{tφ}(v) = v − t clamp(v/(1 + t), −M, M)
//! ```
//!
//! Combettes & Pesquet, Proximal thresholding algorithm for minimization over orthonormal bases (2007).

use crate::catalogue::member::Member;
use crate::catalogue::prox::Prox;
use crate::catalogue::set::at_least;
use crate::tape::ops::{Binary, Unary};

pub const MEMBER: Member =
    Member::total("huber(r, M = 1)", "sum of r²/2 where |r| ≤ M, of M|r| − M²/2 elsewhere", |b, args| {
        let size = b.unary(Unary::Abs, args[0]);
        let capped = b.binary(Binary::Min, size, args[1]);
        let half = b.scale(0.5, capped);
        let rest = b.sub(size, half);
        b.dot(capped, rest)
    })
    .prox(Prox::separable(|b, v, t, args| {
        let scale = b.offset(t, 1.0);
        let inner = b.div(v, scale);
        let low = b.neg(args[1]);
        let slope = b.clamp(inner, low, args[1]);
        let shift = b.mul(t, slope);
        b.sub(v, shift)
    }))
    .values(|_, args| at_least(args, 1, 0.0));
