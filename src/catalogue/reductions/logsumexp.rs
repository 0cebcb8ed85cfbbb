//! `logsumexp(u) = log Σᵢ exp(uᵢ)`, row by row of a matrix: `m + log Σ exp(u − m)` with `m = max u`,
//! so that nothing overflows.

use crate::catalogue::member::{Member, WrongArguments};
use crate::catalogue::shapes;
use crate::tape::ops::{Reducer, Unary};
use crate::tape::{Builder, Shape, Value};

pub const MEMBER: Member = Member::total("logsumexp(u)", "log(sum(exp(u))) of every row, without overflow", lower)
    .shape(shape)
    .aliases(&["log_sum_exp"]);

fn shape(args: &[Shape]) -> Result<Shape, WrongArguments> {
    let mut shape = shapes::rows(args)?;
    shape.0.pop();
    Ok(shape)
}

fn lower(b: &mut Builder, args: &[Value]) -> Value {
    let u = args[0];
    let shape = b.shape(u).clone();
    let last = shape.rank() - 1;
    let greatest = b.reduce(Reducer::Max, u, vec![last]);
    let repeated = b.broadcast(greatest, (0..last).collect(), shape);
    let below = b.sub(u, repeated);
    let terms = b.unary(Unary::Exp, below);
    let sum = b.reduce(Reducer::Sum, terms, vec![last]);
    let log = b.unary(Unary::Log, sum);
    b.add(greatest, log)
}
