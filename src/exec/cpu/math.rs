//! The elementary functions as straight lines of arithmetic, so that a loop over them is vectorised.
//!
//! Arguments are reduced as usual — `eˣ = 2ⁿeʳ` with `|r| ≤ ½ log 2`, `log x = e log 2 + log m` with
//! `m` in `[√½, √2)` — and the rest is a Taylor series, long enough that what is cut off lies below
//! half a unit in the last place. There is no fused multiply-add: the bits are those of any machine.
//!
//! | function | bound, units in the last place |
//! |---|---|
//! | exp, log | 2 |
//! | expm1, log1p, sigmoid, softplus | 4 |
//! | tanh | 5 |
//!
//! The bounds are for results that are normal numbers, and hold in the test below over 10⁵ arguments
//! on a logarithmic scale. NaN goes through; infinities and overflow are IEEE's.

use std::ops::{Add, Div, Mul, Neg, Sub};

use super::memory::Element;

/// A floating type and its bits.
pub(super) trait Real:
    Element
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    const ZERO: Self;
    const ONE: Self;
    /// `1.5 · 2ᵐ`, `m` the bits of the mantissa: added to a small number it leaves the nearest
    /// integer in the low bits.
    const ROUND: Self;
    /// `log 2` in two parts, of which the first times an exponent is exact.
    const LN2: (Self, Self);
    /// Beyond these `eˣ` is 0 or infinite, and `2^(n/2)` is still normal.
    const EXP_RANGE: (Self, Self);
    /// Below this `eˣ − 1` is −1, and beyond its negative `tanh` is 1.
    const EXPM1_LEAST: Self;
    /// Taylor coefficients of `(eʳ − 1 − r)/r²`, ascending.
    const EXP: &'static [f64];
    /// Coefficients of `(log(1 + f) − 2s)/s` in `z = s²`, `s = f/(2 + f)`, the first of `z`.
    const LOG: &'static [f64];

    fn abs(self) -> Self;
    fn sqrt(self) -> Self;
    fn floor(self) -> Self;
    fn copysign(self, sign: Self) -> Self;
    fn is_finite(self) -> bool;
    /// With `n` in the low bits of `self` (see `ROUND`): `2^⌊n/2⌋` and `2^(n − ⌊n/2⌋)`.
    fn power_in_halves(self) -> (Self, Self);
    /// With `n` in the low bits of `self`: `2ⁿ⁻¹`.
    fn half_power(self) -> Self;
    /// `m` in `[√½, √2)` and `e` with `self = m·2ᵉ`, for positive numbers.
    fn split(self) -> (Self, Self);
}

macro_rules! real {
    ($type:ident, $bits:ident, mantissa $mantissa:literal, bias $bias:literal, ln2 $ln2:expr, exp_range $range:expr,
     expm1_least $least:literal, exp_terms $exp:literal, log_terms $log:literal) => {
        impl Real for $type {
            const ZERO: $type = 0.0;
            const ONE: $type = 1.0;
            const ROUND: $type = 1.5 * (1u64 << $mantissa) as $type;
            const LN2: ($type, $type) = $ln2;
            const EXP_RANGE: ($type, $type) = $range;
            const EXPM1_LEAST: $type = $least;
            const EXP: &'static [f64] = EXP.split_at($exp).0;
            const LOG: &'static [f64] = LOG.split_at($log).0;

            #[inline(always)]
            fn abs(self) -> $type {
                $type::from_bits(self.to_bits() & ($bits::MAX >> 1))
            }

            #[inline(always)]
            fn sqrt(self) -> $type {
                $type::sqrt(self)
            }

            #[inline(always)]
            fn floor(self) -> $type {
                $type::floor(self)
            }

            #[inline(always)]
            fn copysign(self, sign: $type) -> $type {
                $type::from_bits(self.to_bits() & ($bits::MAX >> 1) | sign.to_bits() & !($bits::MAX >> 1))
            }

            #[inline(always)]
            fn is_finite(self) -> bool {
                self.abs() < $type::INFINITY
            }

            #[inline(always)]
            fn power_in_halves(self) -> ($type, $type) {
                // Shifted by twice the bias, so that the halving is of unsigned numbers.
                let n = self.to_bits().wrapping_sub(Self::ROUND.to_bits()).wrapping_add(2 * $bias);
                let half = n >> 1;
                let power = |biased: $bits| $type::from_bits(biased.wrapping_shl($mantissa));
                (power(half), power(n.wrapping_sub(half)))
            }

            #[inline(always)]
            fn half_power(self) -> $type {
                let n = self.to_bits().wrapping_sub(Self::ROUND.to_bits());
                $type::from_bits(n.wrapping_add($bias - 1).wrapping_shl($mantissa))
            }

            #[inline(always)]
            fn split(self) -> ($type, $type) {
                const SCALE: $type = (1u64 << ($mantissa + 1)) as $type;
                const ROOT_HALF: $bits = std::$type::consts::FRAC_1_SQRT_2.to_bits();
                let tiny = self < $type::MIN_POSITIVE;
                let (x, shift) = if tiny { (self * SCALE, ($mantissa + 1) as $type) } else { (self, 0.0) };
                let bits = x.to_bits().wrapping_add($type::to_bits(1.0).wrapping_sub(ROOT_HALF));
                let m = $type::from_bits((bits & ((1 << $mantissa) - 1)).wrapping_add(ROOT_HALF));
                // The exponent as a number, by way of the low bits of `ROUND`.
                let e = $type::from_bits((bits >> $mantissa).wrapping_add(Self::ROUND.to_bits())) - Self::ROUND;
                (m, e - $bias as $type - shift)
            }
        }
    };
}

