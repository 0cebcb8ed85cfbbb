//! Operations on floats, and conversions.
//!
//! What IEEE 754 fixes (sums, products, fused multiply-adds, quotients and roots, with all roundings that are
//! accepted) is exact. `.approx` operations are computed in f64 and rounded; hardware differs by an ulp or two.

use super::alu_integer::{range, wide};
use super::registers::Registers;
use crate::ptx::ir::*;

#[inline(always)]
fn single(v: u64, flush: bool) -> f32 {
    let x = f32::from_bits(v as u32);
    if flush { flushed(x) } else { x }
}

#[inline(always)]
fn double(v: u64) -> f64 {
    f64::from_bits(v)
}

#[inline(always)]
fn flushed(x: f32) -> f32 {
    if x.is_subnormal() { 0f32.copysign(x) } else { x }
}

/// A result as the bits of a register. A saturated NaN is +0.
#[inline(always)]
fn finish(x: f32, mode: Mode) -> u64 {
    let x = if mode.flush { flushed(x) } else { x };
    let x = match (mode.saturate, x.is_nan()) {
        (true, true) => 0.0,
        (true, false) => x.clamp(0.0, 1.0),
        _ => x,
    };
    x.to_bits() as u64
}

/// The sum's rounded value and what rounding lost (Knuth, TAOCP 2, §4.2.2).
#[inline(always)]
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let part = sum - a;
    (sum, (a - (sum - part)) + (b - part))
}

/// Moves the nearest value to the one that a direction wants; `excess` has the sign of nearest − exact.
macro_rules! directed {
    ($nearest:expr, $excess:expr, $rounding:expr) => {{
        let (nearest, excess) = ($nearest, $excess);
        match $rounding {
            Rounding::Zero if nearest > 0.0 && excess > 0.0 => nearest.next_down(),
            Rounding::Zero if nearest < 0.0 && excess < 0.0 => nearest.next_up(),
            Rounding::Down if excess > 0.0 => nearest.next_down(),
            Rounding::Up if excess < 0.0 => nearest.next_up(),
            _ => nearest,
        }
    }};
}

/// Rounds `value + lost` to single precision, where `lost` is far below an ulp of `value`.
fn round_single(value: f64, lost: f64, rounding: Rounding) -> f32 {
    let nearest = value as f32;
    if rounding == Rounding::Nearest || !nearest.is_finite() {
        return nearest;
    }
    let gap = nearest as f64 - value;
    directed!(nearest, if gap != 0.0 { gap } else { -lost }, rounding)
}

fn fma_single(a: f32, b: f32, c: f32, rounding: Rounding) -> f32 {
    // The product of two singles is exact in double precision.
    let (sum, lost) = two_sum(a as f64 * b as f64, c as f64);
    round_single(sum, lost, rounding)
}

fn fma_double(a: f64, b: f64, c: f64, rounding: Rounding) -> f64 {
    let nearest = a.mul_add(b, c);
    if !nearest.is_finite() {
        return nearest;
    }
    let product = a * b;
    let product_lost = a.mul_add(b, -product);
    let (sum, lost) = two_sum(product, c);
    directed!(nearest, (nearest - sum) - lost - product_lost, rounding)
}

/// The lesser, with −0 below +0; of one NaN and a number the number, unless NaNs are to be kept.
macro_rules! least {
    ($a:expr, $b:expr, $nan:expr, $wins:expr, $canonical:expr) => {{
        let (a, b) = ($a, $b);
        if a.is_nan() || b.is_nan() {
            if $nan || a.is_nan() && b.is_nan() {
                $canonical
            } else if a.is_nan() {
                b
            } else {
                a
            }
        } else if $wins(a, b) {
            a
        } else {
            b
        }
    }};
}

