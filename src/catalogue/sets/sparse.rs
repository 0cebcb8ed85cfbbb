//! `x in sparse(k)`: at most `k` elements other than 0. The projection keeps the `k` of largest magnitude,
//! of equal ones the first (Blumensath & Davies, Iterative thresholding for sparse approximations, 2008).

use crate::catalogue::member::Member;
use crate::catalogue::prox::Prox;
use crate::catalogue::set::{flat, keep_nan, whole};
use crate::catalogue::shapes;
use crate::tape::ops::{Binary, Unary};
use crate::tape::{Builder, Dtype, Op, Value};

pub const MEMBER: Member =
    Member::set("sparse(k)", "at most k elements other than 0", shapes::number, Prox::convex(step).nonconvex())
        .values(|_, args| whole(args, 0, 0));

fn step(b: &mut Builder, v: Value, _: Value, args: &[Value]) -> Value {
    let shape = b.shape(v).clone();
    let x = flat(b, v);
    let order = descending(b, x);
    let picked = b.gather(x, order);
    let place = b.iota([shape.numel()], 0);
    let kept = b.cast(args[1], Dtype::Index);
    let keep = b.binary(Binary::Less, place, kept);
    let zero = b.constant(0.0, b.dtype(v));
    let picked = b.select(keep, picked, zero);
    let ty = b.ty(x).clone();
    let point = b.push(Op::ScatterAdd, vec![order, picked], ty);
    let point = b.reshape(point, shape);
    keep_nan(b, v, point)
}

/// The positions along the last axis in falling order of magnitude, of equal ones the first.
pub fn descending(b: &mut Builder, v: Value) -> Value {
    let magnitude = b.unary(Unary::Abs, v);
    let falling = b.neg(magnitude);
    b.argsort(falling)
}

#[cfg(test)]
mod tests {
    use crate::catalogue::Function;
    use crate::catalogue::tests::projections::{case, number};
    use crate::tape::Shape;

    fn holds(k: usize) -> impl Fn(&[f64], f64) -> bool {
        move |x, _| x.iter().filter(|&&x| x != 0.0).count() <= k
    }

    #[test]
    fn is_the_projection() {
        case(Function::SparseSet, [5], vec![number(2.0)])
            .takes(&[1.0, -3.0, 2.0, 3.0, 0.0], &[0.0, -3.0, 0.0, 3.0, 0.0])
            // Of equal magnitudes the first.
            .takes(&[1.0, -1.0, 1.0, -1.0, 1.0], &[1.0, -1.0, 0.0, 0.0, 0.0])
            .takes(&[0.0, 0.0, 0.0, 0.0, 4.0], &[0.0, 0.0, 0.0, 0.0, 4.0])
            .keeps_the_laws(&[], holds(2));
        case(Function::SparseSet, [2, 2], vec![number(0.0)]).keeps_the_laws(&[], holds(0));
        case(Function::SparseSet, [2], vec![number(9.0)]).takes(&[1.0, -2.0], &[1.0, -2.0]);
        case(Function::SparseSet, Shape::scalar(), vec![number(1.0)]).takes(&[3.0], &[3.0]);
    }
}
