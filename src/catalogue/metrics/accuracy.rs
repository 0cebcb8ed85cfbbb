//! `accuracy(scores, labels)`: the share of rows whose greatest score stands at the label, one of
//! 0 … k − 1; at a tie the first counts. It has no useful derivative.

use super::scores_and_labels;
use crate::catalogue::member::Member;
use crate::tape::ops::Binary;
use crate::tape::{Op, Type};

pub const MEMBER: Member = Member::total(
    "accuracy(scores, labels)",
    "share of rows whose greatest score stands at the label; labels are 0 … k − 1",
    |b, args| {
        let rows = b.shape(args[0]).0[0];
        let dtype = b.dtype(args[0]);
        let best = b.push(Op::ArgMax, vec![args[0]], Type::new(crate::tape::Dtype::Index, [rows]));
        let best = b.cast(best, dtype);
        let hits = b.binary(Binary::Equal, best, args[1]);
        let sum = b.sum(hits);
        b.scale(1.0 / rows as f64, sum)
    },
)
.shape(scores_and_labels);