const NAN_SINGLE: f32 = f32::from_bits(0x7fff_ffff);
const NAN_DOUBLE: f64 = f64::from_bits(0x7ff8_0000_0000_0000);
/// What the coarse forms in double precision keep.
const COARSE: u64 = !0xffff_ffff;

#[inline(always)]
pub(crate) fn float(op: Float, kind: Type, mode: Mode, i: &Alu, r: &mut Registers, m: u32) {
    if kind == Type::F64 { float_double(op, mode.rounding, i, r, m) } else { float_single(op, mode, i, r, m) }
}

#[inline(always)]
fn float_double(op: Float, rounding: Rounding, i: &Alu, r: &mut Registers, m: u32) {
    let near = rounding == Rounding::Nearest;
    macro_rules! one {
        ($f:expr) => {
            r.map1(m, i.d, i.a, |a| $f(double(a)).to_bits())
        };
    }
    macro_rules! two {
        ($f:expr) => {
            r.map2(m, i.d, i.a, i.b, |a, b| $f(double(a), double(b)).to_bits())
        };
    }
    match op {
        Float::Add if near => two!(|a, b| a + b),
        Float::Sub if near => two!(|a, b| a - b),
        Float::Mul if near => two!(|a, b| a * b),
        Float::Fma if near => {
            r.map3(m, i.d, [i.a, i.b, i.c], |a, b, c| double(a).mul_add(double(b), double(c)).to_bits());
        }
        Float::Add => two!(|a, b| fma_double(a, 1.0, b, rounding)),
        Float::Sub => two!(|a, b: f64| fma_double(a, 1.0, -b, rounding)),
        Float::Mul => two!(|a, b| fma_double(a, b, 0.0, rounding)),
        Float::Fma => {
            r.map3(m, i.d, [i.a, i.b, i.c], |a, b, c| fma_double(double(a), double(b), double(c), rounding).to_bits())
        }
        Float::Div => two!(|a, b| a / b),
        Float::Min { nan } => {
            let wins = |a: f64, b: f64| a < b || a == b && a.is_sign_negative();
            two!(|a: f64, b: f64| least!(a, b, nan, wins, NAN_DOUBLE));
        }
        Float::Max { nan } => {
            let wins = |a: f64, b: f64| a > b || a == b && b.is_sign_negative();
            two!(|a: f64, b: f64| least!(a, b, nan, wins, NAN_DOUBLE));
        }
        Float::Neg => one!(|a: f64| -a),
        Float::Abs => one!(|a: f64| a.abs()),
        // The sign is the first operand's.
        Float::CopySign => two!(|a: f64, b: f64| b.copysign(a)),
        Float::Reciprocal { coarse } => {
            let keep = if coarse { COARSE } else { !0 };
            r.map1(m, i.d, i.a, |a| (1.0 / double(a)).to_bits() & keep);
        }
        Float::Sqrt => one!(|a: f64| a.sqrt()),
        Float::ReciprocalSqrt { coarse } => {
            let keep = if coarse { COARSE } else { !0 };
            r.map1(m, i.d, i.a, |a| (1.0 / double(a).sqrt()).to_bits() & keep);
        }
        Float::Exp2 => one!(|a: f64| a.exp2()),
        Float::Log2 => one!(|a: f64| a.log2()),
        Float::Sin => one!(|a: f64| a.sin()),
        Float::Cos => one!(|a: f64| a.cos()),
        Float::Tanh => one!(|a: f64| a.tanh()),
    }
}

