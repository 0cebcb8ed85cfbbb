// Boxes copied from one layout into another (src/exec/cpu/movement.rs). A box is, for each axis, its extent,
// the stride read and the stride written, in elements, 1 to 6 axes; no two of its elements are written to one
// place. T is float, double or u32; `to` and `from` do not overlap.
//
//     copy_box    each element of the box: to[Σ kᵢ·writtenᵢ] = from[Σ kᵢ·readᵢ]
//     copy_turned the same through shared memory, so that reads and writes are whole lines: for a box whose last
//                 axis has stride 1 where it is written, and whose last but one has stride 1 where it is read
//     place_box   each element of the target, to[0] … to[n − 1]: the box from `start` on, and zeros elsewhere.
//                 The axes are those of a part of a row-major tensor: each stride written is greater than the
//                 sum of (extent − 1)·stride of the axes behind it. An extent of 0 makes zeros throughout.
//
// A box is read once and written once, element by element in the order of its axes, the last one fastest.
#pragma once
#include "tree.cuh"

template <u32 RANK> struct Box {
    i64 extent[RANK];
    i64 read[RANK];
    i64 written[RANK];
};

template <class Team, class T, u32 RANK> __device__ void copy_box(Team team, T *to, const T *from, Box<RANK> box) {
    i64 elements = 1;
#pragma unroll
    for (u32 axis = 0; axis < RANK; axis++) {
        elements *= box.extent[axis];
    }
    for (i64 i = first_element(team); i < elements; i += element_stride(team)) {
        i64 rest = i;
        i64 read = 0;
        i64 written = 0;
#pragma unroll
        for (i32 axis = RANK - 1; axis >= 0; axis--) {
            const i64 k = axis == 0 ? rest : rest % box.extent[axis];
            rest = axis == 0 ? 0 : rest / box.extent[axis];
            read += k * box.read[axis];
            written += k * box.written[axis];
        }
        to[written] = from[read];
    }
}

template <class Team, class T, u32 RANK>
__device__ void copy_turned(Team team, void *shared, T *to, const T *from, Box<RANK> box) {
    static_assert(RANK >= 2, "two axes change places");
    constexpr i32 ROW = RANK - 2;
    constexpr i32 COLUMN = RANK - 1;
    // A square of the last two axes, with a column more, so that no two lanes meet in a bank.
    T *const square = (T *)shared;
    static_assert(WARP * (WARP + 1) * sizeof(T) <= SHARED, "a square fits");
    const i64 down = div_up(box.extent[ROW], WARP);
    const i64 across = div_up(box.extent[COLUMN], WARP);
    i64 units = down * across;
#pragma unroll
    for (i32 axis = 0; axis < ROW; axis++) {
        units *= box.extent[axis];
    }
    for (i64 unit = team.block(); unit < units; unit += team.blocks()) {
        const i64 left = unit % across * WARP;
        const i64 top = unit / across % down * WARP;
        i64 rest = unit / across / down;
        i64 read = top * box.read[ROW] + left * box.read[COLUMN];
        i64 written = top * box.written[ROW] + left * box.written[COLUMN];
#pragma unroll
        for (i32 axis = ROW - 1; axis >= 0; axis--) {
            const i64 k = rest % box.extent[axis];
            rest /= box.extent[axis];
            read += k * box.read[axis];
            written += k * box.written[axis];
        }
        const i64 rows = least((i64)WARP, box.extent[ROW] - top);
        const i64 columns = least((i64)WARP, box.extent[COLUMN] - left);
        const u32 lane = lane_of_thread();
        for (u32 column = warp_of_thread(); column < columns; column += WARPS) {
            if (lane < rows) {
                square[lane * (WARP + 1) + column] = from[read + lane * box.read[ROW] + column * box.read[COLUMN]];
            }
        }
        __syncthreads();
        for (u32 row = warp_of_thread(); row < rows; row += WARPS) {
            if (lane < columns) {
                to[written + row * box.written[ROW] + lane * box.written[COLUMN]] = square[row * (WARP + 1) + lane];
            }
        }
        __syncthreads();
    }
}

template <class Team, class T, u32 RANK>
__device__ void place_box(Team team, T *to, i64 n, i64 start, const T *from, Box<RANK> box) {
    for (i64 i = first_element(team); i < n; i += element_stride(team)) {
        i64 rest = i - start;
        i64 read = 0;
        bool inside = rest >= 0;
#pragma unroll
        for (u32 axis = 0; axis < RANK; axis++) {
            const i64 k = rest / box.written[axis];
            inside = inside && k < box.extent[axis];
            rest -= k * box.written[axis];
            read += k * box.read[axis];
        }
        to[i] = inside && rest == 0 ? from[read] : (T)0;
    }
}
