//! The arithmetic of atomic operations and warp reductions.

use super::alu_integer::wide;
use crate::ptx::ir::{AtomicOp, Type};

/// What an operation leaves in memory that held `old`.
pub(super) fn combine(op: AtomicOp, kind: Type, old: u64, b: u64, c: u64) -> u64 {
    let mask = kind.mask();
    let (old, b) = (old & mask, b & mask);
    let less = |x: u64, y: u64| wide(x, kind) < wide(y, kind);
    match op {
        AtomicOp::Add => match kind {
            Type::F32 => (f32::from_bits(old as u32) + f32::from_bits(b as u32)).to_bits() as u64,
            Type::F64 => (f64::from_bits(old) + f64::from_bits(b)).to_bits(),
            _ => old.wrapping_add(b) & mask,
        },
        AtomicOp::Min => {
            if less(b, old) {
                b
            } else {
                old
            }
        }
        AtomicOp::Max => {
            if less(old, b) {
                b
            } else {
                old
            }
        }
        AtomicOp::And => old & b,
        AtomicOp::Or => old | b,
        AtomicOp::Xor => old ^ b,
        AtomicOp::Exchange => b,
        AtomicOp::CompareAndSwap => {
            if old == b {
                c & mask
            } else {
                old
            }
        }
        AtomicOp::Increment => {
            if old >= b {
                0
            } else {
                old + 1
            }
        }
        AtomicOp::Decrement => {
            if old == 0 || old > b {
                b
            } else {
                old - 1
            }
        }
    }
}