#[inline(always)]
fn float_single(op: Float, mode: Mode, i: &Alu, r: &mut Registers, m: u32) {
    let (flush, rounding) = (mode.flush, mode.rounding);
    let plain = mode == Mode { rounding: Rounding::Nearest, flush: false, saturate: false };
    macro_rules! one {
        ($f:expr) => {
            r.map1(m, i.d, i.a, |a| finish($f(single(a, flush)), mode))
        };
    }
    macro_rules! two {
        ($f:expr) => {
            r.map2(m, i.d, i.a, i.b, |a, b| finish($f(single(a, flush), single(b, flush)), mode))
        };
    }
    let bits = |x: f32| x.to_bits() as u64;
    match op {
        // What most programs do, without a question a lane.
        Float::Add if plain => r.map2(m, i.d, i.a, i.b, |a, b| bits(single(a, false) + single(b, false))),
        Float::Sub if plain => r.map2(m, i.d, i.a, i.b, |a, b| bits(single(a, false) - single(b, false))),
        Float::Mul if plain => r.map2(m, i.d, i.a, i.b, |a, b| bits(single(a, false) * single(b, false))),
        Float::Fma if plain => r.map3(m, i.d, [i.a, i.b, i.c], |a, b, c| {
            bits(single(a, false).mul_add(single(b, false), single(c, false)))
        }),
        Float::Add => two!(|a, b| fma_or_nearest(a, 1.0, b, rounding)),
        Float::Sub => two!(|a, b: f32| fma_or_nearest(a, 1.0, -b, rounding)),
        Float::Mul if rounding == Rounding::Nearest => two!(|a, b| a * b),
        Float::Mul => two!(|a, b| round_single(a as f64 * b as f64, 0.0, rounding)),
        Float::Fma => r.map3(m, i.d, [i.a, i.b, i.c], |a, b, c| {
            finish(fma_or_nearest(single(a, flush), single(b, flush), single(c, flush), rounding), mode)
        }),
        Float::Div => two!(|a, b| a / b),
        Float::Min { nan } => {
            let wins = |a: f32, b: f32| a < b || a == b && a.is_sign_negative();
            two!(|a: f32, b: f32| least!(a, b, nan, wins, NAN_SINGLE));
        }
        Float::Max { nan } => {
            let wins = |a: f32, b: f32| a > b || a == b && b.is_sign_negative();
            two!(|a: f32, b: f32| least!(a, b, nan, wins, NAN_SINGLE));
        }
        Float::Neg => one!(|a: f32| -a),
        Float::Abs => one!(|a: f32| a.abs()),
        Float::CopySign => two!(|a: f32, b: f32| b.copysign(a)),
        Float::Reciprocal { .. } => one!(|a: f32| 1.0 / a),
        Float::Sqrt => one!(|a: f32| a.sqrt()),
        Float::ReciprocalSqrt { .. } => one!(|a: f32| (1.0 / (a as f64).sqrt()) as f32),
        Float::Exp2 => one!(|a: f32| (a as f64).exp2() as f32),
        Float::Log2 => one!(|a: f32| (a as f64).log2() as f32),
        Float::Sin => one!(|a: f32| (a as f64).sin() as f32),
        Float::Cos => one!(|a: f32| (a as f64).cos() as f32),
        Float::Tanh => one!(|a: f32| (a as f64).tanh() as f32),
    }
}

/// To nearest by the processor: rounding a double sum once more would round twice.
#[inline(always)]
fn fma_or_nearest(a: f32, b: f32, c: f32, rounding: Rounding) -> f32 {
    if rounding == Rounding::Nearest { a.mul_add(b, c) } else { fma_single(a, b, c, rounding) }
}

#[inline(always)]
pub(crate) fn compare_floats(comparison: Comparison, kind: Type, flush: bool, a: &[u64; 32], b: &[u64; 32]) -> u32 {
    let value = |v: u64| if kind == Type::F64 { double(v) } else { single(v, flush) as f64 };
    // Built from three masks, so that one loop serves all comparisons.
    let (mut less, mut equal, mut greater) = (0u32, 0u32, 0u32);
    for l in 0..32 {
        let (x, y) = (value(a[l]), value(b[l]));
        less |= ((x < y) as u32) << l;
        equal |= ((x == y) as u32) << l;
        greater |= ((x > y) as u32) << l;
    }
    let unordered = !(less | equal | greater);
    match comparison {
        Comparison::Eq => equal,
        Comparison::Ne => less | greater,
        Comparison::Lt => less,
        Comparison::Le => less | equal,
        Comparison::Gt => greater,
        Comparison::Ge => greater | equal,
        Comparison::EqUnordered => equal | unordered,
        Comparison::NeUnordered => !equal,
        Comparison::LtUnordered => less | unordered,
        Comparison::LeUnordered => less | equal | unordered,
        Comparison::GtUnordered => greater | unordered,
        Comparison::GeUnordered => greater | equal | unordered,
        Comparison::BothNumbers => !unordered,
        Comparison::EitherNan => unordered,
    }
}

