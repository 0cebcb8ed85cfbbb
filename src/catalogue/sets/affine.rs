//! `x in affine(A, b)`: `A x = b`, `A` of any rank. A problem has the equations in its place: a step keeps
//! them, or they are a coupling, and what contradicts itself is told.

use crate::catalogue::Reading;
use crate::catalogue::member::{Member, WrongArguments};
use crate::catalogue::shapes;
use crate::tape::Shape;

pub const MEMBER: Member = Member::read_as(
    "affine(A, b)",
    "A*x equal to b; A of any rank; the same as the equations",
    shape,
    Reading::Equations,
);

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

#[cfg(test)]
mod tests {
    use crate::catalogue::Function;
    use crate::catalogue::tests::projections::value;
    use crate::tape::Tensor;

    #[test]
    fn its_value_is_the_row_farthest_off() {
        let a = Tensor::f64([2, 3], vec![1.0, 1.0, 1.0, 1.0, 0.0, -1.0]);
        let args = [a, Tensor::f64([2], vec![3.0, 0.0])];
        assert_eq!(value(Function::Affine, [3], &[1.0, 1.0, 1.0], &args), 0.0);
        assert_eq!(value(Function::Affine, [3], &[2.0, 0.0, -2.0], &args), 4.0);
    }
}
