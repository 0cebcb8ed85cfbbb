//! `lambda_max(X)`, the greatest eigenvalue of a symmetric matrix. No derivative where it is repeated. Its
//! step is that of `max` at the eigenvalues.

use super::{eigenvalues, square, step};
use crate::catalogue::member::{Form, Member};
use crate::catalogue::prox::Prox;
use crate::catalogue::reductions::max;
use crate::tape::ops::Reducer;

pub const MEMBER: Member = Member::total("lambda_max(X)", "greatest eigenvalue of a symmetric matrix", |b, args| {
    let values = eigenvalues(b, args[0]);
    b.reduce(Reducer::Max, values, vec![0])
})
.shape(square)
.form(Form::Template("λ_max({0})"))
.kinked()
.prox(Prox::convex(|b, v, t, _| step(b, v, |b, values| max::step(b, values, t))));
