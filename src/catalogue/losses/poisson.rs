//! `poisson(x, y) = Σᵢ xᵢ − yᵢ log xᵢ` on `x ≥ 0`, for counts `y ≥ 0`: the negative log-likelihood of rates
//! `x`, up to a constant. Its step is the positive root of a quadratic:
//!
//! ```text
//! prox_{tφ}(v) = (w + √(w² + 4ty))/2,   w = v − t
//! ```
//!
//! Combettes & Pesquet, Proximal splitting methods in signal processing (2011), Table 10.2.

use crate::catalogue::member::Member;
use crate::catalogue::prox::Prox;
use crate::catalogue::set::at_least;
use crate::catalogue::{shapes, shrink};
use crate::tape::ops::{Binary, Unary};

pub const MEMBER: Member =
    Member::total("poisson(x, y)", "sum of x − y log x, for rates x and counts y", |b, args| {
        // 0 log 0 is 0, with a slope of 0; below 0 there is no logarithm, whatever the count.
        let size = b.unary(Unary::Abs, args[0]);
        let both = b.add(size, args[1]);
        let (zero, one) = (b.constant_like(0.0, both), b.constant_like(1.0, both));
        let nothing = b.binary(Binary::Equal, both, zero);
        let rate = b.select(nothing, one, args[0]);
        let log = b.unary(Unary::Log, rate);
        let likely = b.mul(args[1], log);
        let losses = b.sub(args[0], likely);
        b.sum(losses)
    })
    .shape(shapes::same_to_number)
    .prox(
        Prox::separable(|b, v, t, args| {
            let w = b.sub(v, t);
            let p = b.mul(t, args[1]);
            shrink::positive_root(b, w, p)
        })
        .domain(),
    )
    .values(|_, args| at_least(args, 1, 0.0));
