// Products of a sparse matrix by compressed rows with a vector, or with the columns of a matrix, with the bits
// of the processor's (src/exec/cpu/sparse.rs): each result adds its row's products to +0 in order of the entries.
//
//     sparse_multiply             y[r·width + k] = Σ values[e]·x[columns[e]·width + k], starts[r] ≤ e < starts[r + 1]
//     sparse_multiply_transposed  the same with the transposed matrix, y[c·width + k], of entries in row order
//
// The transposed product takes the matrix by columns: starts[c] … starts[c + 1] are, in `rows` and `entries`,
// the rows and the positions in `values` of column c's entries, in ascending order of position. The host makes
// that once (a stable counting sort of the entries by column); 4 bytes a column and 8 an entry.
//
// A vector: a block takes as many rows as it has its share of, at most one a thread; all threads multiply a
// stretch of entries into shared memory, from which each row's thread adds its own. So reads of the matrix are
// whole lines for rows of any length. A matrix x: a thread a result.
#pragma once
#include "tree.cuh"

namespace sparse {

// Of result rows `first …`, by a block. `product(e)` is an entry's product.
template <class T, class F>
__device__ void rows_of_block(T *products, T *y, const u32 *starts, i64 first, i64 rows, F product) {
    constexpr i64 STRETCH = SHARED / sizeof(T);
    const bool owns = threadIdx.x < rows;
    const i64 begin = starts[first];
    const i64 end = starts[first + rows];
    i64 at = owns ? starts[first + threadIdx.x] : end;
    const i64 stop = owns ? starts[first + threadIdx.x + 1] : end;
    T sum = (T)0;
    for (i64 start = begin; start < end; start += STRETCH) {
        const i64 stretch = least(STRETCH, end - start);
        for (i64 e = threadIdx.x; e < stretch; e += THREADS) {
            products[e] = product(start + e);
        }
        __syncthreads();
        for (; at < least(stop, start + stretch); at++) {
            sum = sum + products[at - start];
        }
        __syncthreads();
    }
    if (owns) {
        y[first + threadIdx.x] = sum;
    }
}

// `entry(e)` is the value of an entry, from[e] the row of x that it multiplies.
template <class Team, class T, class F>
__device__ void multiply(Team team, void *shared, T *y, const u32 *starts, const u32 *from, F entry, const T *x,
                         i64 rows, i64 width) {
    if (width == 1) {
        const i64 share = least((i64)THREADS, div_up(rows, team.blocks()));
        for (i64 first = team.block() * share; first < rows; first += team.blocks() * share) {
            rows_of_block((T *)shared, y, starts, first, least(share, rows - first),
                          [=](i64 e) { return entry(e) * x[from[e]]; });
        }
    } else {
        for (i64 i = first_element(team); i < rows * width; i += element_stride(team)) {
            const i64 row = i / width;
            const T *const column = x + i % width;
            const u32 end = starts[row + 1];
            T sum = (T)0;
            for (u32 e = starts[row]; e < end; e++) {
                sum = sum + entry(e) * column[from[e] * width];
            }
            y[i] = sum;
        }
    }
}

} // namespace sparse

template <class Team, class T>
__device__ void sparse_multiply(Team team, void *shared, T *y, const u32 *starts, const u32 *columns, const T *values,
                                const T *x, i64 rows, i64 width) {
    sparse::multiply(team, shared, y, starts, columns, [=](i64 e) { return values[e]; }, x, rows, width);
}

// `columns` counts the rows of y.
template <class Team, class T>
__device__ void sparse_multiply_transposed(Team team, void *shared, T *y, const u32 *starts, const u32 *rows,
                                           const u32 *entries, const T *values, const T *x, i64 columns, i64 width) {
    sparse::multiply(team, shared, y, starts, rows, [=](i64 e) { return values[entries[e]]; }, x, columns, width);
}
