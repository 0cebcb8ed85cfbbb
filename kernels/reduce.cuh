// Reductions along axes, by the processor's definitions (src/exec/cpu/reduce.rs):
//
//     Sum        Σx, by the tree                  Max, Min   the extreme; NaN if any is
//     LogSumExp  m + log Σ e^(x − m), m = max x   Norm2      m √Σ(x/m)², m = max |x|
//
// Sum, LogSumExp and Norm2 have the processor's bits; Max and Min its values (see tree.cuh for zeros). Of no
// elements: 0, −∞, ∞, −∞, 0. T is float or double; for Sum u32 too, modulo 2³².
//
//     reduce_regular    result o·inner + i combines x[(o·reduced + r)·inner + i], r < reduced
//     reduce_scattered  result k combines x[kept[k] + offsets[r]]; the offsets lie in global memory
//     reduce_long       as reduce_regular, of few results with many elements each, which all blocks share
//
// reduce_regular and reduce_scattered read x once for Sum, Max and Min and twice else. Work is dealt out by
// result: a thread takes one where rows are short or results many; a warp, or a block, where elements lie
// together; a block 32 neighbours else, so that reads are whole lines where inner ≥ 32.
//
// reduce_long needs `parts`, long_parts(outer·inner, reduced) elements for each result, and a counter as
// arrive_last does (fold.cuh). It pays where outer·inner is below the number of blocks and reduced above 2048.
// LogSumExp and Norm2 take two launches: reduce_long_extreme<R> leaves m of each result in `most`, then
// reduce_long_terms<R> makes the results of it.
#pragma once
#include "fold.cuh"
#include "math.cuh"

struct LogSumExp {};
struct Norm2 {};

// What a reducer does beside its sum: the extreme that scales the terms, the terms, and the result.
template <class R> struct Scaled {
    static constexpr bool TERMS = false;
};
template <> struct Scaled<LogSumExp> {
    static constexpr bool TERMS = true;
    template <class T> static __device__ T size(T x) { return x; }
    template <class T> static __device__ T start() { return -Limits<T>::infinity(); }
    template <class T> static __device__ T term(T x, T most) { return op_exp(x - most); }
    template <class T> static __device__ bool needs_terms(T most) { return finite(most); }
    template <class T> static __device__ T close(T most, T sum) { return most + op_log(sum); }
};
template <> struct Scaled<Norm2> {
    static constexpr bool TERMS = true;
    template <class T> static __device__ T size(T x) { return op_abs(x); }
    template <class T> static __device__ T start() { return (T)0; }
    template <class T> static __device__ T term(T x, T most) { return (x / most) * (x / most); }
    template <class T> static __device__ bool needs_terms(T most) { return finite(most) && most > (T)0; }
    template <class T> static __device__ T close(T most, T sum) { return most * op_sqrt(sum); }
};

namespace reduction {

// Rows of up to so many elements that lie together are a thread's; longer ones a warp's, then a block's.
constexpr i64 THREAD_ROW = 32;
constexpr i64 WARP_ROW = 1024;
// Results from which threads have enough to do by one each.
constexpr i64 MANY = 1 << 16;
// The longest that a thread takes: as many pending nodes as fit in shared memory for each thread.
constexpr i64 THREAD_LEVELS = SHARED / (THREADS * sizeof(double));
constexpr i64 THREAD_MOST = (i64)BLOCK << (THREAD_LEVELS - 1);

// Who takes a tree: a thread, whose pending nodes lie in its own column of `shared`, …
struct Thread {
    void *shared;
    i64 n;

    template <class R, class T, class F> __device__ T tree(F x) const {
        if (n <= BLOCK) {
            return thread_block<R, T>(x, 0, n);
        }
        Carry<R, T> carry = {(T *)shared + threadIdx.x, THREADS, 0};
        for (i64 start = 0; start < n; start += BLOCK) {
            carry.push(thread_block<R, T>(x, start, n));
        }
        return carry.finish();
    }
};

// … a warp, …
struct Warp {
    i64 n;

