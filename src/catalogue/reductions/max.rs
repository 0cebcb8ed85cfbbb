//! `max(x)`, the greatest of all elements; a kink at ties. Its step cuts them off at a level:
//!
//! ```text
//! prox_{tφ}(v)ᵢ = min(vᵢ, τ),   Σ max(vᵢ − τ, 0) = t
//! ```
//!
//! which takes the projection onto the simplex of sum `t` off `v` (Parikh & Boyd, Proximal Algorithms,
//! 2014, §6.4.1).

use crate::catalogue::member::Member;
use crate::catalogue::prox::Prox;
use crate::catalogue::set::on_vector;
use crate::catalogue::sets::simplex;
use crate::tape::ops::Reducer;
use crate::tape::{Builder, Value};

pub const MEMBER: Member = Member::total("max(x)", "the greatest of all elements", |b, args| {
    let axes = (0..b.shape(args[0]).rank()).collect();
    b.reduce(Reducer::Max, args[0], axes)
})
.kinked()
.prox(Prox::convex(|b, v, t, _| on_vector(b, v, |b, x| step(b, x, t))));

/// The step at a vector.
pub fn step(b: &mut Builder, v: Value, t: Value) -> Value {
    let taken = simplex::onto_rows(b, v, t);
    b.sub(v, taken)
}
