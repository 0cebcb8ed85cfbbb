//! `x in soc`: the second-order cone `{(t, y): ‖y‖₂ ≤ t}`, its height first, as in Clarabel, SCS, MOSEK
//! and the arguments of CVXPY's `SOC(t, y)`. Every row of a matrix is one.
//!
//! ```text
//! P(t, y) = (t, y)                          where ‖y‖ ≤ t
//!           0                               where ‖y‖ ≤ −t
//!           (t + ‖y‖)/2 · (1, y/‖y‖)        elsewhere
//! ```
//!
//! Parikh & Boyd, Proximal Algorithms (2014), §6.3.2.

use crate::catalogue::member::Member;
use crate::catalogue::prox::Prox;
use crate::catalogue::set::{along_rows, as_rows};
use crate::catalogue::shapes;
use crate::tape::ops::{Binary, Range, Unary};
use crate::tape::{Builder, Shape, Value};

pub const MEMBER: Member = Member::set(
    "soc",
    "second-order cone: the first element at least the Euclidean length of the others, in every row",
    |args| shapes::rows(args).map(|_| Shape::scalar()),
    Prox::convex(|b, v, _, _| {
        let shape = b.shape(v).clone();
        let rows = as_rows(b, v);
        let point = project(b, rows);
        b.reshape(point, shape)
    }),
)
.aliases(&["second_order_cone"]);

/// Columns `start .. start + len` of a matrix.
pub fn columns(b: &mut Builder, x: Value, start: usize, len: usize) -> Value {
    let rows = b.shape(x).0[0];
    b.slice(x, vec![Range { start: 0, len: rows, step: 1 }, Range { start, len, step: 1 }])
}

/// The nearest point to every row of a matrix.
pub fn project(b: &mut Builder, v: Value) -> Value {
    let n = b.shape(v).0[1];
    let height = columns(b, v, 0, 1);
    if n == 1 {
        return b.unary(Unary::Relu, height);
    }
    let rest = columns(b, v, 1, n - 1);
    let shape = b.shape(rest).clone();
    let length = b.norm2_along(rest, vec![1]);
    let length = along_rows(b, length, &b.shape(height).clone());
    let inside = b.binary(Binary::LessEqual, length, height);
    let sum = b.add(height, length);
    let half = b.scale(0.5, sum);
    let tip = b.unary(Unary::Relu, half);
    let new_height = b.select(inside, height, tip);
    let one = b.constant(1.0, b.dtype(v));
    // At y = 0 the height alone decides.
    let divisor = b.select(length, length, one);
    let shrunk = b.div(tip, divisor);
    let factor = b.select(inside, one, shrunk);
    let rows = b.shape(factor).numel();
    let factor = b.reshape(factor, [rows]);
    let factor = along_rows(b, factor, &shape);
    let new_rest = b.mul(factor, rest);
    b.concat(vec![new_height, new_rest], 1)
}

#[cfg(test)]
mod tests {
    use crate::catalogue::Function;
    use crate::catalogue::tests::projections::case;

    #[test]
    fn is_the_projection() {
        let length = |y: &[f64]| y.iter().map(|y| y * y).sum::<f64>().sqrt();
        case(Function::Soc, [3], vec![])
            .takes(&[1.0, 3.0, 4.0], &[3.0, 1.8, 2.4])
            .takes(&[-5.0, 3.0, 4.0], &[0.0, 0.0, 0.0])
            .takes(&[5.0, 3.0, 4.0], &[5.0, 3.0, 4.0])
            .takes(&[-1.0, 0.0, 0.0], &[0.0, 0.0, 0.0])
            .keeps_the_laws(&[&[0.0, 3.0, 4.0], &[1e-300, 1e-300, 0.0]], |x, tolerance| {
                length(&x[1..]) <= x[0] + tolerance
            });
        case(Function::Soc, [2, 2], vec![])
            .takes(&[1.0, 3.0, 1.0, -1.0], &[2.0, 2.0, 1.0, -1.0])
            .keeps_the_laws(&[], |x, tolerance| x.chunks(2).all(|x| x[1].abs() <= x[0] + tolerance));
        case(Function::Soc, [2, 1], vec![]).takes(&[1.0, -3.0], &[1.0, 0.0]);
    }
}
