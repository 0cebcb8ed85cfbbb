//! The arithmetic of tails, by tables.

use super::growth::{relu, sigmoid, softplus, tanh};
use super::quadratic::steepest;
use super::tail::Bound::{Falls, Number, Rises};
use super::tail::{Order, Tail};
use crate::linalg::Matrix;

const T: Order = Order::LINEAR;
const T2: Order = Order { power: 2.0, log: 0.0 };
const SHRINKS: Order = Order { power: -1.0, log: 0.0 };

fn up(order: Order) -> Tail {
    Tail::like(1.0, order)
}

fn down(order: Order) -> Tail {
    Tail::like(-1.0, order)
}

#[test]
fn the_faster_one_decides_a_sum_and_equals_decide_nothing() {
    let numbers = Tail::between(-3.0, 5.0);
    assert_eq!(down(T2).plus(up(T)).falls(), Some(T2));
    assert_eq!(down(T).plus(up(T2)).falls(), None);
    assert_eq!(down(T).plus(up(T)).falls(), None);
    assert_eq!(down(T).plus(numbers).falls(), Some(T));
    assert_eq!(down(Order::LOG).plus(numbers).falls(), Some(Order::LOG));
    assert_eq!(down(Order::ONE).plus(numbers).falls(), None);
    assert_eq!(down(T2).plus(Tail::ANY).falls(), None);
    assert_eq!(up(SHRINKS).plus(Tail::between(0.0, 0.0)), up(SHRINKS));
}

#[test]
fn products_have_the_sign_of_their_factors() {
    let cases = [
        (up(T), down(T), down(T2)),
        (down(T), down(T), up(T2)),
        (up(T), Tail::between(0.0, 0.0), Tail::between(0.0, 0.0)),
        (up(T), Tail::between(-1.0, 2.0), Tail::within(T)),
        (up(T), Tail::between(0.5, 2.0), up(T)),
        (Tail::ANY, Tail::between(-1.0, -1.0), Tail::ANY),
        (up(T), up(SHRINKS), up(Order::ONE)),
        (Tail::between(-1.0, 2.0), Tail::between(-3.0, 1.0), Tail::between(-6.0, 3.0)),
    ];
    for (x, y, product) in cases {
        assert_eq!(x.times(y), product, "{x:?} {y:?}");
        assert_eq!(y.times(x), product, "{y:?} {x:?}");
    }
}

#[test]
fn either_of_two_is_as_wide_as_both() {
    assert_eq!(up(T).or(up(T2)), Tail { low: Rises(T), high: Rises(T2) });
    assert_eq!(down(T).or(up(T)), Tail::within(T));
    assert_eq!(down(T).or(Tail::between(1.0, 2.0)), Tail { low: Falls(T), high: Number(2.0) });
    assert_eq!(up(T).or(Tail::between(0.0, 0.0)), Tail { low: Number(0.0), high: Rises(T) });
}

#[test]
fn functions_keep_their_ranges() {
    assert_eq!(relu(Tail::within(T)), Tail { low: Number(0.0), high: Rises(T) });
    assert_eq!(softplus(up(T)), up(T));
    assert!(softplus(down(T)).is_bounded_above() && softplus(down(T)).is_nonnegative());
    assert_eq!(sigmoid(Tail::ANY), Tail::between(0.0, 1.0));
    assert_eq!(tanh(Tail::ANY), Tail::between(-1.0, 1.0));
    assert!(tanh(up(T)).is_positive());
    assert_eq!(Tail::within(T).square(), Tail { low: Number(0.0), high: Rises(T2) });
    assert_eq!(down(T).square(), up(T2));
    assert_eq!(down(T).abs(), up(T));
    assert_eq!(up(T2).root(0.5), up(T));
    assert_eq!(up(T).reciprocal(), up(SHRINKS));
    assert_eq!(Tail::between(-1.0, 1.0).reciprocal(), Tail::ANY);
    assert_eq!(Tail::within(T).root(0.5), Tail::ANY);
}

#[test]
fn orders_are_written() {
    let both = Order { power: 2.0, log: 1.0 };
    let said = [T, T2, Order::LOG, Order::ONE, both, SHRINKS].map(|order| order.to_string());
    assert_eq!(said, ["t", "t^2", "log t", "1", "t^2 log t", "t^-1"]);
}

#[test]
fn a_quadratic_falls_along_a_negative_eigenvector_or_a_linear_one() {
    let matrix = |entries: [f64; 4]| Matrix::new(2, 2, entries.to_vec());
    let (curvature, d) = steepest(&matrix([0.0, 1.0, 1.0, 0.0]), &[0.0, 0.0], 0.0).expect("a saddle falls");
    assert!((curvature + 1.0).abs() < 1e-12 && (d[0] + d[1]).abs() < 1e-12);
    let (curvature, d) = steepest(&matrix([2.0, -2.0, -2.0, 2.0]), &[1.0, 0.0], 0.0).expect("a trough that slopes");
    assert!(curvature == 0.0 && d.iter().all(|x| (x + 0.5f64.sqrt()).abs() < 1e-12));
    assert_eq!(steepest(&matrix([2.0, -2.0, -2.0, 2.0]), &[1.0, -1.0], 0.0), None);
    assert_eq!(steepest(&matrix([1.0, 0.0, 0.0, 1e-14]), &[1.0, 1e-7], 1.0), None);
    assert_eq!(steepest(&matrix([0.0; 4]), &[0.0, 0.0], 1.0), None);
    assert_eq!(steepest(&matrix([f64::NAN; 4]), &[0.0, 0.0], 1.0), None);
}
