//! `x in hyperplane(a, b)`: `⟨a, x⟩ = b`, `a` of the shape of `x`.
//!
//! ```text
//! P(v) = v − t a (⟨a, v⟩ − b) / ⟨a, t a⟩
//! ```
//!
//! with `t` cancelling where it is one number. Parikh & Boyd, Proximal Algorithms (2014), §6.2.2.

use crate::catalogue::member::{Member, WrongArguments};
use crate::catalogue::prox::Prox;
use crate::catalogue::set::{WrongValue, ensure, not_zero};
use crate::catalogue::shapes;
use crate::tape::{Builder, Shape, Value};

pub const MEMBER: Member = Member::set(
    "hyperplane(a, b)",
    "dot(a, x) equal to b",
    shape,
    Prox::convex(|b, v, t, args| {
        let beyond = excess(b, v, args);
        step_back(b, v, t, args[1], beyond)
    })
    .weighted(),
)
.values(values);

pub(super) fn shape(args: &[Shape]) -> Result<Shape, WrongArguments> {
    if args[1] != args[0] {
        return Err(WrongArguments::Disagree { left: 0, right: 1, rule: "a must have the shape of the element" });
    }
    shapes::rank(args, 2, 0..=0, "a number")?;
    Ok(Shape::scalar())
}

pub(super) fn values(_: &Shape, args: &[&[f64]]) -> Result<(), WrongValue> {
    not_zero(args, 0)?;
    ensure(args[1].iter().all(|x| x.is_finite()), 1, || "finite".to_owned())
}

/// `⟨a, v⟩ − b`
pub(super) fn excess(b: &mut Builder, v: Value, args: &[Value]) -> Value {
    let product = b.dot(args[1], v);
    b.sub(product, args[2])
}

/// `v − t a excess/⟨a, t a⟩`
pub(super) fn step_back(b: &mut Builder, v: Value, t: Value, a: Value, excess: Value) -> Value {
    let along = if b.shape(t).is_scalar() { a } else { b.mul(t, a) };
    let length = b.dot(a, along);
    let times = b.div(excess, length);
    let back = b.mul(times, along);
    b.sub(v, back)
}

#[cfg(test)]
mod tests {
    use crate::catalogue::Function;
    use crate::catalogue::tests::projections::{case, number, vector};

    #[test]
    fn is_the_projection() {
        let a = [1.0, -2.0, 2.0];
        let product = move |x: &[f64]| a.iter().zip(x).map(|(a, x)| a * x).sum::<f64>();
        case(Function::Hyperplane, [3], vec![vector(&a), number(9.0)])
            .takes(&[0.0, 0.0, 0.0], &[1.0, -2.0, 2.0])
            .keeps_the_laws(&[], |x, tolerance| (product(x) - 9.0).abs() <= 5.0 * tolerance);
        case(Function::Hyperplane, [2], vec![vector(&[0.0, -4.0]), number(2.0)]).takes(&[7.0, 7.0], &[7.0, -0.5]);
    }

    #[test]
    fn weights_count() {
        case(Function::Hyperplane, [2], vec![vector(&[1.0, 1.0]), number(3.0)]).takes_weighted(
            &vector(&[1.0, 2.0]),
            &[0.0, 0.0],
            &[1.0, 2.0],
        );
    }
}
