//! `cumsum(x)ᵢ = Σⱼ≤ᵢ xⱼ`, running sums; of a matrix, those of its rows.

use crate::catalogue::member::Member;
use crate::catalogue::shapes;

pub const MEMBER: Member = Member::total("cumsum(x)", "running sums, of a matrix those of its rows", |b, args| {
    if b.shape(args[0]).rank() == 1 {
        return b.cumsum(args[0]);
    }
    let turned = b.transpose(args[0]);
    let sums = b.cumsum(turned);
    b.transpose(sums)
})
.shape(shapes::rows);
