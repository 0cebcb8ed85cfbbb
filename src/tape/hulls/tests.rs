//! Hulls by tables, and that they hold what the reference computes.

use super::{Hull, hulls};
use crate::tape::{Binary, Builder, Dtype, Type, Unary, Value};

const INF: f64 = f64::INFINITY;

fn hull(dtype: Dtype, x: (f64, f64), build: impl FnOnce(&mut Builder, Value) -> Value) -> (f64, f64) {
    let mut b = Builder::new("hull");
    let input = b.input("x", Type::new(dtype, [3]));
    let value = build(&mut b, input);
    let hull = hulls(&b.finish(), &[Hull::new(x.0, x.1)])[value.index()];
    (hull.low, hull.high)
}

#[test]
fn the_sigmoid_ends_where_the_type_ends() {
    let complement = |b: &mut Builder, x| {
        let share = b.unary(Unary::Sigmoid, x);
        let one = b.constant_like(1.0, share);
        b.sub(one, share)
    };
    assert_eq!(hull(Dtype::F32, (-INF, INF), complement), (0.0, 1.0));
    // 24 log 2 = 16.63553: half a unit of the last place of 1.
    assert_eq!(hull(Dtype::F32, (-1.0, 16.6356), complement).0, 0.0);
    assert!(hull(Dtype::F32, (-1.0, 16.6355), complement).0 > 0.0);
    assert!(hull(Dtype::F64, (-1.0, 16.6356), complement).0 > 0.0);
    // 53 log 2 = 36.7368
    assert_eq!(hull(Dtype::F64, (-1.0, 36.7369), complement).0, 0.0);
    assert!(hull(Dtype::F64, (-1.0, 36.7367), complement).0 > 0.0);
}

#[test]
fn guards_count_as_the_type_rounds_them() {
    let guarded = |b: &mut Builder, x: Value| {
        let share = b.unary(Unary::Sigmoid, x);
        let rest = b.offset(share, -1.0);
        let rest = b.neg(rest);
        b.offset(rest, 1e-8)
    };
    let first = |b: &mut Builder, x: Value| {
        let share = b.unary(Unary::Sigmoid, x);
        let one = b.constant_like(1.0, share);
        let more = b.offset(one, 1e-8);
        b.sub(more, share)
    };
    // (1 − σ) + 1e-8 keeps its guard, (1 + 1e-8) − σ does not.
    assert!(hull(Dtype::F32, (-INF, INF), guarded).0 > 0.0);
    assert_eq!(hull(Dtype::F32, (-INF, INF), first).0, 0.0);
    assert!(hull(Dtype::F64, (-INF, INF), first).0 > 0.0);
}

#[test]
fn functions_by_table() {
    let unary = |f: Unary| move |b: &mut Builder, x| b.unary(f, x);
    let by = |f: Binary, c: f64| {
        move |b: &mut Builder, x| {
            let c = b.constant_like(c, x);
            b.binary(f, x, c)
        }
    };
    let f64 = Dtype::F64;
    assert_eq!(hull(f64, (-2.0, 3.0), unary(Unary::Square)), (0.0, 9.0));
    assert_eq!(hull(f64, (-2.0, 3.0), unary(Unary::Abs)), (0.0, 3.0));
    assert_eq!(hull(f64, (-3.0, -2.0), unary(Unary::Abs)), (2.0, 3.0));
    assert_eq!(hull(f64, (-INF, 0.0), unary(Unary::Exp)), (0.0, 1.0));
    assert_eq!(hull(f64, (0.0, 1.0), unary(Unary::Log)), (-INF, 0.0));
    assert_eq!(hull(f64, (-1.0, 4.0), unary(Unary::Sqrt)), (0.0, 2.0));
    assert_eq!(hull(f64, (2.0, 4.0), unary(Unary::Recip)), (0.25, 0.5));
    assert_eq!(hull(f64, (0.0, 4.0), unary(Unary::Recip)), (0.25, INF));
    assert_eq!(hull(f64, (-1.0, 4.0), unary(Unary::Recip)), (-INF, INF));
    assert_eq!(hull(f64, (-INF, INF), unary(Unary::Tanh)), (-1.0, 1.0));
    assert_eq!(hull(f64, (-INF, INF), unary(Unary::Softplus)), (0.0, INF));
    assert_eq!(hull(f64, (-2.0, 3.0), by(Binary::Max, 0.1)), (0.1, 3.0));
    assert_eq!(hull(f64, (-2.0, 3.0), by(Binary::Pow, 4.0)), (0.0, 81.0));
    assert_eq!(hull(f64, (-2.0, 3.0), by(Binary::Pow, 3.0)), (-8.0, 27.0));
    assert_eq!(hull(f64, (2.0, 4.0), by(Binary::Pow, -2.0)), (0.0625, 0.25));
    assert_eq!(hull(f64, (0.0, 4.0), by(Binary::Pow, 0.5)), (0.0, 2.0));
    assert_eq!(hull(f64, (-1.0, 4.0), by(Binary::Pow, -1.5)), (0.125, INF));
    assert_eq!(hull(f64, (-2.0, 3.0), |b, x| b.sum_squares(x)), (0.0, 27.0));
    assert_eq!(hull(f64, (-2.0, 3.0), |b, x| b.dot(x, x)), (0.0, 27.0));
    assert_eq!(hull(f64, (-2.0, 3.0), |b, x| b.norm2(x)).0, 0.0);
    assert_eq!(hull(f64, (-INF, INF), |b, x| b.softmax(x, 0)), (0.0, 1.0));
    assert_eq!(hull(f64, (f64::NAN, 1.0), |b, x| b.neg(x)), (-1.0, INF));
}
