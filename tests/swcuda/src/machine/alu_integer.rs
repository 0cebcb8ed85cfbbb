//! Operations on integers and bits.

use super::alu::Carry;
use super::registers::{Registers, gather};
use crate::ptx::ir::*;

/// The value of a register's bits as a type's.
#[inline(always)]
pub(crate) fn signed(v: u64, kind: Type) -> i64 {
    match kind.size() {
        1 => v as i8 as i64,
        2 => v as i16 as i64,
        4 => v as i32 as i64,
        _ => v as i64,
    }
}

#[inline(always)]
pub(crate) fn wide(v: u64, kind: Type) -> i128 {
    if kind.is_signed() { signed(v, kind) as i128 } else { (v & kind.mask()) as i128 }
}

/// Least and greatest of a type.
pub(crate) fn range(kind: Type) -> (i128, i128) {
    if kind.is_signed() {
        let half = 1i128 << (kind.bits() - 1);
        (-half, half - 1)
    } else {
        (0, kind.mask() as i128)
    }
}

#[inline(always)]
pub(crate) fn compare_integers(comparison: Comparison, kind: Type, a: &[u64; 32], b: &[u64; 32]) -> u32 {
    // The sign bit flipped, signed numbers compare as unsigned ones.
    let flip = if kind.is_signed() { 1u64 << (kind.bits() - 1) } else { 0 };
    let (mask, key) = (kind.mask(), move |v: u64| v ^ flip);
    match comparison {
        Comparison::Eq => gather(|l| (a[l] ^ b[l]) & mask == 0),
        Comparison::Ne => gather(|l| (a[l] ^ b[l]) & mask != 0),
        Comparison::Lt => gather(|l| key(a[l]) & mask < key(b[l]) & mask),
        Comparison::Le => gather(|l| key(a[l]) & mask <= key(b[l]) & mask),
        Comparison::Gt => gather(|l| key(a[l]) & mask > key(b[l]) & mask),
        _ => gather(|l| key(a[l]) & mask >= key(b[l]) & mask),
    }
}

