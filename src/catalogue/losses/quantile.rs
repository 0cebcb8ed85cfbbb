//! `quantile(r, tau) = Σᵢ max(τrᵢ, (τ − 1)rᵢ)`, the tilted magnitude that quantile regression minimises
//! (Koenker & Bassett, Regression quantiles, 1978); kinks where an element is 0. Its step:
//!
//! ```text
//! prox_{tφ}(v) = v − clamp(v, t(τ − 1), tτ)
//! ```

use crate::catalogue::member::Member;
use crate::catalogue::prox::Prox;
use crate::catalogue::set::within;
use crate::tape::ops::Binary;

pub const MEMBER: Member =
    Member::total("quantile(r, tau)", "sum of tau·r where r is positive, of (tau − 1)·r elsewhere", |b, args| {
        let less = b.offset(args[1], -1.0);
        let (right, left) = (b.mul(args[1], args[0]), b.mul(less, args[0]));
        let losses = b.binary(Binary::Max, right, left);
        b.sum(losses)
    })
    .kinked()
    .prox(Prox::separable(|b, v, t, args| {
        let less = b.offset(args[1], -1.0);
        let (high, low) = (b.mul(t, args[1]), b.mul(t, less));
        let inside = b.clamp(v, low, high);
        b.sub(v, inside)
    }))
    .values(|_, args| within(args, 1, 0.0, 1.0));
