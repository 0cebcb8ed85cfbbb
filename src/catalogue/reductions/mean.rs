//! `mean(x)`, over all elements; of a sample, the expectation.

use crate::catalogue::member::{Form, Member};

pub const MEMBER: Member =
    Member::total("mean(x)", "mean of all elements; the expectation over a sample", |b, args| {
        let count = b.shape(args[0]).numel();
        let sum = b.sum(args[0]);
        b.scale(1.0 / count as f64, sum)
    })
    .form(Form::Template("E[{0}]"));
