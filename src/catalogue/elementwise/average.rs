//! `average(a, b, …) = (a + b + …)/n`: the mean of several tensors of one shape, as of copies.

use crate::catalogue::member::Member;

pub const MEMBER: Member = Member::elementwise("average(a, …)", "the mean of tensors of one shape", |b, args| {
    let sum = args[1..].iter().fold(args[0], |sum, &arg| b.add(sum, arg));
    b.scale(1.0 / args.len() as f64, sum)
});
