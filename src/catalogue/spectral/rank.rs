//! `rank(X)`, the number of singular values above `max(m, n)` roundings of the greatest. Its step keeps those
//! above a bound:
//!
//! ```text
//! prox_{tφ}(V) = U diag(σᵢ where σᵢ > √(2t), else 0) Wᵀ,   V = U diag(σ) Wᵀ
//! ```

use crate::catalogue::member::Member;
use crate::catalogue::norms::norm_nuc::matrix;
use crate::catalogue::prox::Prox;
use crate::catalogue::set::keep_nan;
use crate::catalogue::sets::nuclear_ball::compose;
use crate::catalogue::shrink;
use crate::tape::ops::{Binary, Reducer, Unary};

pub const MEMBER: Member = Member::total("rank(X)", "number of singular values above rounding", |b, args| {
    let shape = b.shape(args[0]).clone();
    let (_, sigma, _) = b.svd(args[0]);
    let greatest = b.reduce(Reducer::Max, sigma, vec![0]);
    let roundings = b.dtype(args[0]).eps() * shape.0[0].max(shape.0[1]) as f64;
    let cut = b.scale(roundings, greatest);
    let above = b.binary(Binary::Less, cut, sigma);
    // A NaN is above nothing.
    let counted = keep_nan(b, sigma, above);
    b.sum(counted)
})
.shape(matrix)
.kinked()
.prox(
    Prox::convex(|b, v, t, _| {
        let (left, sigma, right) = b.svd(v);
        let twice = b.scale(2.0, t);
        let bound = b.unary(Unary::Sqrt, twice);
        let sigma = shrink::hard(b, sigma, bound);
        compose(b, left, sigma, right)
    })
    .nonconvex(),
);
