// The elementwise functions, one for each unary and binary op of the tape, by the definitions of the
// processor's executor (src/exec/cpu/math.rs, elementwise.rs).
//
// Equal to its bits: everything but the four below, because it is +, −, ×, ÷, √, comparisons and integer
// work in the same order, and the module is compiled with --fmad=false. (A NaN is like any other NaN.)
// sin, cos, erf and pow are CUDA's, of doubles; the executor takes them in doubles too, so singles, rounded
// from these, differ by at most one unit in the last place, and rarely. Doubles differ by a few units; of erf
// near 3 by up to 16, which are the executor's own.
//
// T is float or double; the binary ops other than div and pow also take u32, modulo 2³².
#pragma once
#include "common.cuh"

// A floating type and its bits; the constants of its elementary functions.
template <class T> struct Real;

template <> struct Real<float> {
    typedef u32 Bits;
    static constexpr u32 MANTISSA = 23;
    static constexpr u32 BIAS = 127;
    // 1.5 · 2ᵐ, m the bits of the mantissa: added to a small number it leaves the nearest integer in the low bits.
    static constexpr float ROUND = 12582912.0f;
    // log 2 in two parts, of which the first times an exponent is exact.
    static constexpr double LN2_TOP = 355.0 / 512.0;
    static constexpr double LN2_REST = 0.693147180559945309417 - 355.0 / 512.0;
    // Beyond these eˣ is 0 or infinite, and 2^(n/2) is still normal.
    static constexpr float EXP_LEAST = -104.0f;
    static constexpr float EXP_MOST = 89.0f;
    // Below this eˣ − 1 is −1, and beyond its negative tanh is 1.
    static constexpr float EXPM1_LEAST = -18.0f;
    // Terms of the series.
    static constexpr u32 EXP_TERMS = 6;
    static constexpr u32 LOG_TERMS = 4;
    static constexpr float LEAST_NORMAL = 1.17549435e-38f;
    // The bits of 1 and of √½.
    static constexpr u32 ONE = 0x3f800000u;
    static constexpr u32 ROOT_HALF = 0x3f3504f3u;

    static __device__ u32 bits(float x) { return __float_as_uint(x); }
    static __device__ float of_bits(u32 bits) { return __uint_as_float(bits); }
};

template <> struct Real<double> {
    typedef u64 Bits;
    static constexpr u32 MANTISSA = 52;
    static constexpr u32 BIAS = 1023;
    static constexpr double ROUND = 6755399441055744.0;
    static constexpr double LN2_TOP = 0.6931471803691238;
    static constexpr double LN2_REST = 1.9082149292705877e-10;
    static constexpr double EXP_LEAST = -746.0;
    static constexpr double EXP_MOST = 710.0;
    static constexpr double EXPM1_LEAST = -38.0;
    static constexpr u32 EXP_TERMS = 12;
    static constexpr u32 LOG_TERMS = 10;
    static constexpr double LEAST_NORMAL = 2.2250738585072014e-308;
    static constexpr u64 ONE = 0x3ff0000000000000ull;
    static constexpr u64 ROOT_HALF = 0x3fe6a09e667f3bcdull;

    static __device__ u64 bits(double x) { return (u64)__double_as_longlong(x); }
    static __device__ double of_bits(u64 bits) { return __longlong_as_double((i64)bits); }
};

namespace series {

template <u32 N> constexpr double FACTORIAL = N * FACTORIAL<N - 1>;
template <> constexpr double FACTORIAL<0> = 1.0;

// Coefficients, from the one of xᴷ up: of (eʳ − 1 − r)/r².
template <class T, u32 K> __device__ T exp_from(T x) {
    constexpr double coefficient = 1.0 / FACTORIAL<K + 2>;
    if constexpr (K + 1 == Real<T>::EXP_TERMS) {
        return (T)coefficient;
    } else {
        return exp_from<T, K + 1>(x) * x + (T)coefficient;
    }
}

// Of (log(1 + f) − 2s)/s in z = s², s = f/(2 + f), the first of z.
template <class T, u32 K> __device__ T log_from(T z) {
    constexpr double coefficient = 2.0 / (2 * K + 3);
    if constexpr (K + 1 == Real<T>::LOG_TERMS) {
        return (T)coefficient;
    } else {
        return log_from<T, K + 1>(z) * z + (T)coefficient;
    }
}

// n in the low bits, and eʳ − 1, for x = n log 2 + r.
template <class T> struct ReducedExp {
    T t;
    T p;
};

template <class T> __device__ ReducedExp<T> reduced_exp(T x) {
    const T t = x * (T)1.44269504088896340736 + Real<T>::ROUND;
    const T n = t - Real<T>::ROUND;
    const T r = (x - n * (T)Real<T>::LN2_TOP) - n * (T)Real<T>::LN2_REST;
    return {t, r + r * r * exp_from<T, 0>(r)};
}

} // namespace series

