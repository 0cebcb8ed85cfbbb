//! `log_softmax(u) = u − logsumexp(u)`, row by row of a matrix; no row loses its greatest element.

use crate::catalogue::member::Member;
use crate::catalogue::shapes;

pub const MEMBER: Member = Member::total("log_softmax(u)", "log(softmax(u)), never −∞ by rounding", |b, args| {
    let shape = b.shape(args[0]).clone();
    let total = (super::logsumexp::MEMBER.lower)(b, args);
    let total = b.broadcast(total, (0..shape.rank() - 1).collect(), shape);
    b.sub(args[0], total)
})
.shape(shapes::rows);
