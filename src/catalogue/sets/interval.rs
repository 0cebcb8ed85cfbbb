//! `x in box(lower, upper)`: `lowerᵢ ≤ xᵢ ≤ upperᵢ`. A bound is one number for all elements or has the
//! shape of `x`, and may be infinite.
//!
//! ```text
//! P(v)ᵢ = max(lowerᵢ, min(vᵢ, upperᵢ))
//! ```
//!
//! Parikh & Boyd, Proximal Algorithms (2014), §6.2.4.

use crate::catalogue::member::{Member, WrongArguments};
use crate::catalogue::prox::Prox;
use crate::catalogue::set::{WrongValue, ensure};
use crate::catalogue::shapes;
use crate::tape::Shape;

pub const MEMBER: Member = Member::set(
    "box(lower = -inf, upper = inf)",
    "every element between two bounds, numbers or one an element",
    shape,
    Prox::separable(|b, v, _, args| b.clamp(v, args[1], args[2])),
)
.values(values);

fn shape(args: &[Shape]) -> Result<Shape, WrongArguments> {
    let fits = |bound: &Shape| bound.is_scalar() || *bound == args[0];
    match (1..args.len()).find(|&at| !fits(&args[at])) {
        None => shapes::number(&args[..1]),
        Some(right) => Err(WrongArguments::Disagree { left: 0, right, rule: "a bound is a number or has this shape" }),
    }
}

fn values(_: &Shape, args: &[&[f64]]) -> Result<(), WrongValue> {
    let &[lower, upper] = args else { unreachable!("a box has two bounds") };
    let n = lower.len().max(upper.len());
    // A bound of one number serves every element.
    let bound = |bound: &[f64], i: usize| bound[i.min(bound.len() - 1)];
    match (0..n).find(|&i| bound(lower, i) > bound(upper, i)) {
        None => {
            let reachable = lower.iter().all(|&x| x < f64::INFINITY);
            ensure(reachable, 0, || "below inf".to_owned())?;
            ensure(upper.iter().all(|&x| x > f64::NEG_INFINITY), 1, || "above -inf".to_owned())
        }
        Some(_) if n == 1 => Err(WrongValue { at: 0, must: format!("at most `upper`, {}", upper[0]) }),
        Some(i) => {
            let (low, high) = (bound(lower, i), bound(upper, i));
            Err(WrongValue { at: 0, must: format!("at most `upper`; element {} is {low}, above {high}", i + 1) })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Function;
    use crate::catalogue::tests::projections::{case, number, vector};

    const INF: f64 = f64::INFINITY;

    #[test]
    fn is_the_projection() {
        case(Function::Interval, [3], vec![number(-1.0), vector(&[0.5, INF, -1.0])])
            .takes(&[2.0, 7.0, -3.0], &[0.5, 7.0, -1.0])
            .keeps_the_laws(&[], |x, _| x.iter().all(|&x| x >= -1.0) && x[0] <= 0.5 && x[2] == -1.0);
        case(Function::Interval, [2], vec![number(-INF), number(INF)]).takes(&[1e30, -1e30], &[1e30, -1e30]);
    }

    #[test]
    fn bounds_leave_room() {
        let of = |lower: &[f64], upper: &[f64]| values(&Shape::vector(2), &[lower, upper]).map_err(|wrong| wrong.must);
        assert_eq!(of(&[0.0], &[0.0, 1.0]), Ok(()));
        assert_eq!(of(&[2.0], &[1.0]), Err("at most `upper`, 1".to_owned()));
        assert_eq!(of(&[0.0, 3.0], &[2.0]), Err("at most `upper`; element 2 is 3, above 2".to_owned()));
        assert_eq!(of(&[INF], &[INF]), Err("below inf".to_owned()));
        assert_eq!(of(&[-INF], &[-INF, 0.0]), Err("above -inf".to_owned()));
    }
}
