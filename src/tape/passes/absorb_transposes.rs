//! Products of matrices take their operands transposed as they lie: `matmul(aᵀ, b)` is
//! `matmul(a', b)`, and `(a·b)ᵀ` is `matmul(b', a')`.

use super::pattern::inst;
use super::rewrite::rewrite;
use crate::tape::builder::Builder;
use crate::tape::ir::{Op, Program, Value};

pub(super) fn absorb_transposes(program: &Program) -> Program {
    rewrite(program, |b, outer| match outer.op {
        Op::MatMul { ta, tb } => {
            let (a, turned_a) = unturned(b, outer.args[0]);
            let (c, turned_b) = unturned(b, outer.args[1]);
            (turned_a || turned_b).then(|| b.matmul(a, c, ta != turned_a, tb != turned_b))
        }
        Op::Transpose { .. } if is_turn(&outer.op) => {
            let product = inst(b, outer.args[0]).clone();
            let Op::MatMul { ta, tb } = product.op else { return None };
            Some(b.matmul(product.args[1], product.args[0], !tb, !ta))
        }
        _ => None,
    })
}

/// What a matrix is the transpose of, and whether it is.
fn unturned(b: &Builder, value: Value) -> (Value, bool) {
    let inst = inst(b, value);
    if is_turn(&inst.op) { (inst.args[0], true) } else { (value, false) }
}

fn is_turn(op: &Op) -> bool {
    matches!(op, Op::Transpose { perm } if perm[..] == [1, 0])
}