    template <class R, class T, class F> __device__ T tree(F x) const {
        return __shfl_sync(ALL_LANES, warp_tree<R, T>(x, 0, n), 0);
    }
};

// … or a block of threads. All that take it get the result.
struct Block {
    void *shared;
    i64 n;

    template <class R, class T, class F> __device__ T tree(F x) const { return block_tree<R, T>(shared, x, n); }
};

// The greatest size of the elements that a reducer scales its terms by, from that of them all: of none it is a
// start.
template <class R, class T> __device__ T most_of(T extreme) {
    const T start = Scaled<R>::template start<T>();
    return extreme < start ? start : extreme;
}

// The result of elements x(r).
template <class R, class T, class F, class Who> __device__ T combine(F x, Who who) {
    if constexpr (Scaled<R>::TERMS) {
        typedef Scaled<R> S;
        const T most = most_of<R>(who.template tree<Max, T>([=](i64 r) { return S::size(x(r)); }));
        if (!S::needs_terms(most)) {
            return most;
        }
        return S::close(most, who.template tree<Sum, T>([=](i64 r) { return S::term(x(r), most); }));
    } else {
        return who.template tree<R, T>(x);
    }
}

// `row(k)` is what gives the elements of result k.
template <class R, class Team, class T, class Rows>
__device__ void by_thread(Team team, void *shared, T *y, i64 results, i64 n, Rows row) {
    for (i64 k = first_element(team); k < results; k += element_stride(team)) {
        y[k] = combine<R, T>(row(k), Thread{shared, n});
    }
}

template <class R, class Team, class T, class Rows>
__device__ void by_warp(Team team, T *y, i64 results, i64 n, Rows row) {
    for (i64 k = (i64)team.block() * WARPS + warp_of_thread(); k < results; k += (i64)team.blocks() * WARPS) {
        const T result = combine<R, T>(row(k), Warp{n});
        if (lane_of_thread() == 0) {
            y[k] = result;
        }
    }
}

template <class R, class Team, class T, class Rows>
__device__ void by_block(Team team, void *shared, T *y, i64 results, i64 n, Rows row) {
    for (i64 k = team.block(); k < results; k += team.blocks()) {
        const T result = combine<R, T>(row(k), Block{shared, n});
        if (threadIdx.x == 0) {
            y[k] = result;
        }
    }
}

// The node of rows 0 … n−1 of 32 columns, by a block: the calling lane's column, all warps the same. `x(r)` is
// of that column. Each warp takes of a block of the tree the lanes w, w + 8, w + 16, w + 24, which fold to
// one; the warps' eight fold in shared memory. All threads get the result; `shared` may be overwritten at once.
template <class R, class T, class F> __device__ T column_tree(void *shared, F x, i64 n) {
    const u32 w = warp_of_thread();
    T *const eighths = (T *)shared + lane_of_thread();
    // A warp for each; the pending nodes of all are the last warp's.
    Carry<R, T> carry = {(T *)shared + 2 * THREADS + lane_of_thread(), WARP, 0};
    static_assert(2 * THREADS * sizeof(double) + 32 * WARP * sizeof(double) <= SHARED, "32 pending nodes fit");
    u32 half = 0;
    for (i64 start = 0; start < n; start += BLOCK) {
        const i64 stop = least(n, start + BLOCK);
        T lane[4];
#pragma unroll
        for (u32 quarter = 0; quarter < 4; quarter++) {
            lane[quarter] = R::template start<T>();
            const i64 first = start + w + 8 * quarter;
            if (stop - start == BLOCK) {
#pragma unroll
                for (u32 k = 0; k < BLOCK / WARP; k++) {
                    lane[quarter] = R::join(lane[quarter], (T)x(first + k * WARP));
                }
            } else {
                for (i64 r = first; r < stop; r += WARP) {
                    lane[quarter] = R::join(lane[quarter], (T)x(r));
                }
            }
        }
        eighths[half + w * WARP] = R::join(R::join(lane[0], lane[2]), R::join(lane[1], lane[3]));
        __syncthreads();
        if (w == WARPS - 1) {
            const T *const e = eighths + half;
            const T a = R::join(R::join(e[0 * WARP], e[4 * WARP]), R::join(e[2 * WARP], e[6 * WARP]));
            const T b = R::join(R::join(e[1 * WARP], e[5 * WARP]), R::join(e[3 * WARP], e[7 * WARP]));
            carry.push(R::join(a, b));
        }
        // The other half is not read any more once all have passed the barrier.
        half = THREADS - half;
    }
    __syncthreads();
    if (w == WARPS - 1) {
        eighths[0] = carry.finish();
    }
    __syncthreads();
    const T result = eighths[0];
    __syncthreads();
    return result;
}

template <class R, class Team, class T, class Rows>
__device__ void by_columns(Team team, void *shared, T *y, i64 results, i64 n, Rows row) {
    for (i64 first = (i64)team.block() * WARP; first < results; first += (i64)team.blocks() * WARP) {
        const i64 k = first + lane_of_thread();
        // Lanes past the end do as the last does, and write nothing. Lanes may differ in whether they need
        // terms, but not in the barriers that they meet: the trees are taken by all.
        const auto x = row(least(k, results - 1));
        T result;
        if constexpr (Scaled<R>::TERMS) {
            typedef Scaled<R> S;
            const T most = most_of<R>(column_tree<Max, T>(shared, [=](i64 r) { return S::size(x(r)); }, n));
            const T sum = column_tree<Sum, T>(shared, [=](i64 r) { return S::term(x(r), most); }, n);
            result = S::needs_terms(most) ? S::close(most, sum) : most;
        } else {
            result = column_tree<R, T>(shared, x, n);
        }
        if (k < results && warp_of_thread() == 0) {
            y[k] = result;
        }
    }
}

} // namespace reduction

