// Orthogonal transforms of a grid along its axes (Op::Grid; definitions in src/linalg/transform.rs), by Fourier
// transforms of lines. T is float or double.
//
//     grid_cosine   along one axis: DCT-II, or with `inverse` DCT-III, by one Fourier transform of the line's
//                   length each (Makhoul, A fast cosine transform in one and two dimensions, 1980)
//     grid_hartley  Fourier's along one axis, of real numbers where it is the first that is taken; of the last
//                   the real less the imaginary part is kept, times `scale`: Hartley's of all axes
//
// A line of n elements takes Stockham's passes, one for each prime factor of n (4 as one), in which every
// element is a sum of as many terms as the factor says: n log n multiplications where n has small factors, and up
// to n² where it is prime. Roots of unity are made once for a block, by sincospi in doubles.
//
// A block takes a panel of lines at a time, neighbours in memory where the axis is not the last, in `work`: for
// each block 2·lines + 1 complex numbers an element. There is a barrier a pass, and what a block works in stays in its
// caches: bytes from memory are those of the grid, read and written once an axis.
#pragma once
#include "tree.cuh"

namespace grid {

template <class T> struct Complex {
    T re;
    T im;
};

// The first factor that is taken of n > 1.
__device__ inline u32 factor(u32 n) {
    if (n % 4 == 0) {
        return 4;
    }
    for (u32 p = 2; p * p <= n; p++) {
        if (n % p == 0) {
            return p;
        }
    }
    return n;
}

// A block's part of `work`: the panel and its double, and the roots of unity exp(−2πik/n).
template <class T> struct Panel {
    Complex<T> *from;
    Complex<T> *to;
    Complex<T> *roots;
    u32 n;
    u32 lines;

    __device__ Panel(Complex<T> *work, u32 block, u32 n, u32 lines) : n(n), lines(lines) {
        from = work + (i64)block * (2 * lines + 1) * n;
        to = from + (i64)lines * n;
        roots = to + (i64)lines * n;
        for (u32 k = threadIdx.x; k < n; k += THREADS) {
            double sine, cosine;
            sincospi(2.0 * k / n, &sine, &cosine);
            roots[k] = {(T)cosine, (T)-sine};
        }
    }

    // Transforms the panel; the result is in `from`. Element k of line p lies at k·lines + p, before and after.
    __device__ void transform() {
        __syncthreads();
        // After a pass: for t < m, the transforms of length n/m of the elements t, t + m, …, entry k at k·m + t.
        u32 m = n;
        while (m > 1) {
            const u32 radix = factor(m);
            const u32 less = m / radix;
            const u32 done = n / m;
            for (u32 at = threadIdx.x; at < n * lines; at += THREADS) {
                const u32 p = at % lines;
                const u32 k = at / lines / less;
                const u32 t = at / lines % less;
                const Complex<T> *const first = from + ((i64)(k % done) * m + t) * lines + p;
                Complex<T> sum = *first;
                // exp(−2πi·jk/(n/less)), for j = 0, 1, …
                u32 root = 0;
                for (u32 j = 1; j < radix; j++) {
                    root += k;
                    root -= root >= done * radix ? done * radix : 0;
                    const Complex<T> w = roots[root * less];
                    const Complex<T> x = first[(i64)j * less * lines];
                    sum.re += w.re * x.re - w.im * x.im;
                    sum.im += w.re * x.im + w.im * x.re;
                }
                to[at] = sum;
            }
            __syncthreads();
            Complex<T> *const swapped = from;
            from = to;
            to = swapped;
            m = less;
        }
    }
};

// Where the elements of the lines along an axis lie.
struct Axis {
    u32 outer;
    u32 n;
    u32 inner;

