//! `x in exponential_cone`: the closure of `{(x, y, z): y > 0, y e^{x/y} ≤ z}`, in the order of CVXPY, SCS,
//! Clarabel and MathOptInterface (MOSEK has it reversed). Every row of a matrix is one.
//!
//! ```text
//! P(v) = v                      in the cone
//!        0                      in its polar, the closure of {x > 0, z ≤ −x e^{y/x − 1}}
//!        (x, 0, max(z, 0))      where x ≤ 0 and y ≤ 0
//!        α (ρ, 1, e^ρ)          elsewhere,  α = ((ρ − 1)x + y)/D,  β = (x − ρy)/D,  D = ρ² − ρ + 1
//! ```
//!
//! with ρ the root of `h(ρ) = α e^ρ − β e^{−ρ} − z` where α > 0 and β > 0: there `v` is a ray of the cone
//! plus one of its polar, `β (1, 1 − ρ, −e^{−ρ})`, at right angles (Friberg, Projection onto the exponential
//! cone: a univariate root-finding problem, 2023, §3).

use super::soc::columns;
use crate::catalogue::member::{Member, WrongArguments};
use crate::catalogue::prox::Prox;
use crate::catalogue::root::root;
use crate::catalogue::set::{as_rows, keep_nan};
use crate::tape::ops::{Binary, Unary};
use crate::tape::{Builder, Shape, Value};

pub const MEMBER: Member = Member::set(
    "exponential_cone",
    "exponential cone: elements x, y, z with y exp(x/y) at most z and y above 0, and its limits, in every row",
    triples,
    Prox::convex(|b, v, _, _| {
        let shape = b.shape(v).clone();
        let rows = as_rows(b, v);
        let parts = split(b, rows);
        let point = project(b, parts);
        let point = join(b, point);
        let point = b.reshape(point, shape);
        keep_nan(b, v, point)
    }),
)
.aliases(&["exp_cone"]);

/// A vector of three, or rows of three.
pub fn triples(args: &[Shape]) -> Result<Shape, WrongArguments> {
    match args[0].0[..] {
        [3] | [_, 3] => Ok(Shape::scalar()),
        _ => Err(WrongArguments::Argument { at: 0, wanted: "a vector of three, or a matrix of three columns" }),
    }
}

/// The columns of a matrix of three, as vectors.
pub fn split(b: &mut Builder, v: Value) -> [Value; 3] {
    let rows = b.shape(v).0[0];
    [0, 1, 2].map(|at| {
        let column = columns(b, v, at, 1);
        b.reshape(column, [rows])
    })
}

/// The matrix of these columns.
pub fn join(b: &mut Builder, parts: [Value; 3]) -> Value {
    let rows = b.shape(parts[0]).numel();
    let columns = parts.map(|part| b.reshape(part, [rows, 1]));
    b.concat(columns.to_vec(), 1)
}

fn project(b: &mut Builder, [x, y, z]: [Value; 3]) -> [Value; 3] {
    let zero = b.constant_like(0.0, x);
    let inside = contains(b, [x, y, z]);
    let against = in_polar(b, [x, y, z]);
    let (left, low) = (b.binary(Binary::LessEqual, x, zero), b.binary(Binary::LessEqual, y, zero));
    let flat = b.mul(left, low);
    let settled = b.binary(Binary::Max, inside, against);
    let settled = b.binary(Binary::Max, settled, flat);

    let bracket = bracket(b, x, y, settled);
    let rho = root(b, bracket, &[x, y, z], |b, rho, fixed| {
        let [x, y, z] = [fixed[0], fixed[1], fixed[2]];
        let Rays { alpha, beta, divisor } = rays(b, rho, x, y);
        let (grown, shrunk) = (exp(b, rho), exp_of_minus(b, rho));
        let (up, down) = (b.mul(alpha, grown), b.mul(beta, shrunk));
        let both = b.sub(up, down);
        let h = b.sub(both, z);
        // α′ = (x − (2ρ − 1)α)/D, β′ = −(y + (2ρ − 1)β)/D
        let twice = b.scale(2.0, rho);
        let bend = b.offset(twice, -1.0);
        let (bent_alpha, bent_beta) = (b.mul(bend, alpha), b.mul(bend, beta));
        let (alpha_slope, beta_slope) = (b.sub(x, bent_alpha), b.add(y, bent_beta));
        let (alpha_slope, beta_slope) = (b.div(alpha_slope, divisor), b.div(beta_slope, divisor));
        let (rising, falling) = (b.add(alpha, alpha_slope), b.add(beta, beta_slope));
        let (rising, falling) = (b.mul(rising, grown), b.mul(falling, shrunk));
        (h, b.add(rising, falling))
    });
    let ray = ray(b, rho, [x, y, z]);

    let above = b.unary(Unary::Relu, z);
    let corner = [x, zero, above];
    [0, 1, 2].map(|at| {
        let point = b.select(flat, corner[at], ray[at]);
        let point = b.select(against, zero, point);
        b.select(inside, [x, y, z][at], point)
    })
}

