// Rows by index, and rows added at their index, by the processor's definitions (src/exec/cpu/movement.rs) and
// with its bits.
//
//     gather       y[p·width + c] = x[index[p]·width + c], p < count; where index[p] ≥ rows, NaN (a u32: 0)
//     scatter_add  y = 0; then for p = 0, 1, …, count − 1: y[index[p]·width + c] += x[p·width + c]; where
//                  index[p] ≥ rows, nothing
//
// gather goes element by element of y. T is float, double or u32.
//
// scatter_add gives each block a range of the rows of y, and each element of it to one thread, which adds in
// order of position: no atomics. Every block reads all indices, 256 at a time, and keeps those of its range in
// shared memory. So the cost is blocks·count·4 bytes of reads, most from the second cache, and count·width
// additions; it is small beside the additions where width is above the number of blocks. T is float or double.
#pragma once
#include "tree.cuh"

template <class T> __device__ T missing() { return Limits<T>::nan(); }
template <> __device__ inline u32 missing<u32>() { return 0; }

template <class Team, class T>
__device__ void gather(Team team, T *y, const T *x, const u32 *index, i64 count, i64 rows, i64 width) {
    for (i64 i = first_element(team); i < count * width; i += element_stride(team)) {
        const i64 row = index[i / width];
        y[i] = row < rows ? x[row * width + i % width] : missing<T>();
    }
}

template <class Team, class T>
__device__ void scatter_add(Team team, void *shared, T *y, const u32 *index, const T *x, i64 count, i64 rows,
                            i64 width) {
    u32 *const counts = (u32 *)shared;
    u32 *const kept_row = counts + WARPS;
    u32 *const kept_position = kept_row + THREADS;
    const i64 share = (rows + team.blocks() - 1) / team.blocks();
    const i64 first = least(rows, team.block() * share);
    const i64 own = least(rows, first + share) - first;
    for (i64 i = threadIdx.x; i < own * width; i += THREADS) {
        y[first * width + i] = (T)0;
    }
    // Threads stand in groups as wide as a row; a row of the range belongs to one of the groups.
    u32 wide = 1;
    while (wide < THREADS && wide < width) {
        wide *= 2;
    }
    const u32 groups = THREADS / wide;
    const u32 group = threadIdx.x / wide;
    const u32 column = threadIdx.x % wide;
    const u32 lane = threadIdx.x % WARP;
    const u32 warp = threadIdx.x / WARP;
    for (i64 start = 0; start < count; start += THREADS) {
        const i64 position = start + threadIdx.x;
        const i64 row = position < count ? index[position] : rows;
        const bool keeps = row < rows && row >= first && row < first + own;
        const u32 mask = __ballot_sync(ALL_LANES, keeps);
        if (lane == 0) {
            counts[warp] = __popc(mask);
        }
        __syncthreads();
        u32 before = __popc(mask & ((1u << lane) - 1));
        u32 kept = 0;
        for (u32 w = 0; w < WARPS; w++) {
            before += w < warp ? counts[w] : 0;
            kept += counts[w];
        }
        if (keeps) {
            kept_row[before] = (u32)(row - first);
            kept_position[before] = threadIdx.x;
        }
        __syncthreads();
        for (u32 k = 0; k < kept; k++) {
            const i64 to = kept_row[k];
            if (to % groups == group) {
                for (i64 c = column; c < width; c += wide) {
                    T *const sum = y + (first + to) * width + c;
                    *sum = *sum + x[(start + kept_position[k]) * width + c];
                }
            }
        }
    }
    __syncthreads();
}
