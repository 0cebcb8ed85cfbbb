//! `selu(x) = s·elu(x, a)` with the two constants that keep mean 0 and variance 1 through layers
//! (Klambauer, Unterthiner, Mayr, Hochreiter 2017, eq. 2 and 14).

use super::elu;
use crate::catalogue::member::Member;

const SCALE: f64 = 1.0507009873554805;
const A: f64 = 1.6732632423543772;

pub const MEMBER: Member = Member::elementwise("selu(x)", "self-normalising elu of every element", |b, args| {
    let a = b.constant(A, b.dtype(args[0]));
    let elu = (elu::MEMBER.lower)(b, &[args[0], a]);
    b.scale(SCALE, elu)
})
.kinked();
