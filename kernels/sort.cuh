// Sorting of rows, ascending, −0 before 0 and every NaN last, and the positions that the sorted elements had,
// equal ones in their order: the processor's results (src/exec/cpu/scan.rs), since order and ties leave no
// choice.
//
//     sort     y[k·row …] the elements of x[k·row …]
//     argsort  y[k·row …] their positions in the row; row < 2³²
//
// Bitonic networks, in shared memory where a row fits: as many rows at a time as fit, and the block's share of
// the rows has. A longer row is sorted by one block in stretches of slots<T, …>() elements, which then merge:
// steps at distances of a stretch or more in global memory, the rest of each merge in shared memory. With 2ˡ the
// least power of two of stretches that holds a row, the row is read and written l(l + 3)/2 + 1 times, 45 times
// for a million singles, by one block: rows are dealt out, not elements.
//
// argsort of rows above slots<T, true>() needs a workspace, argsort_workspace<T>(rows, row) elements of T.
#pragma once
#include "tree.cuh"

namespace sorting {

// Bits that compare as the elements are ordered; every NaN has the same, the greatest.
__device__ inline u32 key(float x) {
    const u32 bits = __float_as_uint(x);
    return x != x ? ~0u : bits >> 31 ? ~bits : bits | 1u << 31;
}
__device__ inline u64 key(double x) {
    const u64 bits = (u64)__double_as_longlong(x);
    return x != x ? ~0ull : bits >> 63 ? ~bits : bits | 1ull << 63;
}

// Where a network works: values, and with POSITIONS what they carry along.
template <class T, bool POSITIONS> struct Slots {
    T *value;
    u32 *position;

    // Puts the pair a < b in order.
    __device__ void order(i64 a, i64 b) const {
        const T left = value[a];
        const T right = value[b];
        bool swaps = key(left) > key(right);
        if constexpr (POSITIONS) {
            const u32 p = position[a];
            const u32 q = position[b];
            swaps = swaps || (key(left) == key(right) && p > q);
            if (swaps) {
                position[a] = q;
                position[b] = p;
            }
        }
        if (swaps) {
            value[a] = right;
            value[b] = left;
        }
    }

    // Orders the pairs at a distance, within each 2·distance of `count` slots from the first on; pairs that
    // reach past `end` are in order. With FLIP, the first of each 2·distance pairs with the last, and so on.
    template <bool FLIP> __device__ void step(i64 distance, i64 count, i64 end) const {
        for (i64 pair = threadIdx.x; pair < count / 2; pair += THREADS) {
            const i64 within = pair & (distance - 1);
            const i64 first = 2 * (pair - within);
            const i64 a = first + within;
            const i64 b = FLIP ? first + 2 * distance - 1 - within : a + distance;
            if (b < end) {
                order(a, b);
            }
        }
        __syncthreads();
    }

    // The steps of a merge at this distance and below.
    __device__ void merge_from(i64 distance, i64 count) const {
        for (; distance > 0; distance /= 2) {
            step<false>(distance, count, count);
        }
    }

    // Sorts each `length` of `count` slots, length a power of two.
    __device__ void sort(i64 length, i64 count) const {
        for (i64 half = 1; half < length; half *= 2) {
            step<true>(half, count, count);
            merge_from(half / 2, count);
        }
    }
};

} // namespace sorting

// Elements that are sorted in shared memory: a power of two.
template <class T, bool POSITIONS> __device__ constexpr i64 slots() {
    i64 count = 1;
    while (2 * count * (sizeof(T) + (POSITIONS ? sizeof(u32) : 0)) <= SHARED) {
        count *= 2;
    }
    return count;
}

// Elements of argsort's workspace.
template <class T> __device__ constexpr i64 argsort_workspace(i64 rows, i64 row) {
    return row > slots<T, true>() ? rows * row : 0;
}