    __device__ u32 lines() const { return outer * inner; }
    __device__ i64 at(u32 line, u32 i) const { return ((i64)(line / inner) * n + i) * inner + line % inner; }
};

// Takes the lines along an axis, panel by panel. Element i of a line, `read(line, i)`, goes to `place(i)` of its
// column of the panel; `write(line, k, column)` is called for the elements of the transformed lines, column[k·width]
// being element k.
template <class Team, class T, class P, class R, class W>
__device__ void lines(Team team, Complex<T> *work, Axis axis, u32 width, P place, R read, W write) {
    const u32 n = axis.n;
    const u32 inner = axis.inner;
    const u32 all = axis.lines();
    Panel<T> panel(work, team.block(), n, width);
    for (u32 first = team.block() * width; first < all; first += team.blocks() * width) {
        // The last panel may be narrower: what is beyond is zero.
        for (u32 at = threadIdx.x; at < n * width; at += THREADS) {
            // Consecutive threads read consecutive elements.
            const u32 p = inner == 1 ? at / n : at % width;
            const u32 i = inner == 1 ? at % n : at / width;
            Complex<T> x = {(T)0, (T)0};
            if (first + p < all) {
                x = read(first + p, i);
            }
            panel.from[(i64)place(i) * width + p] = x;
        }
        panel.transform();
        for (u32 at = threadIdx.x; at < n * width; at += THREADS) {
            const u32 p = inner == 1 ? at / n : at % width;
            const u32 i = inner == 1 ? at % n : at / width;
            if (first + p < all) {
                write(first + p, i, panel.from + p);
            }
        }
        __syncthreads();
    }
}

} // namespace grid

// `y` may be `x`: a panel is read before it is written.
template <class Team, class T>
__device__ void grid_cosine(Team team, T *y, const T *x, T *work, u32 outer, u32 n, u32 inner, u32 width,
                            bool inverse) {
    const grid::Axis axis{outer, n, inner};
    const double flat = sqrt(1.0 / n);
    const double wave = sqrt(2.0 / n);
    const auto same = [](u32 i) { return i; };
    // exp(−πik/(2n))
    const auto quarter = [=](u32 k) {
        double sine, cosine;
        sincospi(0.5 * k / n, &sine, &cosine);
        return grid::Complex<T>{(T)cosine, (T)-sine};
    };
    // The even elements, then the odd ones backwards.
    const auto folded = [=](u32 i) { return i % 2 == 0 ? i / 2 : n - 1 - i / 2; };
    if (!inverse) {
        grid::lines(
            team, (grid::Complex<T> *)work, axis, width, folded,
            [=](u32 line, u32 i) { return grid::Complex<T>{x[axis.at(line, i)], (T)0}; },
            [=](u32 line, u32 k, const grid::Complex<T> *column) {
                const grid::Complex<T> v = column[(i64)k * width];
                const grid::Complex<T> w = quarter(k);
                y[axis.at(line, k)] = (T)(k == 0 ? flat : wave) * (w.re * v.re - w.im * v.im);
            });
    } else {
        // With C the coefficients of the sums: V_k = exp(πik/(2n))·(C_k − i·C_{n−k}), whose transform back is that
        // of its conjugate.
        const T first = (T)(1.0 / (n * flat));
        const T other = (T)(1.0 / (n * wave));
        grid::lines(
            team, (grid::Complex<T> *)work, axis, width, same,
            [=](u32 line, u32 k) {
                if (k == 0) {
                    return grid::Complex<T>{first * x[axis.at(line, 0)], (T)0};
                }
                const grid::Complex<T> w = quarter(k);
                const T re = other * x[axis.at(line, k)];
                const T im = other * x[axis.at(line, n - k)];
                return grid::Complex<T>{w.re * re - w.im * im, w.re * im + w.im * re};
            },
            [=](u32 line, u32 i, const grid::Complex<T> *column) {
                y[axis.at(line, i)] = column[(i64)folded(i) * width].re;
            });
    }
}

// `work` starts with the complex numbers of all of the grid, between the first axis that is taken and the last.
template <class Team, class T>
__device__ void grid_hartley(Team team, T *y, const T *x, T *work, u32 outer, u32 n, u32 inner, u32 width,
                             bool is_first, bool is_last, double scale) {
    grid::Complex<T> *const numbers = (grid::Complex<T> *)work;
    const grid::Axis axis{outer, n, inner};
    grid::lines(
        team, numbers + (i64)outer * n * inner, axis, width, [](u32 i) { return i; },
        [=](u32 line, u32 i) {
            const i64 at = axis.at(line, i);
            return is_first ? grid::Complex<T>{x[at], (T)0} : numbers[at];
        },
        [=](u32 line, u32 k, const grid::Complex<T> *column) {
            const grid::Complex<T> v = column[(i64)k * width];
            const i64 to = axis.at(line, k);
            if (is_last) {
                y[to] = (v.re - v.im) * (T)scale;
            } else {
                numbers[to] = v;
            }
        });
}
