//! `x in zero`: `x = 0`, the cone of equations.

use crate::catalogue::member::Member;
use crate::catalogue::prox::Prox;
use crate::catalogue::set::keep_nan;
use crate::catalogue::shapes;

pub const MEMBER: Member = Member::set(
    "zero",
    "every element 0",
    shapes::number,
    Prox::separable(|b, v, _, _| {
        let zero = b.constant_like(0.0, v);
        keep_nan(b, v, zero)
    }),
)
.aliases(&["zeros"]);

#[cfg(test)]
mod tests {
    use crate::catalogue::Function;
    use crate::catalogue::tests::projections::case;

    #[test]
    fn is_the_projection() {
        case(Function::Zero, [3], vec![])
            .takes(&[-1.0, 0.0, 2.5], &[0.0; 3])
            .keeps_the_laws(&[], |x, _| x.iter().all(|&x| x == 0.0));
    }
}