/// `α (ρ, 1, e^ρ)`. Where ρ > 0 it is found from its height `z + β e^{−ρ}`: the rounding of a small α would
/// come out e^ρ times as large.
fn ray(b: &mut Builder, rho: Value, [x, y, z]: [Value; 3]) -> [Value; 3] {
    let zero = b.constant_like(0.0, x);
    let Rays { alpha, beta, .. } = rays(b, rho, x, y);
    let [alpha, beta] = [alpha, beta].map(|part| b.unary(Unary::Relu, part));
    let (grown, shrunk) = (exp(b, rho), exp_of_minus(b, rho));
    let raised = b.mul(beta, shrunk);
    let raised = b.add(z, raised);
    let height = b.unary(Unary::Relu, raised);
    let slight = b.mul(height, shrunk);
    let steep = b.binary(Binary::Less, zero, rho);
    let alpha = b.select(steep, slight, alpha);
    let low = b.mul(alpha, grown);
    [b.mul(alpha, rho), alpha, b.select(steep, height, low)]
}

struct Rays {
    alpha: Value,
    beta: Value,
    divisor: Value,
}

/// α, β and D at ρ.
fn rays(b: &mut Builder, rho: Value, x: Value, y: Value) -> Rays {
    let square = b.unary(Unary::Square, rho);
    let less = b.sub(square, rho);
    let divisor = b.offset(less, 1.0);
    let before = b.offset(rho, -1.0);
    let alpha = b.mul(before, x);
    let alpha = b.add(alpha, y);
    let beta = b.mul(rho, y);
    let beta = b.sub(x, beta);
    Rays { alpha: b.div(alpha, divisor), beta: b.div(beta, divisor), divisor }
}

/// Where α > 0 and β > 0: for `x > 0` above `1 − y/x`, for `y > 0` below `x/y`. An end that is infinite lies
/// as far from the other as exponentials tell numbers apart. Rows that are settled have a bracket of one point.
fn bracket(b: &mut Builder, x: Value, y: Value, settled: Value) -> [Value; 3] {
    let zero = b.constant_like(0.0, x);
    let far = farthest(b, x);
    // Beyond, a ratio says no more than that one of the two is nothing against the other.
    let most = b.constant_like(4.0 / b.dtype(x).eps(), x);
    let least = b.neg(most);
    let right = b.binary(Binary::Less, zero, x);
    let high = b.binary(Binary::Less, zero, y);
    let ratio = b.div(y, x);
    let ratio = b.clamp(ratio, least, most);
    let minus = b.neg(ratio);
    let lower = b.offset(minus, 1.0);
    let upper = b.div(x, y);
    let upper = b.clamp(upper, least, most);
    let (below, above) = (b.sub(upper, far), b.add(lower, far));
    let (lower, upper) = (b.select(right, lower, below), b.select(high, upper, above));
    let (lower, upper) = (b.select(settled, zero, lower), b.select(settled, zero, upper));
    // As near 0 as lies well inside.
    let width = b.sub(upper, lower);
    let half = b.scale(0.5, width);
    let one = b.constant_like(1.0, x);
    let step = b.binary(Binary::Min, half, one);
    let (from, to) = (b.add(lower, step), b.sub(upper, step));
    let start = b.clamp(zero, from, to);
    [lower, start, upper]
}

/// Where an exponential is at the end of its range.
fn farthest(b: &mut Builder, like: Value) -> Value {
    let most = if b.dtype(like).eps() > 1e-10 { 88.0 } else { 709.0 };
    b.constant_like(most, like)
}

/// `y e^{x/y} ≤ z` and `y > 0`, or the limit `x ≤ 0`, `y = 0`, `z ≥ 0`.
fn contains(b: &mut Builder, [x, y, z]: [Value; 3]) -> Value {
    let zero = b.constant_like(0.0, x);
    let power = b.div(x, y);
    let grown = b.unary(Unary::Exp, power);
    let height = b.mul(y, grown);
    let (below, high) = (b.binary(Binary::LessEqual, height, z), b.binary(Binary::Less, zero, y));
    let interior = b.mul(below, high);
    let (left, on) = (b.binary(Binary::LessEqual, x, zero), b.binary(Binary::Equal, y, zero));
    let above = b.binary(Binary::LessEqual, zero, z);
    let limit = b.mul(left, on);
    let limit = b.mul(limit, above);
    // What is not chosen may be NaN, at y = 0.
    b.select(high, interior, limit)
}

