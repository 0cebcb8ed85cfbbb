//! `x in grid(step, offset)`: every element on the uniform grid `o + s·{…, −1, 0, 1, …}`, as quantised
//! weights are; with a box on top, as far as it reaches. Of two points that are as near the lower is taken.
//!
//! ```text
//! P(v)ᵢ = o + s·round((vᵢ − o)/s)
//! ```

use super::integers;
use crate::catalogue::member::Member;
use crate::catalogue::prox::Prox;
use crate::catalogue::set::{WrongValue, ensure};
use crate::catalogue::shapes;
use crate::tape::Shape;

pub const MEMBER: Member = Member::set(
    "grid(step, offset = 0)",
    "every element the offset and a whole number of steps",
    shapes::number,
    Prox::separable(|b, v, _, args| {
        let (step, offset) = (args[1], args[2]);
        let from = b.sub(v, offset);
        let steps = b.div(from, step);
        let steps = integers::nearest(b, steps);
        let along = b.mul(steps, step);
        b.add(along, offset)
    })
    .nonconvex(),
)
.values(values);

fn values(_: &Shape, args: &[&[f64]]) -> Result<(), WrongValue> {
    ensure(args[0].iter().all(|&x| x > 0.0 && x.is_finite()), 0, || "above 0 and finite".to_owned())?;
    ensure(args[1].iter().all(|x| x.is_finite()), 1, || "finite".to_owned())
}

#[cfg(test)]
mod tests {
    use crate::catalogue::Function;
    use crate::catalogue::tests::projections::{case, number};

    #[test]
    fn is_the_projection() {
        case(Function::Grid, [4], vec![number(0.25), number(0.125)])
            .takes(&[0.0, 0.1, -0.3, 1.0], &[-0.125, 0.125, -0.375, 0.875])
            .keeps_the_laws(&[], |x, tolerance| {
                x.iter().all(|x| {
                    let steps = (x - 0.125) / 0.25;
                    (steps - steps.round()).abs() <= 4.0 * tolerance
                })
            });
    }
}
