//! `cross_entropy(scores, labels)`: the mean over rows of `−log softmax(scores)[label]`. Labels are
//! the numbers 0 … k − 1 of k columns.

use crate::catalogue::member::{Member, WrongArguments};
use crate::catalogue::{metrics, reductions};
use crate::tape::Shape;

pub const MEMBER: Member = Member::total(
    "cross_entropy(scores, labels)",
    "mean over rows of −log softmax(scores) at the label; labels are 0 … k − 1",
    |b, args| {
        let logs = (reductions::log_softmax::MEMBER.lower)(b, &args[..1]);
        let shape = b.shape(logs).clone();
        let chosen = metrics::one_hot(b, args[1], &shape);
        let sum = b.dot(logs, chosen);
        b.scale(-1.0 / shape.0[0] as f64, sum)
    },
)
.shape(shape);

fn shape(args: &[Shape]) -> Result<Shape, WrongArguments> {
    metrics::scores_and_labels(args)
}
