//! `x in sparse_nm(n, m)`: N:M sparsity, at most `n` elements other than 0 in each group of `m`
//! consecutive ones along the last axis. The projection keeps the `n` of largest magnitude of each group,
//! of equal ones the first (Mishra et al., Accelerating sparse deep neural networks, 2021).

use super::sparse;
use crate::catalogue::member::{Member, WrongArguments};
use crate::catalogue::prox::Prox;
use crate::catalogue::set::{WrongValue, ensure, keep_nan, whole};
use crate::catalogue::{member, shapes};
use crate::tape::ops::Binary;
use crate::tape::{Builder, Dtype, Shape, Value};

pub const MEMBER: Member = Member::set(
    "sparse_nm(n, m)",
    "at most n elements other than 0 in each m consecutive ones of a row",
    shape,
    Prox::convex(step).nonconvex(),
)
.values(values)
.structural(&[1]);

fn shape(args: &[Shape]) -> Result<Shape, WrongArguments> {
    shapes::rank(args, 0, 1..=usize::MAX, "a vector or a matrix")?;
    shapes::number(args)
}

fn values(element: &Shape, args: &[&[f64]]) -> Result<(), WrongValue> {
    whole(args, 0, 0)?;
    whole(args, 1, 1)?;
    let (row, m) = (element.0.last().copied().unwrap_or(1), args[1][0]);
    ensure((row as f64 / m).fract() == 0.0, 1, || format!("a divisor of {row}, the length of a row"))
}

fn step(b: &mut Builder, v: Value, _: Value, args: &[Value]) -> Value {
    let m = member::constant(b, args[2]).expect("the group is a constant (Function::structural)") as usize;
    let (shape, dtype) = (b.shape(v).clone(), b.dtype(v));
    let groups = b.reshape(v, [shape.numel() / m, m]);
    let order = sparse::descending(b, groups);
    // The permutation that sorts a permutation is its inverse: the rank of each element.
    let order = b.cast(order, dtype);
    let rank = b.argsort(order);
    let rank = b.reshape(rank, shape.clone());
    let kept = b.cast(args[1], Dtype::Index);
    let keep = b.binary(Binary::Less, rank, kept);
    let zero = b.constant(0.0, dtype);
    let point = b.select(keep, v, zero);
    keep_nan(b, v, point)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Function;
    use crate::catalogue::tests::projections::{case, number};

    #[test]
    fn is_the_projection() {
        let holds = |x: &[f64], _| x.chunks(4).all(|group| group.iter().filter(|&&x| x != 0.0).count() <= 2);
        case(Function::SparseNm, [2, 4], vec![number(2.0), number(4.0)])
            .takes(&[1.0, -3.0, 2.0, 0.5, 1.0, 1.0, -1.0, 1.0], &[0.0, -3.0, 2.0, 0.0, 1.0, 1.0, 0.0, 0.0])
            .keeps_the_laws(&[], holds);
        case(Function::SparseNm, [8], vec![number(2.0), number(4.0)])
            .takes(&[1.0, -3.0, 2.0, 0.5, 0.0, 0.0, 0.0, 7.0], &[0.0, -3.0, 2.0, 0.0, 0.0, 0.0, 0.0, 7.0])
            .keeps_the_laws(&[], holds);
        case(Function::SparseNm, [2], vec![number(0.0), number(1.0)]).takes(&[1.0, 2.0], &[0.0, 0.0]);
    }

    #[test]
    fn groups_fill_a_row() {
        let of = |n: f64, m: f64| values(&Shape::matrix(3, 8), &[&[n], &[m]]).map_err(|wrong| (wrong.at, wrong.must));
        assert_eq!(of(2.0, 4.0), Ok(()));
        assert_eq!(of(2.0, 3.0), Err((1, "a divisor of 8, the length of a row".to_owned())));
        assert_eq!(of(0.5, 4.0), Err((0, "a whole number, at least 0".to_owned())));
    }
}
