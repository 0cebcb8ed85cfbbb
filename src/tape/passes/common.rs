//! Common subexpressions: an instruction with the op, operands and type of an earlier one is that
//! one. Its text says all three.

use std::collections::BTreeMap;

use super::rewrite::rewrite;
use crate::tape::ir::{Op, Program, Value};

pub(super) fn common(program: &Program) -> Program {
    let mut seen: BTreeMap<String, Value> = BTreeMap::new();
    rewrite(program, |b, inst| {
        if matches!(inst.op, Op::Input(_)) {
            return None;
        }
        let next = Value(b.program().insts.len() as u32);
        let value = *seen.entry(inst.to_string()).or_insert(next);
        (value != next).then_some(value)
    })
}
