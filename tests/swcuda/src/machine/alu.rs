//! Operations that are a function of their operands, for the lanes of a mask.
//!
//! The same code is compiled twice, plainly and for processors with AVX2 and FMA, where a fused multiply-add
//! is one instruction instead of a call; both give the same bits.

use super::alu_float::{compare_floats, convert, float, test};
use super::alu_integer::{compare_integers, integer};
use super::registers::Registers;
use super::windows;
use crate::ptx::ir::*;

/// The carry flags of a warp's lanes.
pub(crate) type Carry = u32;

pub(crate) type Execute = fn(&Alu, &mut Registers, &mut Carry, u32);

/// The version for this processor.
pub(crate) fn best() -> Execute {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("fma")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("lzcnt")
        && is_x86_feature_detected!("popcnt")
    {
        // SAFETY: the processor has the features that the function is compiled for.
        return |alu, registers, carry, mask| unsafe { execute_avx2(alu, registers, carry, mask) };
    }
    execute
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,bmi2,lzcnt,popcnt")]
fn execute_avx2(alu: &Alu, registers: &mut Registers, carry: &mut Carry, mask: u32) {
    body(alu, registers, carry, mask);
}

pub(crate) fn execute(alu: &Alu, registers: &mut Registers, carry: &mut Carry, mask: u32) {
    body(alu, registers, carry, mask);
}

#[inline(always)]
fn body(i: &Alu, r: &mut Registers, carry: &mut Carry, m: u32) {
    match i.function {
        Function::Move => r.map1(m, i.d, i.a, |a| a),
        Function::Integer(op, kind) => integer(op, kind, i, r, carry, m),
        Function::Float(op, kind, mode) => float(op, kind, mode, i, r, m),
        Function::Select => r.map3(m, i.d, [i.a, i.b, i.c], |a, b, c| if c & 1 == 1 { a } else { b }),
        Function::SelectBySign { float: false } => {
            r.map3(m, i.d, [i.a, i.b, i.c], |a, b, c| if c as i32 >= 0 { a } else { b });
        }
        // -0 counts as not negative, a NaN as negative.
        Function::SelectBySign { float: true } => {
            r.map3(m, i.d, [i.a, i.b, i.c], |a, b, c| if f32::from_bits(c as u32) >= 0.0 { a } else { b });
        }
        Function::Compare { comparison, kind, combine, inverted, flush } => {
            let plain = if kind.is_float() {
                compare_floats(comparison, kind, flush, r.get(i.a), r.get(i.b))
            } else {
                compare_integers(comparison, kind, r.get(i.a), r.get(i.b))
            };
            let other = if inverted { !r.predicate(i.c) } else { r.predicate(i.c) };
            let combined = |plain: u32| match combine {
                Combine::None => plain,
                Combine::And => plain & other,
                Combine::Or => plain | other,
                Combine::Xor => plain ^ other,
            };
            let (first, second) = (combined(plain), combined(!plain));
            r.set(i.d, m, |l| (first >> l & 1) as u64);
            if let Some(d2) = i.d2 {
                r.set(d2, m, |l| (second >> l & 1) as u64);
            }
        }
        Function::Test(property, kind) => r.map1(m, i.d, i.a, |a| test(property, kind, a) as u64),
        Function::Convert { to, from, mode, to_integral } => convert(to, from, mode, to_integral, i, r, m),
        Function::ToGeneric(space) => {
            let base = windows::base(space);
            r.map1(m, i.d, i.a, |a| a.wrapping_add(base));
        }
        Function::FromGeneric(space) => {
            let base = windows::base(space);
            r.map1(m, i.d, i.a, |a| a.wrapping_sub(base));
        }
        Function::IsSpace(space) => r.map1(m, i.d, i.a, |a| (windows::locate(a).0 == space) as u64),
    }
}
