// Positions along an axis: y[(o·extent + k)·inner + i] = k, for y of n elements. Element by element; y is
// written once.
#pragma once
#include "common.cuh"

template <class Team> __device__ void iota(Team team, u32 *y, i64 n, i64 extent, i64 inner) {
    for (i64 i = first_element(team); i < n; i += element_stride(team)) {
        y[i] = (u32)(i / inner % extent);
    }
}
