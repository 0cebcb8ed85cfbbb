//! `min(x)`, the least of all elements; a kink at ties.

use crate::catalogue::member::Member;
use crate::tape::ops::Reducer;

pub const MEMBER: Member = Member::total("min(x)", "the least of all elements", |b, args| {
    let axes = (0..b.shape(args[0]).rank()).collect();
    b.reduce(Reducer::Min, args[0], axes)
})
.kinked();
