//! Forward mode, tape to tape: the tangent of a value from the tangents of others. With
//! [`gradient`](super::gradient) it gives products with a Hessian: the tangent of a gradient.

use super::builder::Builder;
use super::grad::{needed, reached};
use super::ir::Value;
use super::ops::Site;

/// `Σ (∂y/∂w) · tangent` over `wrt` and its `tangents`, which have the types of `wrt`. Zeros where `y`
/// depends on none of them.
pub fn jvp(b: &mut Builder, y: Value, wrt: &[Value], tangents: &[Value]) -> Value {
    debug_assert_eq!(wrt.len(), tangents.len(), "a tangent for each value");
    let (reached, needed) = (reached(b.program(), y, wrt), needed(b.program(), y));
    let mut tangent: Vec<Option<Value>> = vec![None; y.index() + 1];
    let origin = b.set_origin(None);
    for index in (0..=y.index()).filter(|&index| reached[index] && needed[index]) {
        let value = Value(index as u32);
        tangent[index] = match wrt.iter().position(|&w| w == value) {
            Some(given) => Some(tangents[given]),
            None => {
                let inst = b.program().insts[index].clone();
                b.set_origin(inst.origin);
                let operands: Vec<Option<Value>> = inst.args.iter().map(|arg| tangent[arg.index()]).collect();
                inst.op.rule().jvp(b, Site { args: &inst.args, y: value }, &operands)
            }
        };
    }
    b.set_origin(origin);
    tangent[y.index()].unwrap_or_else(|| b.constant_like(0.0, y))
}
