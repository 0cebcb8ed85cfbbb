// A product that is too small for a library: y = a·b, with the strides of a row and of a column of a and of b,
// so that either may be transposed. T is float or double.
//
//     matmul        a thread takes an element of y, and adds its `inner` products to +0 in order, by one rounding
//                   each (fma)
//     matmul_lanes  a warp takes it, a lane every 32nd product: where rows of a and columns of b lie in one piece and
//                   there are fewer elements than threads, or b is a vector, so that reads are whole lines
#pragma once
#include "tree.cuh"

template <class Team, class T>
__device__ void matmul(Team team, T *y, const T *a, const T *b, i64 rows, i64 inner, i64 columns, i64 a_row,
                       i64 a_column, i64 b_row, i64 b_column) {
    for (i64 i = first_element(team); i < rows * columns; i += element_stride(team)) {
        const T *const left = a + i / columns * a_row;
        const T *const right = b + i % columns * b_column;
        T sum = (T)0;
        for (i64 k = 0; k < inner; k++) {
            sum = fma(left[k * a_column], right[k * b_row], sum);
        }
        y[i] = sum;
    }
}

template <class Team, class T>
__device__ void matmul_lanes(Team team, T *y, const T *a, const T *b, i64 rows, i64 inner, i64 columns, i64 a_row,
                             i64 b_column) {
    for (i64 i = (i64)team.block() * WARPS + warp_of_thread(); i < rows * columns; i += (i64)team.blocks() * WARPS) {
        const T *const left = a + i / columns * a_row;
        const T *const right = b + i % columns * b_column;
        T lane = (T)0;
        for (i64 k = lane_of_thread(); k < inner; k += WARP) {
            lane = fma(left[k], right[k], lane);
        }
        lane = fold_lanes<Sum>(lane);
        if (lane_of_thread() == 0) {
            y[i] = lane;
        }
    }
}
