//! `x in power_cone(a)`: `{(x, y, z): x^a y^{1−a} ≥ |z|, x ≥ 0, y ≥ 0}` with `0 < a < 1`, in the order of
//! CVXPY, SCS and Clarabel. Every row of a matrix is one.
//!
//! ```text
//! P(v) = v                              in the cone
//!        0                              in its polar, {(−x/a)^a (−y/(1−a))^{1−a} ≥ |z|, x ≤ 0, y ≤ 0}
//!        (max(x, 0), max(y, 0), 0)      where z = 0
//!        (X(r), Y(r), sign(z) r)        elsewhere,  X² − xX = a r(|z| − r),  Y² − yY = (1 − a) r(|z| − r)
//! ```
//!
//! with r in `(0, |z|)` the root of `log r − a log X(r) − (1 − a) log Y(r)` (Hien, Differential properties
//! of Euclidean projection onto power cone, 2015, §2).

use super::exponential_cone::{join, split, triples};
use crate::catalogue::member::{Member, WrongArguments};
use crate::catalogue::prox::Prox;
use crate::catalogue::root::root;
use crate::catalogue::set::{as_rows, ensure, keep_nan};
use crate::catalogue::shapes;
use crate::tape::ops::{Binary, Unary};
use crate::tape::{Builder, Shape, Value};

pub const MEMBER: Member = Member::set(
    "power_cone(a)",
    "power cone: elements x, y, z with x^a y^(1 − a) at least |z|, x and y at least 0, in every row; a between 0 and 1",
    shape,
    Prox::convex(|b, v, _, args| {
        let shape = b.shape(v).clone();
        let rows = as_rows(b, v);
        let parts = split(b, rows);
        let point = project(b, parts, args[1]);
        let point = join(b, point);
        let point = b.reshape(point, shape);
        keep_nan(b, v, point)
    }),
)
.values(|_, args| ensure(args[0].iter().all(|&a| 0.0 < a && a < 1.0), 0, || "between 0 and 1".to_owned()));

fn shape(args: &[Shape]) -> Result<Shape, WrongArguments> {
    triples(args)?;
    shapes::number(args)
}

fn project(b: &mut Builder, v: [Value; 3], a: Value) -> [Value; 3] {
    // Squares of elements neither overflow nor vanish in units of the largest.
    let sizes = v.map(|part| b.unary(Unary::Abs, part));
    let size = sizes.into_iter().reduce(|most, size| b.binary(Binary::Max, most, size)).expect("there are three");
    let one = b.constant_like(1.0, size);
    let unit = b.select(size, size, one);
    let [x, y, z] = v.map(|part| b.div(part, unit));

    let away = b.neg(a);
    let rest = b.offset(away, 1.0);
    let zero = b.constant_like(0.0, x);
    let height = b.unary(Unary::Abs, z);
    let (right, high) = (b.unary(Unary::Relu, x), b.unary(Unary::Relu, y));
    let mean = geometric(b, [right, high], [a, rest]);
    let (x_holds, y_holds) = (b.binary(Binary::LessEqual, zero, x), b.binary(Binary::LessEqual, zero, y));
    let holds = b.mul(x_holds, y_holds);
    let reaches = b.binary(Binary::LessEqual, height, mean);
    let inside = b.mul(holds, reaches);

    let (left, low) = (below_zero(b, x), below_zero(b, y));
    let (left, low) = (b.div(left, a), b.div(low, rest));
    let mean = geometric(b, [left, low], [a, rest]);
    let (x_holds, y_holds) = (b.binary(Binary::LessEqual, x, zero), b.binary(Binary::LessEqual, y, zero));
    let holds = b.mul(x_holds, y_holds);
    let reaches = b.binary(Binary::LessEqual, height, mean);
    let against = b.mul(holds, reaches);

    let flat = b.binary(Binary::Equal, height, zero);
    let settled = b.binary(Binary::Max, inside, against);
    let settled = b.binary(Binary::Max, settled, flat);
    let [on_x, on_y, r] = curve_point(b, [x, y, height], [a, rest], settled);
    let sign = b.unary(Unary::Sign, z);
    let on_z = b.mul(sign, r);
    let curve = [on_x, on_y, on_z];
    let corner = [right, high, zero];
    [0, 1, 2].map(|at| {
        let point = b.select(flat, corner[at], curve[at]);
        let point = b.select(against, zero, point);
        let point = b.mul(unit, point);
        b.select(inside, v[at], point)
    })
}

