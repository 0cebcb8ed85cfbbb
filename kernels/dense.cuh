// Cholesky's factor of a symmetric matrix, and systems solved by it (Op::Cholesky, Op::CholeskySolve). Matrices
// lie by rows; T is float or double.
//
//     cholesky        L, lower, zeros above, with L Lᵀ = A; of A the lower triangle is read. NaN throughout
//                     where a pivot is not positive
//     cholesky_solve  x with L Lᵀ x = b, for each of the columns of b
//
// A factor is one block's work: it takes columns from the left, each with three barriers, n³/3 multiplications
// in all. A solve takes a block a column, with 4n barriers and 2n² multiplications; L is read twice, once
// along its columns. These are for matrices so small that a launch or two of a library would cost more.
#pragma once
#include "common.cuh"

template <class Team, class T> __device__ void cholesky(Team team, void *shared, T *l, const T *a, i64 n) {
    if (team.block() != 0) {
        return;
    }
    T *const pivot = (T *)shared;
    for (i64 at = threadIdx.x; at < n * n; at += THREADS) {
        l[at] = at % n <= at / n ? a[at] : (T)0;
    }
    __syncthreads();
    for (i64 j = 0; j < n; j++) {
        if (threadIdx.x == 0) {
            *pivot = l[j * n + j];
        }
        __syncthreads();
        const T square = *pivot;
        // All threads find the same.
        if (!(square > (T)0 && square < Limits<T>::infinity())) {
            for (i64 at = threadIdx.x; at < n * n; at += THREADS) {
                l[at] = Limits<T>::nan();
            }
            __syncthreads();
            return;
        }
        const T root = sqrt(square);
        for (i64 i = j + threadIdx.x; i < n; i += THREADS) {
            l[i * n + j] = i == j ? root : l[i * n + j] / root;
        }
        __syncthreads();
        const i64 below = n - j - 1;
        for (i64 at = threadIdx.x; at < below * below; at += THREADS) {
            const i64 i = j + 1 + at / below;
            const i64 k = j + 1 + at % below;
            if (k <= i) {
                l[i * n + k] -= l[i * n + j] * l[k * n + j];
            }
        }
        __syncthreads();
    }
}

template <class Team, class T>
__device__ void cholesky_solve(Team team, T *x, const T *l, const T *b, i64 n, i64 columns) {
    for (i64 column = team.block(); column < columns; column += team.blocks()) {
        T *const y = x + column;
        for (i64 i = threadIdx.x; i < n; i += THREADS) {
            y[i * columns] = b[i * columns + column];
        }
        __syncthreads();
        // L z = b, then Lᵀ x = z.
        for (i64 j = 0; j < n; j++) {
            if (threadIdx.x == 0) {
                y[j * columns] /= l[j * n + j];
            }
            __syncthreads();
            const T known = y[j * columns];
            for (i64 i = j + 1 + threadIdx.x; i < n; i += THREADS) {
                y[i * columns] -= l[i * n + j] * known;
            }
            __syncthreads();
        }
        for (i64 j = n - 1; j >= 0; j--) {
            if (threadIdx.x == 0) {
                y[j * columns] /= l[j * n + j];
            }
            __syncthreads();
            const T known = y[j * columns];
            for (i64 i = threadIdx.x; i < j; i += THREADS) {
                y[i * columns] -= l[j * n + i] * known;
            }
            __syncthreads();
        }
    }
}
