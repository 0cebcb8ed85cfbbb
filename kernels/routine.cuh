// What stands around a routine of cuSOLVER: it overwrites its matrix, takes it by columns, and may do anything
// where an element is not finite. So its matrix is copied, zeroed where that is so, and its results are brought
// into the tape's order, or NaN throughout where it failed. T is float or double.
//
//     routine_begin   before all: nothing has gone wrong
//     routine_matrix  copies a matrix, or its lower triangle with zeros above, by rows or by columns
//     routine_blank   zeroes it where an element was not finite
//     routine_end     NaN throughout where the routine failed
//     eigen_end       eigenvalues, and under them the vectors as columns
//     psd_scale       the vectors as rows, each times the root of its value: Vᵀ times it is the square root
//     svd_end         singular values, and under them both sides' vectors as columns
//
// `state` has two words: whether an element was not finite, and what the routine said, 0 for success. Matrices
// are read and written once each, transposed ones with lines of the result whole.
#pragma once
#include "common.cuh"

__device__ inline bool routine_failed(const u32 *state) {
    return state[0] != 0 || state[1] != 0;
}

template <class Team> __device__ void routine_begin(Team team, u32 *state) {
    if (team.block() == 0 && threadIdx.x < 2) {
        state[threadIdx.x] = 0;
    }
}

// Of the matrix by rows; the copy is by rows, or by columns where it is `turned`.
template <class Team, class T>
__device__ void routine_matrix(Team team, T *to, const T *from, i64 rows, i64 columns, bool turned, bool lower,
                               u32 *state) {
    bool is_odd = false;
    for (i64 at = first_element(team); at < rows * columns; at += element_stride(team)) {
        const i64 i = turned ? at % rows : at / columns;
        const i64 j = turned ? at / rows : at % columns;
        const bool is_part = !lower || j <= i;
        const T x = is_part ? from[i * columns + j] : (T)0;
        to[at] = x;
        // NaN is not less either.
        is_odd = is_odd || !(x < Limits<T>::infinity() && x > -Limits<T>::infinity());
    }
    if (__syncthreads_or(is_odd) && threadIdx.x == 0) {
        atomicOr(&state[0], 1);
    }
}

template <class Team, class T> __device__ void routine_blank(Team team, T *matrix, i64 len, const u32 *state) {
    if (state[0] != 0) {
        for (i64 at = first_element(team); at < len; at += element_stride(team)) {
            matrix[at] = (T)0;
        }
    }
}

template <class Team, class T> __device__ void routine_end(Team team, T *y, i64 len, const u32 *state) {
    if (routine_failed(state)) {
        for (i64 at = first_element(team); at < len; at += element_stride(team)) {
            y[at] = Limits<T>::nan();
        }
    }
}

// `rows` of them: 1 for the values alone, n + 1 with the vectors, which lie one behind the other.
template <class Team, class T>
__device__ void eigen_end(Team team, T *y, const T *values, const T *vectors, i64 rows, i64 n, const u32 *state) {
    const bool failed = routine_failed(state);
    for (i64 at = first_element(team); at < rows * n; at += element_stride(team)) {
        const i64 i = at / n;
        const i64 k = at % n;
        y[at] = failed ? Limits<T>::nan() : i == 0 ? values[k] : vectors[k * n + i - 1];
    }
}

template <class Team, class T>
__device__ void psd_scale(Team team, T *to, const T *values, const T *vectors, i64 n) {
    for (i64 at = first_element(team); at < n * n; at += element_stride(team)) {
        const T value = values[at / n];
        to[at] = value > (T)0 ? sqrt(value) * vectors[at] : (T)0;
    }
}

// Of a matrix of `rows` and `columns`. `longer` are the vectors of its longer side, one behind the other, `shorter`
// those of the other, by rows.
template <class Team, class T>
__device__ void svd_end(Team team, T *y, const T *values, const T *longer, const T *shorter, i64 rows, i64 columns,
                        const u32 *state) {
    const bool tall = rows > columns;
    const i64 few = tall ? columns : rows;
    const i64 many = tall ? rows : columns;
    const bool failed = routine_failed(state);
    for (i64 at = first_element(team); at < (1 + rows + columns) * few; at += element_stride(team)) {
        const i64 row = at / few - 1;
        const i64 k = at % few;
        T x;
        if (failed) {
            x = Limits<T>::nan();
        } else if (row < 0) {
            x = values[k];
        } else if (tall) {
            x = row < rows ? longer[k * many + row] : shorter[(row - rows) * few + k];
        } else {
            x = row < rows ? shorter[row * few + k] : longer[k * many + row - rows];
        }
        y[at] = x;
    }
}
