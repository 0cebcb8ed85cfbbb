// A product that is too small for a library: y = a·b, with the strides of a row and of a column of a and of b,
// so that either may be transposed. T is float or double.
//
// A thread takes an element of y and adds its `inner` products to +0 in order, by one rounding each (fma).
#pragma once
#include "common.cuh"

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
