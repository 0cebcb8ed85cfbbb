//! `sparse_group(X, l1, l2) = l₁ Σ|Xᵢⱼ| + l₂ Σᵢ‖Xᵢ‖₂`: the sparse group lasso, whose groups are the rows; a
//! vector is one row. Weights of at least 0; kinks where an element is 0. Its step thresholds the elements,
//! then shrinks the rows (Friedman, Hastie & Tibshirani, A note on the group lasso and a sparse group
//! lasso, 2010):
//!
//! ```text
//! prox_{tφ} = prox_{tl₂‖·‖₁,₂} ∘ prox_{tl₁‖·‖₁}
//! ```

use crate::catalogue::member::{Member, WrongArguments};
use crate::catalogue::norms::norm_12;
use crate::catalogue::prox::Prox;
use crate::catalogue::set::at_least;
use crate::catalogue::{shapes, shrink};
use crate::tape::Shape;
use crate::tape::ops::Unary;

pub const MEMBER: Member = Member::total(
    "sparse_group(X, l1, l2)",
    "l1 times the sum of magnitudes, l2 times the lengths of the rows",
    |b, args| {
        let magnitudes = b.unary(Unary::Abs, args[0]);
        let sum = b.sum(magnitudes);
        let lengths = (norm_12::MEMBER.lower)(b, args);
        let (elements, rows) = (b.mul(args[1], sum), b.mul(args[2], lengths));
        b.add(elements, rows)
    },
)
.shape(shape)
.kinked()
.prox(Prox::convex(|b, v, t, args| {
    let (elements, rows) = (b.mul(t, args[1]), b.mul(t, args[2]));
    let left = shrink::soft(b, v, elements);
    norm_12::step(b, left, rows)
}))
.values(|_, args| at_least(args, 1, 0.0).and_then(|()| at_least(args, 2, 0.0)));

fn shape(args: &[Shape]) -> Result<Shape, WrongArguments> {
    shapes::rank(args, 0, 1..=2, "a vector or a matrix")?;
    shapes::number(args)
}