template <class T> __device__ T op_neg(T x) { return -x; }
template <class T> __device__ T op_abs(T x) {
    return Real<T>::of_bits(Real<T>::bits(x) & (~(typename Real<T>::Bits)0 >> 1));
}
template <class T> __device__ T op_sign(T x) {
    const T sign = x < (T)0 ? (T)-1 : x + (T)0;
    return x > (T)0 ? (T)1 : sign;
}
template <class T> __device__ T op_square(T x) { return x * x; }
__device__ inline float op_sqrt(float x) { return __fsqrt_rn(x); }
__device__ inline double op_sqrt(double x) { return __dsqrt_rn(x); }
template <class T> __device__ T op_recip(T x) { return (T)1 / x; }
template <class T> __device__ T op_relu(T x) { return x <= (T)0 ? (T)0 : x; }
template <class T> __device__ T op_step(T x) { return x > (T)0 ? (T)1 : (T)0; }
__device__ inline float op_floor(float x) { return floorf(x); }
__device__ inline double op_floor(double x) { return floor(x); }
template <class T> __device__ bool finite(T x) { return op_abs(x) < Limits<T>::infinity(); }
template <class T> __device__ T op_is_finite(T x) { return finite(x) ? (T)1 : (T)0; }
template <class T> __device__ T op_hold(T x) { return x; }

template <class T> __device__ T op_exp(T x) {
    typedef typename Real<T>::Bits Bits;
    // Written so that a NaN goes through.
    x = x < Real<T>::EXP_LEAST ? Real<T>::EXP_LEAST : x;
    x = x > Real<T>::EXP_MOST ? Real<T>::EXP_MOST : x;
    const series::ReducedExp<T> reduced = series::reduced_exp(x);
    // 2ⁿ in halves, each of which is normal: shifted by twice the bias, so that the halving is of unsigned numbers.
    const Bits n = Real<T>::bits(reduced.t) - Real<T>::bits(Real<T>::ROUND) + 2 * Real<T>::BIAS;
    const Bits half = n >> 1;
    const T a = Real<T>::of_bits(half << Real<T>::MANTISSA);
    const T b = Real<T>::of_bits((n - half) << Real<T>::MANTISSA);
    return ((T)1 + reduced.p) * a * b;
}

template <class T> __device__ T op_expm1(T x) {
    typedef typename Real<T>::Bits Bits;
    T bounded = x < Real<T>::EXPM1_LEAST ? Real<T>::EXPM1_LEAST : x;
    bounded = bounded > Real<T>::EXP_MOST ? Real<T>::EXP_MOST : bounded;
    const series::ReducedExp<T> reduced = series::reduced_exp(bounded);
    const Bits n = Real<T>::bits(reduced.t) - Real<T>::bits(Real<T>::ROUND);
    const T half = Real<T>::of_bits((n + (Real<T>::BIAS - 1)) << Real<T>::MANTISSA);
    const T y = (T)2 * (half * reduced.p + (half - (T)0.5));
    return x == (T)0 ? x : y;
}

