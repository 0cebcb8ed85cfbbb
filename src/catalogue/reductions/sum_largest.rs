//! `sum_largest(x, k)`, the sum of the `k` greatest of all elements, of the next one in part where `k` is no
//! whole number; a kink at ties. It is `⟨x, y⟩` at best among the `y` of sum `k` between 0 and 1, so that its
//! step takes a projection onto those off `v`:
//!
//! ```text
//! prox_{tφ}(v) = v − P(v),   P onto 0 ≤ y ≤ t, Σ yᵢ = tk
//! ```
//!
//! Parikh & Boyd, Proximal Algorithms (2014), §6.4.

use crate::catalogue::member::Member;
use crate::catalogue::prox::Prox;
use crate::catalogue::set::at_least;
use crate::catalogue::set::{flat, on_vector};
use crate::catalogue::sets::capped_simplex;
use crate::tape::ops::Binary;
use crate::tape::{Builder, Value};

pub const MEMBER: Member = Member::total("sum_largest(x, k)", "sum of the k greatest elements", |b, args| {
    let x = flat(b, args[0]);
    value(b, x, args[1])
})
.kinked()
.prox(Prox::convex(|b, v, t, args| on_vector(b, v, |b, x| step(b, x, t, args[1]))))
.values(|_, args| at_least(args, 1, 0.0));

/// The value at a vector: sorted, times what counts of each element.
pub fn value(b: &mut Builder, x: Value, k: Value) -> Value {
    let n = b.shape(x).numel();
    let sorted = b.sort(x);
    let place = b.iota([n], 0);
    let place = b.cast(place, b.dtype(x));
    let above = b.offset(place, 1.0 - n as f64);
    let share = b.add(above, k);
    let (zero, one) = (b.constant(0.0, b.dtype(x)), b.constant(1.0, b.dtype(x)));
    let share = b.clamp(share, zero, one);
    b.dot(share, sorted)
}

/// The step at a vector.
pub fn step(b: &mut Builder, v: Value, t: Value, k: Value) -> Value {
    let all = b.constant(b.shape(v).numel() as f64, b.dtype(v));
    let k = b.binary(Binary::Min, k, all);
    let sum = b.mul(t, k);
    let taken = capped_simplex::project(b, v, sum, t);
    b.sub(v, taken)
}
