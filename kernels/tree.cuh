// The fixed tree by which every sum on the tape is taken (src/tape/tree.rs), and greatest and least elements
// by the same tree. Sums have the bits of the processor's; of extremes the value is the same, and where zeros
// of both signs tie, the sign may differ.
//
// The elements are cut into blocks of BLOCK. A block is summed in 32 lanes, lane l adding x[l], x[l + 32], …
// to +0, and the lanes fold in halves; blocks, or ranges of 2ᵏ blocks that start at a multiple of 2ᵏ, are
// nodes, which combine pairwise. A reducer's start is an identity of join (a lane never holds −0), so what is
// missing at the end may be left out or padded by it.
//
// A block of threads combines a row of any length here: block_tree; a warp up to 32 blocks: warp_tree; a
// thread a block: thread_block. `x(i)` is element i.
#pragma once
#include "common.cuh"

// Elements of a block of the tree.
constexpr u32 BLOCK = 256;

struct Sum {
    template <class T> static __device__ T start() { return (T)0; }
    template <class T> static __device__ T join(T a, T b) { return a + b; }
};

// NaN if either is; at a tie the first.
struct Max {
    template <class T> static __device__ T start() { return -Limits<T>::infinity(); }
    template <class T> static __device__ T join(T a, T b) { return a >= b || a != a ? a : b; }
};

struct Min {
    template <class T> static __device__ T start() { return Limits<T>::infinity(); }
    template <class T> static __device__ T join(T a, T b) { return a <= b || a != a ? a : b; }
};

__device__ inline u32 lane_of_thread() { return threadIdx.x % WARP; }
__device__ inline u32 warp_of_thread() { return threadIdx.x / WARP; }
template <class T> __device__ T least(T a, T b) { return a < b ? a : b; }
__device__ constexpr i64 div_up(i64 a, i64 b) { return (a + b - 1) / b; }

// The lanes of a block, one a thread, folded in halves; valid in lane 0. All lanes of the warp call.
template <class R, class T> __device__ T fold_lanes(T lane) {
    for (u32 half = WARP / 2; half > 0; half /= 2) {
        lane = R::join(lane, __shfl_down_sync(ALL_LANES, lane, half));
    }
    return lane;
}

// Nodes, one a lane of the first `count` lanes (a power of two, at most 32), combined pairwise; valid in lane 0.
// The others hold a start. All lanes of the warp call.
template <class R, class T> __device__ T fold_nodes(T node, u32 count = WARP) {
    for (u32 distance = 1; distance < count; distance *= 2) {
        const T right = __shfl_down_sync(ALL_LANES, node, distance);
        // Only the left of each pair is a node from here on; what the others hold is not read by one.
        node = R::join(node, right);
    }
    return node;
}

// The block of elements start … of n, by a warp; valid in lane 0.
template <class R, class T, class F> __device__ T warp_block(F x, i64 start, i64 n) {
    T sum = R::template start<T>();
    if (n - start >= BLOCK) {
#pragma unroll
        for (u32 k = 0; k < BLOCK / WARP; k++) {
            sum = R::join(sum, (T)x(start + k * WARP + lane_of_thread()));
        }
    } else {
        for (i64 i = start + lane_of_thread(); i < n; i += WARP) {
            sum = R::join(sum, (T)x(i));
        }
    }
    return fold_lanes<R>(sum);
}

// The node of at most 32 blocks (a power of two of them, `blocks`) from `start` of n on, by a warp; valid in
// lane 0.
template <class R, class T, class F> __device__ T warp_tree(F x, i64 start, i64 n, u32 blocks = WARP) {
    if (blocks == 1 || n - start <= BLOCK) {
        return warp_block<R, T>(x, start, n);
    }
    // Lane b keeps block b.
    T node = R::template start<T>();
    for (u32 b = 0; b < blocks && start + b * BLOCK < n; b++) {
        const T block = __shfl_sync(ALL_LANES, warp_block<R, T>(x, start + b * BLOCK, n), 0);
        node = lane_of_thread() == b ? block : node;
    }
    return fold_nodes<R>(node);
}