template <class T> __device__ T op_log(T x) {
    typedef typename Real<T>::Bits Bits;
    constexpr u32 MANTISSA = Real<T>::MANTISSA;
    // m in [√½, √2) and e with x = m·2ᵉ.
    const bool tiny = x < Real<T>::LEAST_NORMAL;
    const T scaled = tiny ? x * (T)((Bits)1 << (MANTISSA + 1)) : x;
    const T shift = tiny ? (T)(MANTISSA + 1) : (T)0;
    const Bits bits = Real<T>::bits(scaled) + (Real<T>::ONE - Real<T>::ROOT_HALF);
    const T m = Real<T>::of_bits((bits & (((Bits)1 << MANTISSA) - 1)) + Real<T>::ROOT_HALF);
    // The exponent as a number, by way of the low bits of ROUND.
    const T biased = Real<T>::of_bits((bits >> MANTISSA) + Real<T>::bits(Real<T>::ROUND)) - Real<T>::ROUND;
    const T e = biased - (T)Real<T>::BIAS - shift;
    const T f = m - (T)1;
    const T s = f / ((T)2 + f);
    const T z = s * s;
    const T rest = z * series::log_from<T, 0>(z);
    T y = e * (T)Real<T>::LN2_TOP + (f - (s * (f - rest) - e * (T)Real<T>::LN2_REST));
    y = x > (T)0 ? y : Limits<T>::nan();
    y = x == (T)0 ? -Limits<T>::infinity() : y;
    // Infinity is itself, and so is a NaN.
    return x < Limits<T>::infinity() ? y : x;
}

template <class T> __device__ T op_log1p(T x) {
    const T u = (T)1 + x;
    const T lost = x - (u - (T)1);
    const T y = op_log(u);
    const T corrected = y + lost / u;
    const T value = op_abs(lost) > (T)0 ? corrected : y;
    return x == (T)0 ? x : value;
}

template <class T> __device__ T op_tanh(T x) {
    typedef typename Real<T>::Bits Bits;
    constexpr Bits MAGNITUDE = ~(Bits)0 >> 1;
    T a = op_abs(x);
    a = a > -Real<T>::EXPM1_LEAST ? -Real<T>::EXPM1_LEAST : a;
    const T e = op_expm1(a + a);
    const T y = e / (e + (T)2);
    return Real<T>::of_bits((Real<T>::bits(y) & MAGNITUDE) | (Real<T>::bits(x) & ~MAGNITUDE));
}

template <class T> __device__ T op_sigmoid(T x) {
    const T e = op_exp(-op_abs(x));
    const T top = x < (T)0 ? e : (T)1;
    return top / ((T)1 + e);
}

template <class T> __device__ T op_softplus(T x) {
    const T positive = x > (T)0 ? x : (T)0;
    return positive + op_log1p(op_exp(-op_abs(x)));
}

template <class T> __device__ T op_sin(T x) { return (T)sin((double)x); }
template <class T> __device__ T op_cos(T x) { return (T)cos((double)x); }
template <class T> __device__ T op_erf(T x) { return (T)erf((double)x); }

template <class T> __device__ T op_add(T a, T b) { return a + b; }
template <class T> __device__ T op_sub(T a, T b) { return a - b; }
template <class T> __device__ T op_mul(T a, T b) { return a * b; }
template <class T> __device__ T op_div(T a, T b) { return a / b; }
template <class T> __device__ T op_pow(T a, T b) { return (T)pow((double)a, (double)b); }
// A NaN is not equal to itself, so the first operand stays where it is one.
template <class T> __device__ T op_max(T a, T b) { return a >= b || a != a ? a : b; }
template <class T> __device__ T op_min(T a, T b) { return a <= b || a != a ? a : b; }
template <class T> __device__ T op_less(T a, T b) { return a < b ? (T)1 : (T)0; }
template <class T> __device__ T op_less_equal(T a, T b) { return a <= b ? (T)1 : (T)0; }
template <class T> __device__ T op_equal(T a, T b) { return a == b ? (T)1 : (T)0; }

// c ≠ 0 ? a : b; a NaN is not 0.
template <class C, class T> __device__ T op_select(C c, T a, T b) { return c != (C)0 ? a : b; }

// Conversion: to the nearest; to an index by truncation, saturating, NaN to 0 (which the instruction that
// converts a double would make 2³¹).
template <class To> struct Cast {
    template <class From> static __device__ To of(From x) { return (To)x; }
};
template <> struct Cast<u32> {
    static __device__ u32 of(u32 x) { return x; }
    static __device__ u32 of(float x) { return x == x ? __float2uint_rz(x) : 0; }
    static __device__ u32 of(double x) { return x == x ? __double2uint_rz(x) : 0; }
};
template <class To, class From> __device__ To cast(From x) { return Cast<To>::of(x); }
