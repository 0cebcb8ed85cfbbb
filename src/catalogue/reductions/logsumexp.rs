//! `logsumexp(u) = log Σᵢ exp(uᵢ)`, row by row of a matrix, without overflow.

use crate::catalogue::member::{Member, WrongArguments};
use crate::catalogue::shapes;
use crate::tape::Shape;
use crate::tape::ops::Reducer;

pub const MEMBER: Member =
    Member::total("logsumexp(u)", "log(sum(exp(u))) of every row, without overflow", |b, args| {
        let last = b.shape(args[0]).rank() - 1;
        b.reduce(Reducer::LogSumExp, args[0], vec![last])
    })
    .shape(shape)
    .aliases(&["log_sum_exp"]);

fn shape(args: &[Shape]) -> Result<Shape, WrongArguments> {
    let mut shape = shapes::rows(args)?;
    shape.0.pop();
    Ok(shape)
}
