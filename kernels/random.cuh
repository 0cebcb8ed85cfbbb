// Random numbers by counter, Philox4x32-10 (src/tape/philox.rs), with the bits of the processor's
// (src/exec/cpu/random.rs): element j depends on (key, stream, step, j) alone. Word w of element j gives
//
//     Uniform  (w + ½)/2³² in doubles, (⌊w/2⁹⌋ + ½)/2²³ in singles
//     Normal   Box–Muller on elements 2i and 2i + 1, in doubles
//
// key (two numbers) and step (one) lie in global memory; n ≤ 2³⁴. A thread makes the four elements of a
// counter. T is float or double. Normals are about 40 divisions of doubles for two elements.
#pragma once
#include "math.cuh"

// Distributions, and whether uniforms go on in pairs.
struct Uniform {
    static constexpr bool PAIRS = false;
};
struct Normal {
    static constexpr bool PAIRS = true;
};

namespace philox {

struct Words {
    u32 word[4];
};

__device__ inline Words block(u32 k0, u32 k1, Words c) {
#pragma unroll
    for (u32 round = 0; round < 10; round++) {
        const u64 a = (u64)c.word[0] * 0xD2511F53ull;
        const u64 b = (u64)c.word[2] * 0xCD9E8D57ull;
        c = {{(u32)(b >> 32) ^ c.word[1] ^ k0, (u32)b, (u32)(a >> 32) ^ c.word[3] ^ k1, (u32)a}};
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return c;
}

template <class T> __device__ double uniform(u32 word);
template <> __device__ inline double uniform<float>(u32 word) {
    return ((double)(word >> 9) + 0.5) / 8388608.0;
}
template <> __device__ inline double uniform<double>(u32 word) {
    return ((double)word + 0.5) / 4294967296.0;
}

// cos 2πu and sin 2πu for 0 ≤ u < 1: with q the nearest quarter turn, those of 2π(u − q/4), swapped and negated.
__device__ inline void turn(double u, double &cosine, double &sine) {
    const double q = 4.0 * u + Real<double>::ROUND - Real<double>::ROUND;
    const double x = 6.28318530717958647693 * (u - 0.25 * q);
    const double z = x * x;
    double c = 0.0;
    double s = 0.0;
#pragma unroll 1
    for (double k = 8.0; k > 0.0; k -= 1.0) {
        // 1 − z/(1·2)·(1 − z/(3·4)·(…)), and x·(1 − z/(2·3)·(1 − z/(4·5)·(…))).
        c = (1.0 - c) * z / ((2.0 * k - 1.0) * (2.0 * k));
        s = (1.0 - s) * z / ((2.0 * k) * (2.0 * k + 1.0));
    }
    c = 1.0 - c;
    s = x * (1.0 - s);
    const bool swaps = q == 1.0 || q == 3.0;
    const double flip = q == 2.0 || q == 3.0 ? -1.0 : 1.0;
    cosine = flip * (swaps ? -s : c);
    sine = flip * (swaps ? c : s);
}

// Elements 2i and 2i + 1, of the uniforms of the same positions.
__device__ inline void normals(double &first, double &second) {
    const double radius = op_sqrt(-2.0 * op_log(first));
    double cosine, sine;
    turn(second, cosine, sine);
    first = radius * cosine;
    second = radius * sine;
}

} // namespace philox

// D is Uniform or Normal.
template <class D, class Team, class T>
__device__ void random(Team team, T *y, i64 n, const u32 *key, const u32 *step, u32 stream) {
    const i64 counters = (n + 3) / 4;
    const u32 k0 = key[0];
    const u32 k1 = key[1];
    const u32 now = *step;
    for (i64 i = first_element(team); i < counters; i += element_stride(team)) {
        const philox::Words words = philox::block(k0, k1, {{(u32)i, 0, now, stream}});
#pragma unroll
        for (u32 pair = 0; pair < 2; pair++) {
            double first = philox::uniform<T>(words.word[2 * pair]);
            double second = philox::uniform<T>(words.word[2 * pair + 1]);
            if constexpr (D::PAIRS) {
                philox::normals(first, second);
            }
            const i64 at = 4 * i + 2 * pair;
            if (at < n) {
                y[at] = (T)first;
            }
            if (at + 1 < n) {
                y[at + 1] = (T)second;
            }
        }
    }
}