/// `z ≤ −x e^{y/x − 1}` and `x > 0`, or the limit `x = 0`, `y ≤ 0`, `z ≤ 0`.
fn in_polar(b: &mut Builder, [x, y, z]: [Value; 3]) -> Value {
    let zero = b.constant_like(0.0, x);
    let power = b.div(y, x);
    let power = b.offset(power, -1.0);
    let grown = b.unary(Unary::Exp, power);
    let depth = b.mul(x, grown);
    let depth = b.neg(depth);
    let (below, right) = (b.binary(Binary::LessEqual, z, depth), b.binary(Binary::Less, zero, x));
    let interior = b.mul(below, right);
    let (on, low) = (b.binary(Binary::Equal, x, zero), b.binary(Binary::LessEqual, y, zero));
    let under = b.binary(Binary::LessEqual, z, zero);
    let limit = b.mul(on, low);
    let limit = b.mul(limit, under);
    b.select(right, interior, limit)
}

/// e^x, finite: what multiplies it may be 0.
fn exp(b: &mut Builder, x: Value) -> Value {
    let most = farthest(b, x);
    let x = b.binary(Binary::Min, x, most);
    b.unary(Unary::Exp, x)
}

fn exp_of_minus(b: &mut Builder, x: Value) -> Value {
    let negative = b.neg(x);
    exp(b, negative)
}

#[cfg(test)]
mod tests {
    use crate::catalogue::Function;
    use crate::catalogue::tests::projections::case;

    /// In the cone moved by the tolerance.
    fn holds(x: &[f64], tolerance: f64) -> bool {
        x.chunks(3).all(|x| {
            let (x, y, z) = (x[0] - tolerance, x[1] + tolerance, x[2] + tolerance);
            // The power errs by EPS of its argument, which is below 750 where it matters.
            let height = if y > 0.0 { y * (x / y).exp() * (1.0 - 750.0 * f64::EPSILON) } else { 0.0 };
            y >= 0.0 && z >= 0.0 && height <= z && (y > 0.0 || x <= 0.0)
        })
    }

    #[test]
    fn is_the_projection() {
        let e = 1f64.exp();
        case(Function::ExponentialCone, [3], vec![])
            // ρ = 0, α = 1, β = 2; ρ = 1, α = 3, β = 1; ρ = −1, α = 0.5, β = 0.25.
            .takes(&[2.0, 3.0, -1.0], &[0.0, 1.0, 1.0])
            .takes(&[4.0, 3.0, 3.0 * e - 1.0 / e], &[3.0, 3.0, 3.0 * e])
            .takes(&[-0.25, 1.0, 0.5 / e - 0.25 * e], &[-0.5, 0.5, 0.5 / e])
            // Inside, in the polar, and on the flat side.
            .takes(&[0.0, 1.0, 1.5], &[0.0, 1.0, 1.5])
            .takes(&[1.0, 1.0, -1.0], &[0.0, 0.0, 0.0])
            .takes(&[-1.0, -1.0, 1.0], &[-1.0, 0.0, 1.0])
            .takes(&[-1.0, -1.0, -1.0], &[-1.0, 0.0, 0.0])
            .takes(&[0.0, 0.0, 1.0], &[0.0, 0.0, 1.0])
            .keeps_the_laws(
                &[
                    &[0.0, 0.0, -1.0],
                    &[1.0, 0.0, 0.0],
                    &[0.0, 1.0, 0.0],
                    &[100.0, 1e-3, 1.0],
                    &[-1e6, 1e-6, -1e-6],
                    &[1e-9, -1e3, 1e3],
                    &[1.0, 1.0, 1e9],
                ],
                holds,
            );
        case(Function::ExponentialCone, [4, 3], vec![]).keeps_the_laws(&[], holds);
    }

    /// Where α is far below the rounding of `v`, the point is still on the surface.
    #[test]
    fn steep_rays_are_on_the_surface() {
        let found = case(Function::ExponentialCone, [3], vec![]).at(&[1.0, -49.0, 1.0]);
        let [x, y, z] = found[..] else { panic!("three elements: {found:?}") };
        assert!((x / y - 50.0).abs() < 1e-12 && (y / (-50f64).exp() - 1.0).abs() < 1e-12, "{found:?}");
        assert!((z - 1.0).abs() < 1e-15, "{found:?}");
    }
}