namespace sorting {

template <class T, bool POSITIONS> __device__ Slots<T, POSITIONS> in_shared(void *shared) {
    T *const values = (T *)shared;
    return {values, (u32 *)(values + slots<T, POSITIONS>())};
}

// Rows that fit. `y` takes the values where it is of their type, else the positions.
template <bool POSITIONS, class Team, class T, class Y>
__device__ void short_rows(Team team, void *shared, Y *y, const T *x, i64 rows, i64 row) {
    const Slots<T, POSITIONS> work = in_shared<T, POSITIONS>(shared);
    i64 length = 1;
    while (length < row) {
        length *= 2;
    }
    const i64 batch = least(slots<T, POSITIONS>() / length, div_up(rows, team.blocks()));
    for (i64 first = team.block() * batch; first < rows; first += team.blocks() * batch) {
        const i64 count = least(batch, rows - first) * length;
        for (i64 slot = threadIdx.x; slot < count; slot += THREADS) {
            const i64 within = slot & (length - 1);
            // What fills the slots behind a row stays there: no element is greater, and no position.
            work.value[slot] = within < row ? x[(first + slot / length) * row + within] : Limits<T>::nan();
            if constexpr (POSITIONS) {
                work.position[slot] = (u32)within;
            }
        }
        __syncthreads();
        work.sort(length, count);
        for (i64 slot = threadIdx.x; slot < count; slot += THREADS) {
            const i64 within = slot & (length - 1);
            if (within < row) {
                Y *const to = y + (first + slot / length) * row + within;
                if constexpr (POSITIONS) {
                    *to = work.position[slot];
                } else {
                    *to = work.value[slot];
                }
            }
        }
        __syncthreads();
    }
}

// A row that does not fit, by a block: `whole` is where it ends, x where it comes from.
template <class T, bool POSITIONS>
__device__ void long_row(void *shared, Slots<T, POSITIONS> whole, const T *x, i64 row) {
    constexpr i64 STRETCH = slots<T, POSITIONS>();
    const Slots<T, POSITIONS> work = in_shared<T, POSITIONS>(shared);
    i64 length = STRETCH;
    for (i64 half = 0; half < length; half = half == 0 ? STRETCH : 2 * half) {
        // Each stretch sorted, then pairs of ever longer sorted ones merged.
        if (half > 0) {
            whole.template step<true>(half, 2 * half * div_up(row, 2 * half), row);
            for (i64 distance = half / 2; distance >= STRETCH; distance /= 2) {
                whole.template step<false>(distance, 2 * half * div_up(row, 2 * half), row);
            }
        }
        for (i64 start = 0; start < row; start += STRETCH) {
            for (i64 slot = threadIdx.x; slot < STRETCH; slot += THREADS) {
                const i64 at = start + slot;
                const T *const from = half == 0 ? x : whole.value;
                work.value[slot] = at < row ? from[at] : Limits<T>::nan();
                if constexpr (POSITIONS) {
                    work.position[slot] = half == 0 || at >= row ? (u32)at : whole.position[at];
                }
            }
            __syncthreads();
            if (half == 0) {
                work.sort(STRETCH, STRETCH);
            } else {
                work.merge_from(STRETCH / 2, STRETCH);
            }
            for (i64 slot = threadIdx.x; slot < STRETCH && start + slot < row; slot += THREADS) {
                whole.value[start + slot] = work.value[slot];
                if constexpr (POSITIONS) {
                    whole.position[start + slot] = work.position[slot];
                }
            }
            __syncthreads();
        }
        while (length < row) {
            length *= 2;
        }
    }
}

} // namespace sorting

template <class Team, class T>
__device__ void sort(Team team, void *shared, T *y, const T *x, i64 rows, i64 row) {
    if (row <= slots<T, false>()) {
        sorting::short_rows<false>(team, shared, y, x, rows, row);
    } else {
        for (i64 k = team.block(); k < rows; k += team.blocks()) {
            sorting::long_row<T, false>(shared, {y + k * row, nullptr}, x + k * row, row);
        }
    }
}

template <class Team, class T>
__device__ void argsort(Team team, void *shared, u32 *y, const T *x, T *workspace, i64 rows, i64 row) {
    if (row <= slots<T, true>()) {
        sorting::short_rows<true>(team, shared, y, x, rows, row);
    } else {
        for (i64 k = team.block(); k < rows; k += team.blocks()) {
            sorting::long_row<T, true>(shared, {workspace + k * row, y + k * row}, x + k * row, row);
        }
    }
}
