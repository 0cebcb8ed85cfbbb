//! `x in rotated_soc`: `{(p, q, y): ‖y‖₂² ≤ 2pq, p ≥ 0, q ≥ 0}`, the pair first, as in MOSEK and
//! MathOptInterface. Every row of a matrix is one.
//!
//! ```text
//! P = R P_soc R,      R (p, q, y) = ((p + q)/√2, (p − q)/√2, y)
//! ```
//!
//! R is orthogonal and its own inverse, and takes one cone into the other (Alizadeh & Goldfarb,
//! Second-order cone programming, 2003, §2.3).

use super::soc;
use crate::catalogue::member::{Member, WrongArguments};
use crate::catalogue::prox::Prox;
use crate::catalogue::set::as_rows;
use crate::catalogue::shapes;
use crate::tape::{Builder, Shape, Value};

pub const MEMBER: Member = Member::set(
    "rotated_soc",
    "rotated cone: twice the product of the first two elements, both at least 0, at least the sum of the squares of the others, in every row",
    shape,
    Prox::convex(|b, v, _, _| {
        let shape = b.shape(v).clone();
        let rows = as_rows(b, v);
        let turned = turn(b, rows);
        let point = soc::project(b, turned);
        let back = turn(b, point);
        b.reshape(back, shape)
    }),
);

fn shape(args: &[Shape]) -> Result<Shape, WrongArguments> {
    shapes::rows(args)?;
    if args[0].0.last().is_none_or(|&n| n < 2) {
        return Err(WrongArguments::Argument { at: 0, wanted: "a vector of two or more, or rows of that length" });
    }
    Ok(Shape::scalar())
}

fn turn(b: &mut Builder, v: Value) -> Value {
    let n = b.shape(v).0[1];
    let (p, q) = (soc::columns(b, v, 0, 1), soc::columns(b, v, 1, 1));
    let (sum, difference) = (b.add(p, q), b.sub(p, q));
    let sum = b.scale(std::f64::consts::FRAC_1_SQRT_2, sum);
    let difference = b.scale(std::f64::consts::FRAC_1_SQRT_2, difference);
    let mut parts = vec![sum, difference];
    if n > 2 {
        parts.push(soc::columns(b, v, 2, n - 2));
    }
    b.concat(parts, 1)
}

#[cfg(test)]
mod tests {
    use crate::catalogue::Function;
    use crate::catalogue::tests::projections::case;

    fn holds(x: &[f64], tolerance: f64) -> bool {
        let rest = x[2..].iter().map(|y| y * y).sum::<f64>();
        // The distance of a point from the cone is at most that by which it fails, where it fails.
        x[0] >= -tolerance
            && x[1] >= -tolerance
            && rest.sqrt() <= (2.0 * (x[0] + tolerance) * (x[1] + tolerance)).sqrt() + 2.0 * tolerance
    }

    #[test]
    fn is_the_projection() {
        // On the face q = 0: nearest to (0, 0, 2√2) is where 2pq = y², p = q.
        let side = 2f64.sqrt();
        case(Function::RotatedSoc, [3], vec![])
            .takes(&[1.0, 2.0, 2.0], &[1.0, 2.0, 2.0])
            .takes(&[0.0, 0.0, 2.0 * side], &[1.0, 1.0, side])
            .takes(&[-1.0, -1.0, 0.0], &[0.0, 0.0, 0.0])
            .keeps_the_laws(&[], holds);
        case(Function::RotatedSoc, [2], vec![]).takes(&[3.0, -1.0], &[3.0, 0.0]).keeps_the_laws(&[], holds);
        case(Function::RotatedSoc, [2, 4], vec![])
            .keeps_the_laws(&[], |x, tolerance| x.chunks(4).all(|row| holds(row, tolerance)));
    }
}
