#pragma once
#include "common.cuh"
template <class Team, class T>
__device__ void matmul(Team team, void *, T *y, const T *a, const T *b, i64 rows, i64 inner, i64 columns, i64 ar, i64 ac, i64 br, i64 bc) {
    for (i64 i = first_element(team); i < rows * columns; i += element_stride(team)) {
        const T *x = a + i / columns * ar;
        const T *z = b + i % columns * bc;
        T sum = 0;
        for (i64 k = 0; k < inner; k++) sum += x[k * ac] * z[k * br];
        y[i] = sum;
    }
}
