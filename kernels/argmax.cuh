// Positions of the greatest elements of rows: the first at a tie; a NaN counts as greatest, the first of them.
// The same as the processor's (src/exec/cpu/movement.rs), whatever the mapping.
//
// Rows lie one after the other, `row` ≥ 1 elements each, row < 2³². A thread takes a short row, a warp a longer
// one, a block the longest. x is read once.
#pragma once
#include "tree.cuh"

namespace argmax_of {

template <class T> struct Best {
    T value;
    u32 at;
};

// Of two, the greater, or the first where they tie: a total order but for equal positions.
template <class T> __device__ Best<T> better(Best<T> a, Best<T> b) {
    const bool a_nan = a.value != a.value;
    const bool b_nan = b.value != b.value;
    const bool ties = a.value == b.value || (a_nan && b_nan);
    const bool greater = b_nan ? !a_nan : b.value > a.value;
    return greater || (ties && b.at < a.at) ? b : a;
}

// Elements first, first + step, … of the row; at least one.
template <class T> __device__ Best<T> along(const T *x, i64 first, i64 step, i64 row) {
    Best<T> best = {x[first], (u32)first};
    for (i64 i = first + step; i < row; i += step) {
        best = better(best, {x[i], (u32)i});
    }
    return best;
}

// The best of a warp's lanes; valid in lane 0.
template <class T> __device__ Best<T> of_lanes(Best<T> best) {
    for (u32 half = WARP / 2; half > 0; half /= 2) {
        const T value = __shfl_down_sync(ALL_LANES, best.value, half);
        const u32 at = __shfl_down_sync(ALL_LANES, best.at, half);
        best = better(best, {value, at});
    }
    return best;
}

constexpr i64 THREAD_ROW = 32;
constexpr i64 WARP_ROW = 1024;

} // namespace argmax_of

template <class Team, class T>
__device__ void argmax(Team team, void *shared, u32 *y, const T *x, i64 rows, i64 row) {
    using namespace argmax_of;
    if (row <= THREAD_ROW) {
        for (i64 k = first_element(team); k < rows; k += element_stride(team)) {
            y[k] = along(x + k * row, 0, 1, row).at;
        }
    } else if (row <= WARP_ROW) {
        for (i64 k = (i64)team.block() * WARPS + warp_of_thread(); k < rows; k += (i64)team.blocks() * WARPS) {
            const Best<T> best = of_lanes(along(x + k * row, lane_of_thread(), WARP, row));
            if (lane_of_thread() == 0) {
                y[k] = best.at;
            }
        }
    } else {
        Best<T> *const of_warps = (Best<T> *)shared;
        for (i64 k = team.block(); k < rows; k += team.blocks()) {
            const Best<T> best = of_lanes(along(x + k * row, threadIdx.x, THREADS, row));
            if (lane_of_thread() == 0) {
                of_warps[warp_of_thread()] = best;
            }
            __syncthreads();
            if (threadIdx.x == 0) {
                Best<T> whole = of_warps[0];
                for (u32 w = 1; w < WARPS; w++) {
                    whole = better(whole, of_warps[w]);
                }
                y[k] = whole.at;
            }
            __syncthreads();
        }
    }
}
