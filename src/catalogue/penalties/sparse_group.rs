//! `sparse_group(x, starts, l1, l2) = l₁‖x‖₁ + l₂ Σ_g‖x_g‖₂` over groups of neighbouring elements, which begin
//! as those of `group_norm` do. Weights of at least 0; kinks where an element is 0. Its step thresholds the
//! elements, then shrinks the groups (Friedman, Hastie & Tibshirani, A note on the group lasso and a sparse
//! group lasso, 2010).

use crate::catalogue::member::{Member, WrongArguments};
use crate::catalogue::norms::group_norm::{self, Groups};
use crate::catalogue::prox::Prox;
use crate::catalogue::set::{at_least, whole};
use crate::catalogue::{shapes, shrink};
use crate::tape::Shape;
use crate::tape::ops::Unary;

pub const MEMBER: Member = Member::total(
    "sparse_group(x, starts, l1, l2)",
    "l1 times the sum of magnitudes, l2 times the lengths of groups of neighbours",
    |b, args| {
        let magnitudes = b.unary(Unary::Abs, args[0]);
        let sum = b.sum(magnitudes);
        let lengths = (group_norm::MEMBER.lower)(b, &args[..2]);
        let (elements, groups) = (b.mul(args[2], sum), b.mul(args[3], lengths));
        b.add(elements, groups)
    },
)
.shape(shape)
.kinked()
.prox(Prox::convex(|b, v, t, args| {
    let (elements, length) = (b.mul(t, args[2]), b.mul(t, args[3]));
    let left = shrink::soft(b, v, elements);
    let groups = Groups::new(b, v, args[1]);
    groups.step(b, left, length)
}))
.values(|_, args| whole(args, 1, 1).and_then(|()| at_least(args, 2, 0.0)).and_then(|()| at_least(args, 3, 0.0)));

fn shape(args: &[Shape]) -> Result<Shape, WrongArguments> {
    shapes::rank(args, 2, 0..=0, "a number")?;
    shapes::rank(args, 3, 0..=0, "a number")?;
    group_norm::shape(&args[..2])
}
