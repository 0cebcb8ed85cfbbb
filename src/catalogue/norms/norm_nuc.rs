//! `norm_nuc(X) = Σᵢ σᵢ(X)`, the singular values added up. No derivative where one is 0. Its step thresholds
//! them:
//!
//! ```text
//! prox_{tφ}(V) = U diag(max(σᵢ − t, 0)) Wᵀ,   V = U diag(σ) Wᵀ
//! ```
//!
//! Cai, Candès & Shen, A singular value thresholding algorithm for matrix completion (2010), Theorem 2.1.

use crate::catalogue::member::{Form, Member, WrongArguments};
use crate::catalogue::prox::Prox;
use crate::catalogue::sets::nuclear_ball::compose;
use crate::catalogue::{shapes, shrink};
use crate::tape::Shape;

pub const MEMBER: Member = Member::total("norm_nuc(X)", "sum of the singular values", |b, args| {
    let (_, sigma, _) = b.svd(args[0]);
    b.sum(sigma)
})
.shape(matrix)
.form(Form::Template("‖{0}‖_*"))
.kinked()
.prox(Prox::convex(|b, v, t, _| {
    let (left, sigma, right) = b.svd(v);
    let sigma = shrink::soft(b, sigma, t);
    compose(b, left, sigma, right)
}));

/// One matrix.
pub fn matrix(args: &[Shape]) -> Result<Shape, WrongArguments> {
    shapes::rank(args, 0, 2..=2, "a matrix")?;
    Ok(Shape::scalar())
}