pub(crate) fn test(property: Property, kind: Type, a: u64) -> bool {
    use std::num::FpCategory::*;
    let category = if kind == Type::F64 { double(a).classify() } else { f32::from_bits(a as u32).classify() };
    match property {
        Property::Finite => !matches!(category, Nan | Infinite),
        Property::Infinite => category == Infinite,
        Property::Number => category != Nan,
        Property::NotANumber => category == Nan,
        Property::Normal => category == Normal,
        Property::Subnormal => category == Subnormal,
    }
}

#[inline(always)]
pub(crate) fn convert(to: Type, from: Type, mode: Mode, to_integral: bool, i: &Alu, r: &mut Registers, m: u32) {
    let rounding = mode.rounding;
    let value = |v: u64| if from == Type::F64 { double(v) } else { single(v, mode.flush) as f64 };
    match (to.is_float(), from.is_float()) {
        (false, false) => {
            let ((least, greatest), mask) = (range(to), to.mask());
            if mode.saturate {
                r.map1(m, i.d, i.a, |a| wide(a, from).clamp(least, greatest) as u64 & mask);
            } else {
                r.map1(m, i.d, i.a, |a| wide(a, from) as u64 & mask);
            }
        }
        (true, false) => r.map1(m, i.d, i.a, |a| from_integer(wide(a, from), to, mode)),
        (false, true) => r.map1(m, i.d, i.a, |a| to_integer(value(a), to, from, rounding)),
        (true, true) => r.map1(m, i.d, i.a, |a| {
            let x = if to_integral { integral(value(a), rounding) } else { value(a) };
            match (to, to_integral) {
                (Type::F64, _) if mode.saturate => (if x.is_nan() { 0.0 } else { x.clamp(0.0, 1.0) }).to_bits(),
                (Type::F64, _) => x.to_bits(),
                (_, true) => finish(x as f32, mode),
                (_, false) => finish(round_single(x, 0.0, rounding), mode),
            }
        }),
    }
}

fn integral(x: f64, rounding: Rounding) -> f64 {
    match rounding {
        Rounding::Nearest => x.round_ties_even(),
        Rounding::Zero => x.trunc(),
        Rounding::Down => x.floor(),
        Rounding::Up => x.ceil(),
    }
}

/// Out of range is held to the range. A NaN is 0 of narrow types, and the top bit alone where 64 bits or a
/// double take part (PTX ISA, cvt).
fn to_integer(x: f64, to: Type, from: Type, rounding: Rounding) -> u64 {
    if x.is_nan() {
        return if from == Type::F64 || to.size() == 8 { 1 << (to.bits() - 1) } else { 0 };
    }
    let (least, greatest) = range(to);
    (integral(x, rounding) as i128).clamp(least, greatest) as u64 & to.mask()
}

fn from_integer(v: i128, to: Type, mode: Mode) -> u64 {
    if to == Type::F64 {
        let nearest = v as f64;
        let excess = (nearest as i128 - v).signum() as f64;
        directed!(nearest, excess, mode.rounding).to_bits()
    } else {
        let nearest = v as f32;
        let excess = (nearest as i128 - v).signum() as f32;
        finish(directed!(nearest, excess, mode.rounding), mode)
    }
}
