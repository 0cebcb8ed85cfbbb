// The end of a sweep's folds: tiles of TILE elements, the parts they leave, and who combines the parts.
//
// A sweep's kernel deals its tiles out by block, and thread t of a block has, of a tile, the elements
// start + t/32·256 + k·32 + t%32, k < 8: each warp a block of the tree. For each fold it calls tile_node, and
// thread 0 writes what that returns to parts[tile]; when the tiles are done, one arrive_last serves all the
// folds of the kernel, and the block that it names combines the parts of each:
//
//     for (i64 tile = team.block(); tile < tiles(n); tile += team.blocks()) {
//         float lane = Sum::start<float>();
//         for each element x of the thread: lane = Sum::join(lane, x);
//         const float part = tile_node<Sum>(shared, lane);
//         if (threadIdx.x == 0) parts[tile] = part;
//     }
//     if (arrive_last(team, shared, counter)) {
//         finish_fold<Sum>(y, parts, tiles(n));
//     }
//
// Workspace: tiles(n) elements for each fold, and a u32 for each kernel, zero before its first launch. Two
// launches that may run at once need counters of their own.
#pragma once
#include "tree.cuh"

// Elements of a tile, and those of a thread: a tile is a node of the tree.
constexpr u32 TILE = THREADS * 8;
constexpr u32 PER_THREAD = 8;

__device__ constexpr i64 tiles(i64 n) { return (n + TILE - 1) / TILE; }

// The node of a tile from what each thread has of it: its elements joined in order, from a start on. Valid in
// thread 0. All threads of the block call; `shared` may be overwritten at once.
template <class R, class T> __device__ T tile_node(void *shared, T lane) {
    T *const nodes = (T *)shared;
    const T block = fold_lanes<R>(lane);
    if (lane_of_thread() == 0) {
        nodes[warp_of_thread()] = block;
    }
    __syncthreads();
    T node = R::template start<T>();
    if (warp_of_thread() == 0) {
        node = lane_of_thread() < WARPS ? nodes[lane_of_thread()] : node;
        node = fold_nodes<R>(node, WARPS);
    }
    __syncthreads();
    return node;
}

// Whether this block is the last of the team to arrive; it then sees all that the others wrote before. The
// counter is zero again afterwards. All threads of all blocks of the team call, once a launch.
__device__ inline bool arrive_last(Grid team, void *shared, u32 *counter) {
    u32 *const last = (u32 *)shared;
    __syncthreads();
    if (threadIdx.x == 0) {
        // What the block wrote goes before its arrival, and what the others wrote before what is read after it.
        __threadfence();
        *last = atomicInc(counter, team.blocks() - 1) == team.blocks() - 1;
        __threadfence();
    }
    __syncthreads();
    const bool result = *last != 0;
    __syncthreads();
    return result;
}

__device__ inline bool arrive_last(Alone, void *, u32 *) {
    __syncthreads();
    return true;
}

// The fold of all tiles, by the block that arrived last. The parts are used up.
template <class R, class T> __device__ void finish_fold(T *y, T *parts, i64 count) {
    const T result = combine_nodes<R>(parts, count);
    if (threadIdx.x == 0) {
        *y = result;
    }
}