#[inline(always)]
pub(crate) fn integer(op: Integer, kind: Type, i: &Alu, r: &mut Registers, carry: &mut Carry, m: u32) {
    let (mask, bits) = (kind.mask(), kind.bits());
    let three = [i.a, i.b, i.c];
    match op {
        Integer::Add => r.map2(m, i.d, i.a, i.b, |a, b| a.wrapping_add(b) & mask),
        Integer::Sub => r.map2(m, i.d, i.a, i.b, |a, b| a.wrapping_sub(b) & mask),
        Integer::Mul => r.map2(m, i.d, i.a, i.b, |a, b| a.wrapping_mul(b) & mask),
        Integer::Mad => r.map3(m, i.d, three, |a, b, c| a.wrapping_mul(b).wrapping_add(c) & mask),
        Integer::And => r.map2(m, i.d, i.a, i.b, |a, b| a & b & mask),
        Integer::Or => r.map2(m, i.d, i.a, i.b, |a, b| (a | b) & mask),
        Integer::Xor => r.map2(m, i.d, i.a, i.b, |a, b| (a ^ b) & mask),
        Integer::Not if kind == Type::Predicate => r.map1(m, i.d, i.a, |a| !a & 1),
        Integer::Not => r.map1(m, i.d, i.a, |a| !a & mask),
        Integer::ShiftLeft => r.map2(m, i.d, i.a, i.b, |a, b| {
            let by = b & 0xffff_ffff;
            if by >= bits { 0 } else { a << by & mask }
        }),
        Integer::ShiftRight if kind.is_signed() => {
            r.map2(m, i.d, i.a, i.b, |a, b| (signed(a, kind) >> (b & 0xffff_ffff).min(bits - 1)) as u64 & mask)
        }
        Integer::ShiftRight => r.map2(m, i.d, i.a, i.b, |a, b| {
            let by = b & 0xffff_ffff;
            if by >= bits { 0 } else { (a & mask) >> by }
        }),
        Integer::MulWide => wide_product(kind, i, r, m, false),
        Integer::MadWide => wide_product(kind, i, r, m, true),
        Integer::MulHigh => r.map2(m, i.d, i.a, i.b, |a, b| high(a, b, kind)),
        Integer::MadHigh => r.map3(m, i.d, three, |a, b, c| high(a, b, kind).wrapping_add(c) & mask),
        Integer::AddSaturated | Integer::SubSaturated => r.map2(m, i.d, i.a, i.b, |a, b| {
            let (a, b) = (wide(a, kind), wide(b, kind));
            let (least, greatest) = range(kind);
            (if op == Integer::AddSaturated { a + b } else { a - b }).clamp(least, greatest) as u64 & mask
        }),
        // Division by zero is undefined in PTX; hardware gives all ones, and the dividend as remainder.
        Integer::Div if kind.is_signed() => r.map2(m, i.d, i.a, i.b, |a, b| {
            let b = signed(b, kind);
            if b == 0 { mask } else { signed(a, kind).wrapping_div(b) as u64 & mask }
        }),
        Integer::Div => r.map2(m, i.d, i.a, i.b, |a, b| (a & mask).checked_div(b & mask).unwrap_or(mask)),
        Integer::Rem if kind.is_signed() => r.map2(m, i.d, i.a, i.b, |a, b| {
            let b = signed(b, kind);
            if b == 0 { a & mask } else { signed(a, kind).wrapping_rem(b) as u64 & mask }
        }),
        Integer::Rem => r.map2(m, i.d, i.a, i.b, |a, b| (a & mask).checked_rem(b & mask).unwrap_or(a & mask)),
        Integer::Min if kind.is_signed() => {
            r.map2(m, i.d, i.a, i.b, |a, b| signed(a, kind).min(signed(b, kind)) as u64 & mask);
        }
        Integer::Min => r.map2(m, i.d, i.a, i.b, |a, b| (a & mask).min(b & mask)),
        Integer::Max if kind.is_signed() => {
            r.map2(m, i.d, i.a, i.b, |a, b| signed(a, kind).max(signed(b, kind)) as u64 & mask);
        }
        Integer::Max => r.map2(m, i.d, i.a, i.b, |a, b| (a & mask).max(b & mask)),
        Integer::Neg => r.map1(m, i.d, i.a, |a| a.wrapping_neg() & mask),
        Integer::Abs => r.map1(m, i.d, i.a, |a| signed(a, kind).wrapping_abs() as u64 & mask),
        Integer::PopulationCount => r.map1(m, i.d, i.a, |a| (a & mask).count_ones() as u64),
        Integer::LeadingZeros => r.map1(m, i.d, i.a, |a| (a & mask).leading_zeros() as u64 - (64 - bits)),
        Integer::Reverse => r.map1(m, i.d, i.a, |a| (a & mask).reverse_bits() >> (64 - bits)),
        Integer::FindHighest(from_top) => r.map1(m, i.d, i.a, |a| {
            let a = if kind.is_signed() && signed(a, kind) < 0 { !a & mask } else { a & mask };
            match (a, from_top) {
                (0, _) => 0xffff_ffff,
                (a, false) => 63 - a.leading_zeros() as u64,
                (a, true) => bits - 64 + a.leading_zeros() as u64,
            }
        }),
        Integer::FieldExtract => r.map3(m, i.d, three, |a, b, c| extract(a, b & 0xff, c & 0xff, kind)),
        Integer::FieldInsert => {
            let length = *r.get(i.e);
            let (a, b, c) = (*r.get(i.a), *r.get(i.b), *r.get(i.c));
            r.set(i.d, m, |l| {
                let (at, length) = (c[l] & 0xff, length[l] & 0xff);
                if length == 0 || at >= bits {
                    return b[l] & mask;
                }
                let field = (if length >= 64 { !0 } else { (1u64 << length) - 1 }) << at & mask;
                (b[l] & !field | a[l] << at & field) & mask
            });
        }
        Integer::Permute => r.map3(m, i.d, three, permute),
        Integer::Logic(table) => r.map3(m, i.d, three, |a, b, c| logic(table, a, b, c) & mask),
        Integer::FunnelLeft { wrap } => r.map3(m, i.d, three, |a, b, c| {
            let pair = a & 0xffff_ffff | b << 32;
            let by = if wrap { c & 31 } else { (c & 0xffff_ffff).min(32) };
            pair << by >> 32
        }),
        Integer::FunnelRight { wrap } => r.map3(m, i.d, three, |a, b, c| {
            let pair = a & 0xffff_ffff | b << 32;
            let by = if wrap { c & 31 } else { (c & 0xffff_ffff).min(32) };
            pair >> by & 0xffff_ffff
        }),
        Integer::AddCarry { takes, gives } => {
            with_carry(i, r, carry, m, takes, gives, kind, |a, b, _, taken| {
                let sum = a as u128 + b as u128 + taken as u128;
                (sum as u64, sum > mask as u128)
            });
        }
        Integer::SubCarry { takes, gives } => {
            with_carry(i, r, carry, m, takes, gives, kind, |a, b, _, taken| {
                (a.wrapping_sub(b).wrapping_sub(taken as u64), (a as u128) < b as u128 + taken as u128)
            });
        }
        Integer::MadCarry { high: upper, takes, gives } => {
            with_carry(i, r, carry, m, takes, gives, kind, |a, b, c, taken| {
                let product = if upper { high(a, b, kind) } else { a.wrapping_mul(b) & mask };
                let sum = product as u128 + c as u128 + taken as u128;
                (sum as u64, sum > mask as u128)
            });
        }
    }
}

