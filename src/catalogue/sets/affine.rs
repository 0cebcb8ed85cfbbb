//! `x in affine(A, b)`: `A x = b`, `A` of any rank. Where no `x` solves it, the set is that of the least
//! squares.
//!
//! ```text
//! P(v) = v − A⁺(A v − b),      A⁺ = V Σ⁺ Uᵀ
//! ```
//!
//! with singular values up to `max(m, n) EPS σ₁` counted as 0 (Golub & Van Loan, Matrix Computations,
//! §5.5.2 and §5.4.1). Parikh & Boyd, Proximal Algorithms (2014), §6.2.1.

use crate::catalogue::member::{Member, WrongArguments};
use crate::catalogue::prox::Prox;
use crate::catalogue::shapes;
use crate::tape::ops::{Binary, Reducer};
use crate::tape::{Builder, Shape, Value};

pub const MEMBER: Member = Member::set("affine(A, b)", "A*x equal to b; A of any rank", shape, Prox::convex(step));

fn shape(args: &[Shape]) -> Result<Shape, WrongArguments> {
    shapes::rank(args, 0, 1..=1, "a vector")?;
    shapes::rank(args, 1, 2..=2, "a matrix")?;
    if args[1].0[1] != args[0].0[0] {
        return Err(WrongArguments::Disagree { left: 0, right: 1, rule: "a column of A for every element of x" });
    }
    if !args[2].is_scalar() && args[2] != Shape::vector(args[1].0[0]) {
        return Err(WrongArguments::Disagree { left: 1, right: 2, rule: "an element of b for every row of A" });
    }
    Ok(Shape::scalar())
}

fn step(b: &mut Builder, v: Value, _: Value, args: &[Value]) -> Value {
    let product = b.matvec(args[1], v, false);
    let off = b.sub(product, args[2]);
    let back = pseudo_inverse_times(b, args[1], off);
    b.sub(v, back)
}

/// `A⁺ r`
fn pseudo_inverse_times(b: &mut Builder, a: Value, r: Value) -> Value {
    let (dtype, extents) = (b.dtype(a), b.shape(a).0.clone());
    let (left, sigma, right) = b.svd(a);
    let largest = b.reduce(Reducer::Max, sigma, vec![0]);
    let least = b.scale(extents[0].max(extents[1]) as f64 * dtype.eps(), largest);
    let nothing = b.binary(Binary::LessEqual, sigma, least);
    let zero = b.constant(0.0, dtype);
    let coordinates = b.matvec(left, r, true);
    let scaled = b.div(coordinates, sigma);
    let scaled = b.select(nothing, zero, scaled);
    b.matvec(right, scaled, false)
}

#[cfg(test)]
mod tests {
    use crate::catalogue::Function;
    use crate::catalogue::tests::projections::{case, number, vector};
    use crate::tape::Tensor;

    fn matrix(rows: usize, columns: usize, x: &[f64]) -> Tensor {
        Tensor::f64([rows, columns], x.to_vec())
    }

    #[test]
    fn is_the_projection() {
        // x + y + z = 3, x = z.
        case(Function::Affine, [3], vec![matrix(2, 3, &[1.0, 1.0, 1.0, 1.0, 0.0, -1.0]), vector(&[3.0, 0.0])])
            .takes(&[2.0, 0.0, 0.0], &[4.0 / 3.0, 1.0 / 3.0, 4.0 / 3.0])
            .keeps_the_laws(&[], |x, tolerance| {
                (x[0] + x[1] + x[2] - 3.0).abs() <= 4.0 * tolerance && (x[0] - x[2]).abs() <= 4.0 * tolerance
            });
    }

    #[test]
    fn rows_may_depend_on_each_other() {
        // The second row is twice the first, the third is nothing.
        let a = matrix(3, 2, &[3.0, 4.0, 6.0, 8.0, 0.0, 0.0]);
        case(Function::Affine, [2], vec![a, vector(&[25.0, 50.0, 0.0])])
            .takes(&[0.0, 0.0], &[3.0, 4.0])
            .keeps_the_laws(&[], |x, tolerance| (3.0 * x[0] + 4.0 * x[1] - 25.0).abs() <= 8.0 * tolerance);
        case(Function::Affine, [2], vec![matrix(1, 2, &[0.0, 0.0]), number(0.0)]).takes(&[1.0, 2.0], &[1.0, 2.0]);
    }
}