real!(f32, u32, mantissa 23, bias 127, ln2 (LN2_TOP as f32, (std::f64::consts::LN_2 - LN2_TOP) as f32),
    exp_range (-104.0, 89.0), expm1_least -18.0, exp_terms 6, log_terms 4);
real!(f64, u64, mantissa 52, bias 1023, ln2 (0.693_147_180_369_123_8, 1.908_214_929_270_587_7e-10),
    exp_range (-746.0, 710.0), expm1_least -38.0, exp_terms 12, log_terms 10);

/// `log 2` to nine bits: a single holds its product with any exponent.
const LN2_TOP: f64 = 355.0 / 512.0;

const EXP: [f64; 12] = {
    let mut coefficients = [0.0; 12];
    let (mut k, mut factorial) = (0, 1.0);
    while k < 12 {
        factorial *= (k + 2) as f64;
        coefficients[k] = 1.0 / factorial;
        k += 1;
    }
    coefficients
};

const LOG: [f64; 10] = {
    let mut coefficients = [0.0; 10];
    let mut k = 0;
    while k < 10 {
        coefficients[k] = 2.0 / (2 * k + 3) as f64;
        k += 1;
    }
    coefficients
};

#[inline(always)]
fn polynomial<T: Real>(coefficients: &[f64], x: T) -> T {
    let mut value = T::of(coefficients[coefficients.len() - 1]);
    for &coefficient in coefficients[..coefficients.len() - 1].iter().rev() {
        value = value * x + T::of(coefficient);
    }
    value
}

/// `n` in the low bits, and `eʳ − 1`, for `x = n log 2 + r`.
#[inline(always)]
fn reduced_exp<T: Real>(x: T) -> (T, T) {
    let t = x * T::of(std::f64::consts::LOG2_E) + T::ROUND;
    let n = t - T::ROUND;
    let r = (x - n * T::LN2.0) - n * T::LN2.1;
    (t, r + r * r * polynomial(T::EXP, r))
}

#[inline(always)]
pub(super) fn exp<T: Real>(x: T) -> T {
    let (least, most) = T::EXP_RANGE;
    // Written so that a NaN goes through.
    let x = if x < least { least } else { x };
    let x = if x > most { most } else { x };
    let (t, p) = reduced_exp(x);
    let (a, b) = t.power_in_halves();
    (T::ONE + p) * a * b
}

#[inline(always)]
pub(super) fn expm1<T: Real>(x: T) -> T {
    let most = T::EXP_RANGE.1;
    let zero = x == T::ZERO;
    let bounded = if x < T::EXPM1_LEAST { T::EXPM1_LEAST } else { x };
    let bounded = if bounded > most { most } else { bounded };
    let (t, p) = reduced_exp(bounded);
    let half = t.half_power();
    let y = T::of(2.0) * (half * p + (half - T::of(0.5)));
    if zero { x } else { y }
}

#[inline(always)]
pub(super) fn log<T: Real>(x: T) -> T {
    let (m, e) = x.split();
    let f = m - T::ONE;
    let s = f / (T::of(2.0) + f);
    let z = s * s;
    let rest = z * polynomial(T::LOG, z);
    let y = e * T::LN2.0 + (f - (s * (f - rest) - e * T::LN2.1));
    let y = if x > T::ZERO { y } else { T::of(f64::NAN) };
    let y = if x == T::ZERO { T::of(f64::NEG_INFINITY) } else { y };
    // Infinity is itself, and so is a NaN.
    if x < T::of(f64::INFINITY) { y } else { x }
}

#[inline(always)]
pub(super) fn log1p<T: Real>(x: T) -> T {
    let u = T::ONE + x;
    let lost = x - (u - T::ONE);
    let y = log(u);
    let corrected = y + lost / u;
    let y = if lost.abs() > T::ZERO { corrected } else { y };
    if x == T::ZERO { x } else { y }
}

#[inline(always)]
pub(super) fn tanh<T: Real>(x: T) -> T {
    let a = x.abs();
    let a = if a > -T::EXPM1_LEAST { -T::EXPM1_LEAST } else { a };
    let e = expm1(a + a);
    (e / (e + T::of(2.0))).copysign(x)
}

#[inline(always)]
pub(super) fn sigmoid<T: Real>(x: T) -> T {
    let e = exp(-x.abs());
    let top = if x < T::ZERO { e } else { T::ONE };
    top / (T::ONE + e)
}