// Combines `count` nodes, in global or shared memory, in place: parts[0] is the result, which all threads of the
// block get; the other parts are left as scratch. A barrier lies before the first read, and the result may be
// overwritten at once. Each pass takes 32 nodes to one.
template <class R, class T> __device__ T combine_nodes(T *parts, i64 count) {
    __syncthreads();
    for (i64 stride = 1; stride < count; stride *= WARP) {
        const i64 nodes = div_up(count, stride);
        for (i64 first = warp_of_thread() * (i64)WARP; first < nodes; first += THREADS) {
            const i64 at = first + lane_of_thread();
            const T node = at < nodes ? parts[at * stride] : R::template start<T>();
            const T sum = fold_nodes<R>(node);
            if (lane_of_thread() == 0) {
                parts[first * stride] = sum;
            }
        }
        __syncthreads();
    }
    const T result = count > 0 ? parts[0] : R::template start<T>();
    __syncthreads();
    return result;
}

// Elements 0 … n−1 by a block; all threads get the result. `shared` may be overwritten at once.
// n ≤ 2³².
template <class R, class T, class F> __device__ T block_tree(void *shared, F x, i64 n) {
    constexpr i64 NODES = SHARED / sizeof(T);
    T *const nodes = (T *)shared;
    // As few blocks a node as leave room, so that all warps have work.
    u32 blocks = 1;
    while (blocks < WARP && n > NODES * blocks * BLOCK) {
        blocks *= 2;
    }
    const i64 node = (i64)blocks * BLOCK;
    // Thread r keeps round r.
    T mine = R::template start<T>();
    u32 rounds = 0;
    for (i64 first = 0; first < n; first += NODES * node) {
        const i64 count = least(NODES, div_up(n - first, node));
        for (i64 k = warp_of_thread(); k < count; k += WARPS) {
            const T sum = warp_tree<R, T>(x, first + k * node, n, blocks);
            if (lane_of_thread() == 0) {
                nodes[k] = sum;
            }
        }
        const T round = combine_nodes<R>(nodes, count);
        mine = threadIdx.x == rounds ? round : mine;
        rounds++;
    }
    nodes[threadIdx.x] = mine;
    return combine_nodes<R>(nodes, rounds);
}

// The block of elements start … of n, by one thread, with few numbers under way: lanes come in the order in
// which a walk through their tree ends.
template <class R, class T, class F> __device__ T thread_block(F x, i64 start, i64 n) {
    constexpr u32 LEVELS = 5;
    const i64 stop = least(n, start + BLOCK);
    // Lanes beyond these hold +0, and so do folds with them.
    u32 levels = 0;
    while (levels < LEVELS && start + (1u << levels) < stop) {
        levels++;
    }
    T left[LEVELS];
    T node = R::template start<T>();
    for (u32 j = 0; j < 1u << levels; j++) {
        const u32 lane = levels == 0 ? 0 : __brev(j) >> (WARP - levels);
        node = R::template start<T>();
        for (i64 i = start + lane; i < stop; i += WARP) {
            node = R::join(node, (T)x(i));
        }
        // The set bits at the bottom of j are the pairs that end here.
        bool open = true;
#pragma unroll
        for (u32 level = 0; level < LEVELS; level++) {
            const bool ends = (j >> level & 1) != 0;
            if (open && ends) {
                node = R::join(left[level], node);
            } else if (open) {
                left[level] = node;
                open = false;
            }
        }
    }
    return node;
}

// Combines nodes of one size as they come, by one thread. The nodes under way lie `stride` apart in shared
// memory, one for each bit of their count.
template <class R, class T> struct Carry {
    T *nodes;
    u32 stride;
    u32 count;

    __device__ void push(T node) {
        u32 top = __popc(count);
        for (u32 ended = count; (ended & 1) != 0; ended >>= 1) {
            top--;
            node = R::join(nodes[top * stride], node);
        }
        nodes[top * stride] = node;
        count++;
    }

    __device__ T finish() const {
        u32 top = __popc(count);
        if (top == 0) {
            return R::template start<T>();
        }
        T sum = nodes[--top * stride];
        while (top > 0) {
            sum = R::join(nodes[--top * stride], sum);
        }
        return sum;
    }
};
