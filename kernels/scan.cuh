// Running sums along rows, each with its own element, from the near end or the far one (Op::CumSum).
//
// As on the processor (src/tape/ops/cumsum.rs), sums are taken in doubles beside the sum of their rounding
// errors, so a result is off by one rounding and n²·EPS²·Σ|x|, EPS that of doubles. Rows of up to THREAD_ROW
// elements are a thread's, in the processor's order and with its bits. A longer row is a block's, in tiles:
// each thread sums its four elements, the threads' sums combine by a scan of fixed shape, and each thread goes
// through its elements again. This obeys the same bound, so singles are almost always, and doubles mostly, the
// processor's; where a stretch of a row overflows that the sums up to it would not have, the result is not
// finite, though the processor's is.
//
// Rows lie one after the other. x is read once and y written once. One long row is one block's work: other
// blocks of the team do not help.
#pragma once
#include "tree.cuh"

namespace running {

constexpr i64 THREAD_ROW = 64;
constexpr u32 EACH = 4;
constexpr u32 TILE = THREADS * EACH;

// A sum, and the sum of its rounding errors.
struct Running {
    double sum;
    double error;

    // Another stretch, behind this one.
    __device__ Running then(Running next) const {
        const double total = sum + next.sum;
        // Knuth's two-sum: what was lost, exactly. Of an infinite sum it would be a NaN.
        const double back = total - sum;
        const double lost = (sum - (total - back)) + (next.sum - back);
        return {total, is_finite(total) ? (error + next.error) + lost : error};
    }
    __device__ Running then(double x) const { return then(Running{x, 0.0}); }
    __device__ double value() const { return is_finite(sum) ? sum + error : sum; }
    __device__ static bool is_finite(double x) { return fabs(x) < Limits<double>::infinity(); }
};

__device__ inline Running from_below(Running x, u32 distance) {
    return {__shfl_up_sync(ALL_LANES, x.sum, distance), __shfl_up_sync(ALL_LANES, x.error, distance)};
}

// A row by a block.
template <class T> __device__ void along(void *shared, T *y, const T *x, i64 row, bool reverse) {
    Running *const of_warps = (Running *)shared;
    T *const tile = (T *)(of_warps + WARPS);
    static_assert(WARPS * sizeof(Running) + TILE * sizeof(double) <= SHARED, "a tile fits");
    Running before = {0.0, 0.0};
    for (i64 start = 0; start < row; start += TILE) {
        const i64 length = least((i64)TILE, row - start);
        const auto at = [=](i64 i) { return reverse ? row - 1 - (start + i) : start + i; };
        for (i64 i = threadIdx.x; i < TILE; i += THREADS) {
            tile[i] = i < length ? x[at(i)] : (T)0;
        }
        __syncthreads();
        T *const mine = tile + threadIdx.x * EACH;
        Running own = {0.0, 0.0};
        for (u32 k = 0; k < EACH; k++) {
            own = own.then(mine[k]);
        }
        for (u32 distance = 1; distance < WARP; distance *= 2) {
            const Running left = from_below(own, distance);
            own = lane_of_thread() >= distance ? left.then(own) : own;
        }
        if (lane_of_thread() == WARP - 1) {
            of_warps[warp_of_thread()] = own;
        }
        const Running left = from_below(own, 1);
        __syncthreads();
        // What lies before the thread's warp, then before the thread; and before the next tile.
        Running sum = before;
        for (u32 w = 0; w < WARPS; w++) {
            before = before.then(of_warps[w]);
            sum = w < warp_of_thread() ? before : sum;
        }
        sum = lane_of_thread() > 0 ? sum.then(left) : sum;
        for (u32 k = 0; k < EACH; k++) {
            sum = sum.then(mine[k]);
            mine[k] = (T)sum.value();
        }
        __syncthreads();
        // The thread that writes tile[i] out is the one that fills it again.
        for (i64 i = threadIdx.x; i < length; i += THREADS) {
            y[at(i)] = tile[i];
        }
    }
    __syncthreads();
}

} // namespace running

template <class Team, class T>
__device__ void cumsum(Team team, void *shared, T *y, const T *x, i64 rows, i64 row, bool reverse) {
    if (row > running::THREAD_ROW) {
        for (i64 k = team.block(); k < rows; k += team.blocks()) {
            running::along(shared, y + k * row, x + k * row, row, reverse);
        }
        return;
    }
    for (i64 k = first_element(team); k < rows; k += element_stride(team)) {
        running::Running sum = {0.0, 0.0};
        for (i64 i = 0; i < row; i++) {
            const i64 at = k * row + (reverse ? row - 1 - i : i);
            sum = sum.then(x[at]);
            y[at] = (T)sum.value();
        }
    }
}
