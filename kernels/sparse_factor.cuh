// The factor LDLᵀ of a sparse symmetric matrix, definite or quasi-definite, and systems solved by it
// (Op::SparseFactor, Op::SparseSolve). Where the entries lie is a table made with the program
// (src/exec/cuda/levels.rs), numbers come and go. T is float or double.
//
//     sparse_factor  l from the entries of the lower triangle: the columns of the factor one behind the other,
//                    each its pivot and then what is below it. NaN throughout unless `negative` pivots are
//                    below zero and the others above
//     sparse_solve   x with P LDLᵀ Pᵀ x = b, for each of the columns of b
//
// Columns are numbered by their level in the elimination tree, in which a column needs those of lower levels
// only (Liu, The role of elimination trees in sparse factorization, 1990). One block makes a factor, a level at
// a time, with two barriers each: a thread takes an entry and adds up what the columns before it change there,
// for which it looks the entry up in each, by bisection. So no two threads write one number, and sums have an
// order of their own. A solve takes a block a column of b: a level at a time up the tree by rows and down by
// columns, with a barrier each; the factor is read once each way, 8 + 2·sizeof(T) bytes an entry.
#pragma once
#include "tree.cuh"

struct SparsePattern {
    const u32 *table;
    u32 n;
    u32 entries;
    u32 levels;

    // The row of the matrix that a row of the factor is.
    __device__ u32 order(u32 i) const { return table[i]; }
    // Where each column's entries start, and each entry's row, column and source: its entry of the matrix, or NONE.
    __device__ const u32 *starts() const { return table + n; }
    __device__ const u32 *rows() const { return starts() + n + 1; }
    __device__ const u32 *columns() const { return rows() + entries; }
    __device__ const u32 *source() const { return columns() + entries; }
    // Where each row's entries start, left of the pivot; each one's column, and its place among the columns'.
    __device__ const u32 *row_starts() const { return source() + entries; }
    __device__ const u32 *row_columns() const { return row_starts() + n + 1; }
    __device__ const u32 *row_entries() const { return row_columns() + (entries - n); }
    // The first column of each level.
    __device__ const u32 *level() const { return row_entries() + (entries - n); }
};

namespace sparse {

constexpr u32 NONE = 0xffffffffu;

// Rows of a level up to which a warp takes one; where there are more, a thread does.
constexpr u32 WIDE = 4 * WARPS;

// The place of `row` among the ascending rows[first … end), or `end`.
__device__ inline u32 find(const u32 *rows, u32 first, u32 end, u32 row) {
    u32 low = first;
    u32 high = end;
    while (low < high) {
        const u32 middle = low + (high - low) / 2;
        if (rows[middle] < row) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < end && rows[low] == row ? low : end;
}

// For every column i of a level, first ≤ i < end, what `term(r)` adds up to over `range(i)`; one thread calls
// `set(i, sum)`. A barrier lies behind it.
template <class T, class R, class F, class S>
__device__ void sums_of_level(u32 first, u32 end, R range, F term, S set) {
    if (end - first > WIDE) {
        for (u32 i = first + threadIdx.x; i < end; i += THREADS) {
            const uint2 terms = range(i);
            T sum = (T)0;
            for (u32 r = terms.x; r < terms.y; r++) {
                sum = sum + term(r);
            }
            set(i, sum);
        }
    } else {
        for (u32 i = first + warp_of_thread(); i < end; i += WARPS) {
            const uint2 terms = range(i);
            T lane = (T)0;
            for (u32 r = terms.x + lane_of_thread(); r < terms.y; r += WARP) {
                lane = lane + term(r);
            }
            lane = fold_lanes<Sum>(lane);
            if (lane_of_thread() == 0) {
                set(i, lane);
            }
        }
    }
    __syncthreads();
}

} // namespace sparse

// `l` has `len` numbers, at least the entries of the factor.
template <class Team, class T>
__device__ void sparse_factor(Team team, T *l, const T *values, SparsePattern pattern, u32 negative, i64 len) {
    if (team.block() != 0) {
        return;
    }
    const u32 *const starts = pattern.starts();
    const u32 *const rows = pattern.rows();
    const u32 *const columns = pattern.columns();
    for (u32 level = 0; level < pattern.levels; level++) {
        const u32 first = starts[pattern.level()[level]];
        const u32 end = starts[pattern.level()[level + 1]];
        for (u32 e = first + threadIdx.x; e < end; e += THREADS) {
            const u32 i = rows[e];
            const u32 j = columns[e];
            const u32 source = pattern.source()[e];
            T entry = source == sparse::NONE ? (T)0 : values[source];
            for (u32 r = pattern.row_starts()[j]; r < pattern.row_starts()[j + 1]; r++) {
                const u32 k = pattern.row_columns()[r];
                const u32 at = pattern.row_entries()[r];
                const u32 stop = starts[k + 1];
                const u32 other = i == j ? at : sparse::find(rows, at, stop, i);
                if (other < stop) {
                    entry -= l[other] * (l[at] * l[starts[k]]);
                }
            }
            l[e] = entry;
        }
        __syncthreads();
        for (u32 e = first + threadIdx.x; e < end; e += THREADS) {
            const u32 pivot = starts[columns[e]];
            if (e != pivot) {
                l[e] /= l[pivot];
            }
        }
        __syncthreads();
    }
    u32 below = 0;
    u32 above = 0;
    for (u32 start = 0; start < pattern.n; start += THREADS) {
        const u32 j = start + threadIdx.x;
        const T pivot = j < pattern.n ? l[starts[j]] : (T)0;
        below += __syncthreads_count(pivot < (T)0);
        above += __syncthreads_count(pivot > (T)0 && pivot < Limits<T>::infinity());
    }
    // All threads find the same.
    const bool is_factor = below == negative && above + below == pattern.n;
    for (i64 e = threadIdx.x; e < len; e += THREADS) {
        if (!is_factor) {
            l[e] = Limits<T>::nan();
        } else if (e >= pattern.entries) {
            l[e] = (T)0;
        }
    }
    __syncthreads();
}

template <class Team, class T>
__device__ void sparse_solve(Team team, T *x, const T *l, const T *b, SparsePattern pattern, i64 width) {
    const u32 *const starts = pattern.starts();
    for (i64 column = team.block(); column < width; column += team.blocks()) {
        const auto at = [=](u32 i) { return pattern.order(i) * width + column; };
        for (u32 level = 0; level < pattern.levels; level++) {
            sparse::sums_of_level<T>(
                pattern.level()[level], pattern.level()[level + 1],
                [=](u32 i) { return make_uint2(pattern.row_starts()[i], pattern.row_starts()[i + 1]); },
                [=](u32 r) { return l[pattern.row_entries()[r]] * x[at(pattern.row_columns()[r])]; },
                [=](u32 i, T sum) { x[at(i)] = b[at(i)] - sum; });
        }
        for (u32 level = pattern.levels; level-- > 0;) {
            sparse::sums_of_level<T>(
                pattern.level()[level], pattern.level()[level + 1],
                [=](u32 i) { return make_uint2(starts[i] + 1, starts[i + 1]); },
                [=](u32 e) { return l[e] * x[at(pattern.rows()[e])]; },
                [=](u32 i, T sum) { x[at(i)] = x[at(i)] / l[starts[i]] - sum; });
        }
    }
}