template <class R, class Team, class T>
__device__ void reduce_regular(Team team, void *shared, T *y, const T *x, i64 outer, i64 reduced, i64 inner) {
    const i64 results = outer * inner;
    const auto row = [=](i64 k) {
        const T *const first = x + (inner == 1 ? k * reduced : k / inner * reduced * inner + k % inner);
        return [=](i64 r) { return first[r * inner]; };
    };
    const bool few = reduced <= reduction::THREAD_ROW;
    if (few || (inner > 1 && results >= reduction::MANY && reduced <= reduction::THREAD_MOST)) {
        reduction::by_thread<R>(team, shared, y, results, reduced, row);
    } else if (inner > 1) {
        reduction::by_columns<R>(team, shared, y, results, reduced, row);
    } else if (reduced <= reduction::WARP_ROW || (reduced <= WARP * BLOCK && results >= reduction::MANY)) {
        reduction::by_warp<R>(team, y, results, reduced, row);
    } else {
        reduction::by_block<R>(team, shared, y, results, reduced, row);
    }
}

template <class R, class Team, class T>
__device__ void reduce_scattered(Team team, void *shared, T *y, const T *x, const u32 *kept, i64 n_kept,
                                 const u32 *offsets, i64 n_offsets) {
    const auto row = [=](i64 k) {
        const T *const first = x + kept[k];
        return [=](i64 r) { return first[offsets[r]]; };
    };
    const bool few = n_offsets <= reduction::THREAD_ROW;
    if (few || (n_kept >= reduction::MANY && n_offsets <= reduction::THREAD_MOST)) {
        reduction::by_thread<R>(team, shared, y, n_kept, n_offsets, row);
    } else {
        reduction::by_columns<R>(team, shared, y, n_kept, n_offsets, row);
    }
}

// Elements of a part of a long row: a power of two tiles, so that a part is a node, and so many that all results
// have at most 4096 parts, or one each.
__device__ constexpr i64 long_part(i64 results, i64 reduced) {
    i64 part = TILE;
    while (part < reduced && results * div_up(reduced, part) > 4096) {
        part *= 2;
    }
    return part;
}

// Parts of a result.
__device__ constexpr i64 long_parts(i64 results, i64 reduced) { return div_up(reduced, long_part(results, reduced)); }