/// `X(r)`, `Y(r)` and the root r.
///
/// Looked for is not r but `u ≥ 0` with `|z| e^{−u}/2` the distance of r from the nearer end of `(0, |z|)`:
/// X and Y grow as the root of that distance, which r would give to rounding of `|z|` only; and in `u` the
/// logarithms are nearly straight.
fn curve_point(b: &mut Builder, [x, y, height]: [Value; 3], [a, rest]: [Value; 2], settled: Value) -> [Value; 3] {
    let most = if b.dtype(x).eps() > 1e-10 { 80.0 } else { 700.0 };
    let zero = b.constant_like(0.0, x);
    let middle = b.scale(0.5, height);
    let (at_middle, _) = excess(b, [x, y], [a, rest], [middle, middle]);
    let beyond = b.binary(Binary::Less, at_middle, zero);
    let farthest = b.constant_like(most, x);
    let upper = b.select(settled, zero, farthest);
    let u = root(b, [zero, zero, upper], &[x, y, height, a, rest, beyond], |b, u, fixed| {
        let &[x, y, height, a, rest, beyond] = fixed else { unreachable!("six constants") };
        let [r, gap] = ends(b, height, beyond, u);
        let (f, slope) = excess(b, [x, y], [a, rest], [r, gap]);
        // r falls with u below the middle and rises above it, by the distance from the end.
        let (below, above) = (b.neg(f), f);
        let f = b.select(beyond, above, below);
        let near = b.binary(Binary::Min, r, gap);
        (f, b.mul(slope, near))
    });
    let [r, gap] = ends(b, height, beyond, u);
    let (on_x, _) = on_curve(b, x, a, [r, gap]);
    let (on_y, _) = on_curve(b, y, rest, [r, gap]);
    [on_x, on_y, r]
}

/// r and `|z| − r`.
fn ends(b: &mut Builder, height: Value, beyond: Value, u: Value) -> [Value; 2] {
    let minus = b.neg(u);
    let shrunk = b.unary(Unary::Exp, minus);
    let half = b.scale(0.5, height);
    let near = b.mul(half, shrunk);
    let far = b.sub(height, near);
    [b.select(beyond, far, near), b.select(beyond, near, far)]
}

/// `log r − a log X(r) − (1 − a) log Y(r)`, which rises with r, and its slope.
fn excess(b: &mut Builder, [x, y]: [Value; 2], [a, rest]: [Value; 2], [r, gap]: [Value; 2]) -> (Value, Value) {
    let (f, slope) = (b.unary(Unary::Log, r), b.unary(Unary::Recip, r));
    [(x, a), (y, rest)].into_iter().fold((f, slope), |(f, slope), (x, share)| {
        let (point, moved) = on_curve(b, x, share, [r, gap]);
        let log = b.unary(Unary::Log, point);
        let part = b.mul(share, log);
        let relative = b.div(moved, point);
        let bend = b.mul(share, relative);
        (b.sub(f, part), b.sub(slope, bend))
    })
}

/// `X` with `X² − xX = share r(|z| − r)`, and `dX/dr`. Of the two forms of the root that one is taken in
/// which nothing cancels.
fn on_curve(b: &mut Builder, x: Value, share: Value, [r, gap]: [Value; 2]) -> (Value, Value) {
    let product = b.mul(r, gap);
    let product = b.mul(share, product);
    let square = b.unary(Unary::Square, x);
    let four = b.scale(4.0, product);
    let under = b.add(square, four);
    let under = b.unary(Unary::Sqrt, under);
    let sum = b.add(x, under);
    let half = b.scale(0.5, sum);
    let difference = b.sub(under, x);
    let twice = b.scale(2.0, product);
    let quotient = b.div(twice, difference);
    let zero = b.constant_like(0.0, x);
    let negative = b.binary(Binary::Less, x, zero);
    let point = b.select(negative, quotient, half);
    let slope = b.sub(gap, r);
    let slope = b.mul(share, slope);
    (point, b.div(slope, under))
}

/// `max(−x, 0)`
fn below_zero(b: &mut Builder, x: Value) -> Value {
    let negative = b.neg(x);
    b.unary(Unary::Relu, negative)
}

/// `x₁^{w₁} x₂^{w₂}`
fn geometric(b: &mut Builder, x: [Value; 2], weights: [Value; 2]) -> Value {
    let powers = [0, 1].map(|at| b.binary(Binary::Pow, x[at], weights[at]));
    b.mul(powers[0], powers[1])
}

#[cfg(test)]
mod tests {
    use crate::catalogue::Function;
    use crate::catalogue::tests::projections::{case, number};

    fn holds(a: f64) -> impl Fn(&[f64], f64) -> bool {
        move |x, tolerance| {
            x.chunks(3).all(|x| {
                let (right, high) = (x[0] + tolerance, x[1] + tolerance);
                right >= 0.0 && high >= 0.0 && right.powf(a) * high.powf(1.0 - a) >= x[2].abs() - tolerance
            })
        }
    }

    #[test]
    fn is_the_projection() {
        // Of (0, 0, 4): X = Y = r, so r² = r(4 − r)/2.
        let third = 4.0 / 3.0;
        case(Function::PowerCone, [3], vec![number(0.5)])
            .takes(&[0.0, 0.0, 4.0], &[third, third, third])
            .takes(&[0.0, 0.0, -4.0], &[third, third, -third])
            .takes(&[4.0, 1.0, -2.0], &[4.0, 1.0, -2.0])
            .takes(&[-4.0, -1.0, 3.9], &[0.0; 3])
            .takes(&[-4.0, 1.0, 0.0], &[0.0, 1.0, 0.0])
            .keeps_the_laws(&[&[1.0, -1.0, 1.0], &[-1.0, -1.0, 1.0 + 1e-9], &[0.0, 1.0, 1e-8]], holds(0.5));
        case(Function::PowerCone, [4, 3], vec![number(0.9)]).keeps_the_laws(&[], holds(0.9));
        case(Function::PowerCone, [3], vec![number(1e-3)]).keeps_the_laws(&[&[-1.0, 1e-3, 1.0]], holds(1e-3));
    }
}
