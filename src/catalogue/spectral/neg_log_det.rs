//! `neg_log_det(X) = −log det X` on positive definite matrices, by the Cholesky factor: `−2 Σ log Lᵢᵢ`. Its step
//! is that of `neg_log` at the eigenvalues:
//!
//! ```text
//! prox_{tφ}(V) = Q diag((λᵢ + √(λᵢ² + 4t))/2) Qᵀ,   V = Q diag(λ) Qᵀ
//! ```
//!
//! Boyd et al., Distributed optimization and statistical learning via ADMM (2011), §6.5.

use super::{square, step, symmetric_part};
use crate::catalogue::linear::diag;
use crate::catalogue::member::{Form, Member};
use crate::catalogue::prox::Prox;
use crate::catalogue::shrink;
use crate::tape::Op;
use crate::tape::ops::Unary;

pub const MEMBER: Member =
    Member::total("neg_log_det(X)", "−log det of a symmetric positive definite matrix", |b, args| {
        let symmetric = symmetric_part(b, args[0]);
        let ty = b.ty(symmetric).clone();
        let factor = b.push(Op::Cholesky, vec![symmetric], ty);
        let pivots = diag::of(b, factor);
        let logs = b.unary(Unary::Log, pivots);
        let sum = b.sum(logs);
        b.scale(-2.0, sum)
    })
    .shape(square)
    .form(Form::Template("−log det {0!}"))
    .prox(Prox::convex(|b, v, t, _| step(b, v, |b, values| shrink::positive_root(b, values, t))).domain());