#[inline(always)]
pub(super) fn softplus<T: Real>(x: T) -> T {
    let positive = if x > T::ZERO { x } else { T::ZERO };
    positive + log1p(exp(-x.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Distance in units in the last place of the truth, which a double rounds by half of one.
    fn ulps<T: Real>(value: T, truth: f64, mantissa: i32) -> f64 {
        // In two steps, since the unit itself may be too small for a double.
        let top = 2f64.powi(truth.abs().log2().floor() as i32);
        ((value.wide() - truth) / top * 2f64.powi(mantissa)).abs()
    }

    /// Arguments `±10ᵉ` over the range, and some near the awkward ones.
    fn arguments(from: f64, to: f64) -> impl Iterator<Item = f64> {
        let n = 100_000;
        (0..n).flat_map(move |i| {
            let size = 10f64.powf(from + (to - from) * i as f64 / n as f64);
            [size, -size]
        })
    }

    /// The truth of a double is taken from the standard library, which errs by one unit at most.
    fn check<T: Real>(name: &str, f: fn(T) -> T, truth: fn(f64) -> f64, range: (f64, f64), bound: f64) {
        let (mantissa, least) =
            if size_of::<T>() == 4 { (23, f32::MIN_POSITIVE.into()) } else { (52, f64::MIN_POSITIVE) };
        let mut worst = (0.0, 0.0);
        for x in arguments(range.0, range.1) {
            let x = T::of(x);
            let exact = truth(x.wide());
            if !T::of(exact).is_finite() || exact.is_nan() || exact.abs() < least {
                continue;
            }
            let distance = ulps(f(x), exact, mantissa);
            worst = if distance > worst.0 || distance.is_nan() { (distance, x.wide()) } else { worst };
        }
        println!("{name} {}: {:.3} at {:e}", std::any::type_name::<T>(), worst.0, worst.1);
        assert!(worst.0 <= bound, "{name} {}: {} at {}", std::any::type_name::<T>(), worst.0, worst.1);
    }

    fn check_all<T: Real>() {
        let stable_sigmoid = |x: f64| if x < 0.0 { x.exp() / (1.0 + x.exp()) } else { 1.0 / (1.0 + (-x).exp()) };
        check::<T>("exp", exp, f64::exp, (-12.0, 3.0), 2.0);
        check::<T>("log", log, f64::ln, (-300.0, 300.0), 2.0);
        check::<T>("log near 1", log, f64::ln, (-0.3, 0.3), 2.0);
        check::<T>("expm1", expm1, f64::exp_m1, (-12.0, 3.0), 4.0);
        check::<T>("log1p", log1p, f64::ln_1p, (-12.0, 30.0), 4.0);
        check::<T>("tanh", tanh, f64::tanh, (-12.0, 3.0), 5.0);
        check::<T>("sigmoid", sigmoid, stable_sigmoid, (-12.0, 3.0), 4.0);
        check::<T>("softplus", softplus, |x| x.max(0.0) + (-x.abs()).exp().ln_1p(), (-12.0, 3.0), 4.0);
    }

    #[test]
    fn within_their_bounds() {
        check_all::<f32>();
        check_all::<f64>();
    }

    #[test]
    fn special_values() {
        fn check<T: Real + std::fmt::Debug>() {
            let [inf, nan, zero, one] = [f64::INFINITY, f64::NAN, 0.0, 1.0].map(T::of);
            for f in [exp, expm1, log, log1p, tanh, sigmoid, softplus] {
                assert!(f(nan).wide().is_nan());
            }
            assert_eq!([exp(inf), exp(-inf), exp(zero)], [inf, zero, one]);
            assert_eq!([exp(T::of(1000.0)), exp(T::of(-1000.0))], [inf, zero]);
            assert_eq!([expm1(inf), expm1(-inf)], [inf, -one]);
            assert_eq!([log(inf), log(zero), log(one)], [inf, -inf, zero]);
            assert!(log(-one).wide().is_nan() && log1p(T::of(-2.0)).wide().is_nan() && log(-inf).wide().is_nan());
            assert_eq!([log1p(inf), log1p(-one)], [inf, -inf]);
            assert_eq!([tanh(inf), tanh(-inf)], [one, -one]);
            assert_eq!([sigmoid(inf), sigmoid(-inf), sigmoid(zero)], [one, zero, T::of(0.5)]);
            assert_eq!([softplus(inf), softplus(-inf)], [inf, zero]);
            for f in [expm1, log1p, tanh] {
                assert!(f(-zero).wide() == 0.0 && f(-zero).wide().is_sign_negative());
            }
        }
        check::<f32>();
        check::<f64>();
        // The least of all, and others that are not normal.
        assert_eq!(exp(-744.44f64), (-744.44f64).exp());
        assert_eq!(exp(-103.2f32), (-103.2f32).exp());
        assert!((log(5e-324f64) - 5e-324f64.ln()).abs() < 1e-12);
        assert!((log(1e-45f32) - 1e-45f32.ln()).abs() < 1e-4);
    }
}
