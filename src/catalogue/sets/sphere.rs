//! `x in sphere(radius)`: `‖x‖₂ = r` over all elements.
//!
//! ```text
//! P(v) = r v/‖v‖₂          where v ≠ 0
//!        r e₁              at 0, where every point of the sphere is as near
//! ```

use crate::catalogue::member::Member;
use crate::catalogue::prox::Prox;
use crate::catalogue::set::{finite_at_least, flat};
use crate::catalogue::shapes;
use crate::tape::ops::Binary;
use crate::tape::{Builder, Value};

pub const MEMBER: Member = Member::set(
    "sphere(radius = 1)",
    "Euclidean length of all elements together equal to the radius",
    shapes::number,
    Prox::convex(step).nonconvex(),
)
.values(|_, args| finite_at_least(args, 0, 0.0));

fn step(b: &mut Builder, v: Value, _: Value, args: &[Value]) -> Value {
    let (shape, dtype) = (b.shape(v).clone(), b.dtype(v));
    let x = flat(b, v);
    let n = b.shape(x).numel();
    let norm = b.norm2(x);
    let zero = b.constant(0.0, dtype);
    let at_zero = b.binary(Binary::Equal, norm, zero);
    // The direction first: `r/‖v‖` of a tiny `v` would overflow.
    let direction = b.div(x, norm);
    let place = b.iota([n], 0);
    let first = b.constant_like(0.0, place);
    let first = b.binary(Binary::Equal, place, first);
    let first = b.cast(first, dtype);
    let direction = b.select(at_zero, first, direction);
    let point = b.mul(args[1], direction);
    b.reshape(point, shape)
}

#[cfg(test)]
mod tests {
    use crate::catalogue::Function;
    use crate::catalogue::tests::projections::{case, number};

    #[test]
    fn is_the_projection() {
        let length = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>().sqrt();
        case(Function::Sphere, [2], vec![number(2.0)])
            .takes(&[0.3, -0.4], &[1.2, -1.6])
            .takes(&[0.0, 0.0], &[2.0, 0.0])
            .keeps_the_laws(&[], |x, tolerance| (length(x) - 2.0).abs() <= tolerance);
        case(Function::Sphere, [1, 1], vec![number(1.0)]).takes(&[-1e-3], &[-1.0]);
        case(Function::Sphere, [2], vec![number(0.0)]).takes(&[3.0, 4.0], &[0.0, 0.0]);
    }
}
