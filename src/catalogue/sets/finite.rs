//! `x in finite(values)`: every element one of some values, in any order. Of two that are as near the
//! projection takes the first written.
//!
//! ```text
//! P(v)ᵢ = the value nearest to vᵢ
//! ```

use crate::catalogue::member::Member;
use crate::catalogue::prox::Prox;
use crate::catalogue::set::{WrongValue, ensure, flat, keep_nan};
use crate::catalogue::shapes;
use crate::tape::ops::{Binary, Unary};
use crate::tape::{Builder, Dtype, Op, Shape, Type, Value};

pub const MEMBER: Member = Member::set(
    "finite(values)",
    "every element one of these values",
    |args| shapes::rank(args, 1, 0..=1, "a vector of values").map(|()| Shape::scalar()),
    Prox::separable(step).nonconvex(),
)
.values(values);

fn values(_: &Shape, args: &[&[f64]]) -> Result<(), WrongValue> {
    ensure(args[0].iter().all(|x| x.is_finite()), 0, || "finite".to_owned())
}

/// Values that are compared one after the other, in a sweep over the elements that needs no memory; above, a
/// table of all distances keeps the program from growing. Both take about the same time (by trial, of 8 to
/// 64 values on 1e3 and 1e5 elements).
const SWEPT: usize = 32;

fn step(b: &mut Builder, v: Value, _: Value, args: &[Value]) -> Value {
    let values = flat(b, args[1]);
    let count = b.shape(values).numel();
    let nearest = if count <= SWEPT { swept(b, v, values, count) } else { tabled(b, v, values, count) };
    keep_nan(b, v, nearest)
}

fn swept(b: &mut Builder, v: Value, values: Value, count: usize) -> Value {
    let shape = b.shape(v).clone();
    let value = |b: &mut Builder, at: usize| {
        let value = b.segment(values, at, 1);
        let value = b.reshape(value, Shape::scalar());
        b.broadcast_scalar(value, &shape)
    };
    let far = |b: &mut Builder, from: Value| {
        let off = b.sub(v, from);
        b.unary(Unary::Abs, off)
    };
    let mut nearest = value(b, 0);
    let mut least = far(b, nearest);
    for at in 1..count {
        let other = value(b, at);
        let off = far(b, other);
        let nearer = b.binary(Binary::Less, off, least);
        nearest = b.select(nearer, other, nearest);
        least = b.binary(Binary::Min, off, least);
    }
    nearest
}

fn tabled(b: &mut Builder, v: Value, values: Value, count: usize) -> Value {
    let (shape, dtype) = (b.shape(v).clone(), b.dtype(v));
    let x = flat(b, v);
    let table = Shape::matrix(shape.numel(), count);
    let elements = b.broadcast(x, vec![0], table.clone());
    let each = b.broadcast(values, vec![1], table);
    let off = b.sub(elements, each);
    let off = b.unary(Unary::Abs, off);
    let near = b.neg(off);
    let which = b.push(Op::ArgMax, vec![near], Type { dtype: Dtype::Index, shape: Shape::vector(shape.numel()) });
    let nearest = b.gather(values, which);
    debug_assert_eq!(b.dtype(nearest), dtype, "values have the dtype of the element");
    b.reshape(nearest, shape)
}

#[cfg(test)]
mod tests {
    use super::SWEPT;
    use crate::catalogue::Function;
    use crate::catalogue::tests::projections::{case, number, vector};
    use crate::tape::Shape;

    #[test]
    fn is_the_projection() {
        let values = [2.0, -1.0, 0.5, -1.0];
        case(Function::Finite, [5], vec![vector(&values)])
            .takes(&[1.25, -0.25, 9.0, -9.0, 0.6], &[2.0, -1.0, 2.0, -1.0, 0.5])
            .keeps_the_laws(&[], |x, tolerance| {
                x.iter().all(|x| values.iter().any(|value| (x - value).abs() <= tolerance))
            });
        case(Function::Finite, Shape::scalar(), vec![number(3.0)]).takes(&[1.0], &[3.0]);
    }

    /// Either way of searching gives the same.
    #[test]
    fn many_values() {
        let all: Vec<f64> = (0..SWEPT + 9).map(|k| ((k * 17) % 41) as f64).collect();
        let v = [-5.0, 7.5, 20.25, 40.5, 17.0, 1e9];
        let nearest = [0.0, f64::NAN, 20.0, 40.0, 17.0, 40.0];
        let mut nearest = nearest.to_vec();
        // 7 and 8 are as near; the first written.
        let first = all.iter().copied().find(|&x| x == 7.0 || x == 8.0);
        nearest[1] = first.expect("it is among them");
        case(Function::Finite, [2, 3], vec![vector(&all)]).takes(&v, &nearest).keeps_the_laws(&[], |x, tolerance| {
            x.iter().all(|x| (x - x.round()).abs() <= tolerance && *x <= 40.0 + tolerance)
        });
        case(Function::Finite, [6], vec![vector(&all[..SWEPT])]).keeps_the_laws(&[], |x, tolerance| {
            x.iter().all(|x| all[..SWEPT].iter().any(|value| (x - value).abs() <= tolerance))
        });
    }
}
