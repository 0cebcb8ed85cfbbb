//! Measures of a result, for `track`. Class labels are the numbers 0 … k − 1.

pub mod accuracy;
pub mod coverage;
pub mod frechet;

use super::member::WrongArguments;
use super::shapes;
use crate::tape::ops::Binary;
use crate::tape::{Builder, Shape, Value};

/// What a matrix of scores is, in words.
pub(super) const fn classes() -> &'static str {
    "a matrix of scores, a row an example and a column a class"
}

/// A matrix of scores and a label for each of its rows: a number.
pub(super) fn scores_and_labels(args: &[Shape]) -> Result<Shape, WrongArguments> {
    shapes::rank(args, 0, 2..=2, classes())?;
    shapes::rank(args, 1, 1..=1, "a vector of labels")?;
    if args[0].0[0] != args[1].0[0] {
        return Err(WrongArguments::Disagree { left: 0, right: 1, rule: "there must be a label for every row" });
    }
    Ok(Shape::scalar())
}

/// 1 in each row's column of that number, else 0.
pub(super) fn one_hot(b: &mut Builder, labels: Value, shape: &Shape) -> Value {
    let columns = b.iota(shape.clone(), 1);
    let columns = b.cast(columns, b.dtype(labels));
    let labels = b.broadcast(labels, vec![0], shape.clone());
    b.binary(Binary::Equal, labels, columns)
}