namespace reduction {

// Trees of what term(k, element) makes of the elements of result k; then close(k, tree) is the result.
template <class R, class Team, class T, class Term, class Close>
__device__ void shared_rows(Team team, void *shared, T *y, const T *x, i64 outer, i64 reduced, i64 inner, T *parts,
                            u32 *counter, Term term, Close close) {
    const i64 results = outer * inner;
    const i64 part = long_part(results, reduced);
    const i64 count = div_up(reduced, part);
    if (inner == 1) {
        for (i64 unit = team.block(); unit < results * count; unit += team.blocks()) {
            const i64 k = unit / count;
            const i64 start = unit % count * part;
            const T *const first = x + k * reduced + start;
            const T node = block_tree<R, T>(
                shared, [=](i64 r) { return term(k, first[r]); }, least(part, reduced - start));
            if (threadIdx.x == 0) {
                parts[unit] = node;
            }
        }
        if (arrive_last(team, shared, counter)) {
            for (i64 k = 0; k < results; k++) {
                const T tree = combine_nodes<R>(parts + k * count, count);
                if (threadIdx.x == 0) {
                    y[k] = close(k, tree);
                }
            }
        }
    } else {
        // 32 neighbours and a part of their rows at a time. The parts of a result lie `results` apart.
        const i64 strips = div_up(results, WARP);
        for (i64 unit = team.block(); unit < strips * count; unit += team.blocks()) {
            const i64 k = unit % strips * WARP + lane_of_thread();
            const i64 of = least(k, results - 1);
            const i64 start = unit / strips * part;
            const T *const first = x + (of / inner * reduced + start) * inner + of % inner;
            const T node = column_tree<R, T>(
                shared, [=](i64 r) { return term(of, first[r * inner]); }, least(part, reduced - start));
            if (k < results && warp_of_thread() == 0) {
                parts[unit / strips * results + k] = node;
            }
        }
        if (arrive_last(team, shared, counter)) {
            for (i64 stride = 1; stride < count; stride *= 2) {
                const i64 pairs = div_up(count - stride, 2 * stride);
                for (i64 u = threadIdx.x; u < pairs * results; u += THREADS) {
                    T *const left = parts + u / results * 2 * stride * results + u % results;
                    *left = R::join(*left, left[stride * results]);
                }
                __syncthreads();
            }
            for (i64 k = threadIdx.x; k < results; k += THREADS) {
                y[k] = close(k, count > 0 ? parts[k] : R::template start<T>());
            }
        }
    }
}

} // namespace reduction

// R is Sum, Max or Min.
template <class R, class Team, class T>
__device__ void reduce_long(Team team, void *shared, T *y, const T *x, i64 outer, i64 reduced, i64 inner, T *parts,
                            u32 *counter) {
    reduction::shared_rows<R>(
        team, shared, y, x, outer, reduced, inner, parts, counter, [](i64, T x) { return x; },
        [](i64, T tree) { return tree; });
}

// R is LogSumExp or Norm2. First m of each result …
template <class R, class Team, class T>
__device__ void reduce_long_extreme(Team team, void *shared, T *most, const T *x, i64 outer, i64 reduced, i64 inner,
                                    T *parts, u32 *counter) {
    typedef Scaled<R> S;
    reduction::shared_rows<Max>(
        team, shared, most, x, outer, reduced, inner, parts, counter, [](i64, T x) { return S::size(x); },
        [](i64, T extreme) { return reduction::most_of<R>(extreme); });
}

// … then, in a later launch, the results.
template <class R, class Team, class T>
__device__ void reduce_long_terms(Team team, void *shared, T *y, const T *x, i64 outer, i64 reduced, i64 inner,
                                  const T *most, T *parts, u32 *counter) {
    typedef Scaled<R> S;
    reduction::shared_rows<Sum>(
        team, shared, y, x, outer, reduced, inner, parts, counter, [=](i64 k, T x) { return S::term(x, most[k]); },
        [=](i64 k, T sum) { return S::needs_terms(most[k]) ? S::close(most[k], sum) : most[k]; });
}
