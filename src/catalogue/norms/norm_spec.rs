//! `norm_spec(X) = σ₁(X)`, the greatest singular value. No derivative where it is repeated. Its step is that
//! of `norm_inf` on the singular values (Parikh & Boyd, Proximal Algorithms, 2014, §6.7.2).

use super::norm_inf;
use super::norm_nuc::matrix;
use crate::catalogue::member::{Form, Member};
use crate::catalogue::prox::Prox;
use crate::catalogue::sets::nuclear_ball::compose;
use crate::tape::ops::Reducer;

pub const MEMBER: Member = Member::total("norm_spec(X)", "greatest singular value", |b, args| {
    let (_, sigma, _) = b.svd(args[0]);
    b.reduce(Reducer::Max, sigma, vec![0])
})
.shape(matrix)
.form(Form::Template("‖{0}‖₂"))
.kinked()
.prox(Prox::convex(|b, v, t, _| {
    let (left, sigma, right) = b.svd(v);
    let sigma = norm_inf::step(b, sigma, t);
    compose(b, left, sigma, right)
}));