/// A product in twice the bits, to which `c` is added where asked.
#[inline(always)]
fn wide_product(kind: Type, i: &Alu, r: &mut Registers, m: u32, add: bool) {
    let keep = if kind.size() == 2 { 0xffff_ffff } else { !0u64 };
    // Without a third operand, register 0 adds its zero.
    let c = if add { i.c } else { 0 };
    if kind.is_signed() {
        r.map3(m, i.d, [i.a, i.b, c], |a, b, c| {
            (signed(a, kind).wrapping_mul(signed(b, kind)) as u64).wrapping_add(c) & keep
        });
    } else {
        let mask = kind.mask();
        r.map3(m, i.d, [i.a, i.b, c], |a, b, c| (a & mask).wrapping_mul(b & mask).wrapping_add(c) & keep);
    }
}

#[inline(always)]
fn high(a: u64, b: u64, kind: Type) -> u64 {
    // 64-bit unsigned products need all bits of u128.
    if kind.is_signed() {
        ((wide(a, kind) * wide(b, kind)) >> kind.bits()) as u64 & kind.mask()
    } else {
        (((a & kind.mask()) as u128 * (b & kind.mask()) as u128) >> kind.bits()) as u64
    }
}

fn extract(a: u64, at: u64, length: u64, kind: Type) -> u64 {
    let (mask, bits) = (kind.mask(), kind.bits());
    if length == 0 {
        return 0;
    }
    if !kind.is_signed() {
        let value = if at >= bits { 0 } else { (a & mask) >> at };
        return if length >= bits { value } else { value & ((1 << length) - 1) };
    }
    // Bits beyond the top are copies of the sign bit of the field, which is the top bit at most.
    let value = signed(a, kind) >> at.min(63);
    let length = length.min(64);
    (value << (64 - length) >> (64 - length)) as u64 & mask
}

fn permute(a: u64, b: u64, c: u64) -> u64 {
    let pair = a & 0xffff_ffff | b << 32;
    (0..4).fold(0, |out, at| {
        let pick = c >> (at * 4) & 15;
        let byte = pair >> ((pick & 7) * 8) & 0xff;
        let byte = if pick & 8 == 0 { byte } else { (byte >> 7) * 0xff };
        out | byte << (at * 8)
    })
}

fn logic(table: u8, a: u64, b: u64, c: u64) -> u64 {
    (0..8).filter(|k| table >> k & 1 == 1).fold(0, |out, k| {
        let pick = |v: u64, bit: u8| if k & bit != 0 { v } else { !v };
        out | pick(a, 4) & pick(b, 2) & pick(c, 1)
    })
}

#[allow(clippy::too_many_arguments)]
#[inline(always)]
fn with_carry(
    i: &Alu,
    r: &mut Registers,
    carry: &mut Carry,
    m: u32,
    takes: bool,
    gives: bool,
    kind: Type,
    f: impl Fn(u64, u64, u64, bool) -> (u64, bool),
) {
    let (a, b, c) = (*r.get(i.a), *r.get(i.b), *r.get(i.c));
    let (before, mask) = (*carry, kind.mask());
    let run = |l: usize| f(a[l] & mask, b[l] & mask, c[l] & mask, takes && before >> l & 1 == 1);
    if gives {
        let flags = gather(|l| run(l).1);
        *carry = before & !m | flags & m;
    }
    r.set(i.d, m, |l| run(l).0 & mask);
}
