//! `sum_largest_eigs(X, k)`, the sum of the `k` greatest eigenvalues of a symmetric matrix. No derivative where
//! the last of them is repeated. Its step is that of `sum_largest` at the eigenvalues.

use super::{eigenvalues, square, step};
use crate::catalogue::member::Member;
use crate::catalogue::prox::Prox;
use crate::catalogue::reductions::sum_largest;
use crate::catalogue::set::at_least;

pub const MEMBER: Member =
    Member::total("sum_largest_eigs(X, k)", "sum of the k greatest eigenvalues of a symmetric matrix", |b, args| {
        let values = eigenvalues(b, args[0]);
        sum_largest::value(b, values, args[1])
    })
    .shape(square)
    .kinked()
    .prox(Prox::convex(|b, v, t, args| step(b, v, |b, values| sum_largest::step(b, values, t, args[1]))))
    .values(|_, args| at_least(args, 1, 0.0));
