//! `x in monotone(direction)`: `x₁ ≤ x₂ ≤ …`, or with −1 for the direction `x₁ ≥ x₂ ≥ …`; of a matrix in
//! every row. The projection is isotonic regression, `t` giving the weights `1/t` (Barlow & Brunk, The
//! isotonic regression problem and its dual, 1972).
//!
//! ```text
//! P(v) = d·isotonic(d·v, 1/t)
//! ```

use crate::catalogue::member::{Member, WrongArguments};
use crate::catalogue::prox::Prox;
use crate::catalogue::set::ensure;
use crate::catalogue::shapes;
use crate::tape::ops::Unary;
use crate::tape::{Builder, Shape, Value};

pub const MEMBER: Member = Member::set(
    "monotone(direction = 1)",
    "elements of every row in rising order; in falling order where the direction is -1",
    shape,
    Prox::convex(step).weighted(),
)
.values(|_, args| ensure(args[0][0].abs() == 1.0, 0, || "1 or -1".to_owned()))
.aliases(&["isotonic"]);

fn shape(args: &[Shape]) -> Result<Shape, WrongArguments> {
    shapes::rows(args)?;
    shapes::number(args)
}

fn step(b: &mut Builder, v: Value, t: Value, args: &[Value]) -> Value {
    let weights = if b.shape(t).is_scalar() { b.constant_like(1.0, v) } else { b.unary(Unary::Recip, t) };
    let rising = b.mul(args[1], v);
    let point = b.isotonic(rising, weights);
    b.mul(args[1], point)
}

#[cfg(test)]
mod tests {
    use crate::catalogue::Function;
    use crate::catalogue::tests::projections::{case, number, vector};

    #[test]
    fn is_the_projection() {
        case(Function::Monotone, [4], vec![number(1.0)])
            .takes(&[1.0, 3.0, 2.0, 4.0], &[1.0, 2.5, 2.5, 4.0])
            .takes(&[4.0, 3.0, 2.0, 1.0], &[2.5; 4])
            .keeps_the_laws(&[], |x, tolerance| x.windows(2).all(|pair| pair[0] <= pair[1] + tolerance));
        case(Function::Monotone, [2, 3], vec![number(-1.0)])
            .takes(&[1.0, 3.0, 2.0, 4.0, 3.0, 3.0], &[2.0, 2.0, 2.0, 4.0, 3.0, 3.0])
            .keeps_the_laws(&[], |x, tolerance| {
                x.chunks(3).all(|row| row.windows(2).all(|pair| pair[0] >= pair[1] - tolerance))
            });
        case(Function::Monotone, [1], vec![number(1.0)]).takes(&[3.0], &[3.0]);
    }

    #[test]
    fn weights_count() {
        // Weights 1 and 1/3: the mean of 4 and 0 so weighed is 3.
        case(Function::Monotone, [2], vec![number(1.0)]).takes_weighted(&vector(&[1.0, 3.0]), &[4.0, 0.0], &[3.0, 3.0]);
    }
}
